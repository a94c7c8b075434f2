import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { absent, startRedis } from '@release-task/test-servers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openQueue } from './open.ts'

const PROCESS_LIMIT_MS = 20 * 1000 // 20 s

/** Runs statements in a process of its own, which has `openQueue` and ends when nothing keeps it alive. */
async function inProcess(body: string, before = ''): Promise<string> {
  const file = new URL('./open.ts', import.meta.url).href
  const script = `${before}; const { openQueue } = await import(${JSON.stringify(file)}); ${body}`
  const run = promisify(execFile)
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
    timeout: PROCESS_LIMIT_MS,
  })
  return stdout + stderr
}

/** Makes this process know the packages that it loads, and not find the one that is named. */
const watched = (missing: string) => `
  const { registerHooks } = await import('node:module')
  const loaded = new Set()
  registerHooks({
    resolve(name, context, next) {
      if (name === ${JSON.stringify(missing)})
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      if (/^(bullmq|ioredis)/.test(name)) loaded.add(name)
      return next(name, context)
    },
  })`

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

test.each([
  'http://user:secret@host:1',
  'redis:user:secret@host',
  'redis://user:secret@host/secret',
  'redis://:secret@host:notaport',
  'redis://host?password=secret',
  'host:6379:secret',
  '',
])('%s is refused with one line that has no password', async (url) => {
  const error = await openQueue({ url, name: 'name' }).catch((error: unknown) => error)
  expect(error).toMatchObject({ name: 'QueueError', code: 'QUEUE_URL_INVALID' })
  expect((error as Error).message).toContain('write redis://HOST:PORT')
  expect((error as Error).message).not.toContain('secret')
})

test.each(['a:b', ''])('a queue cannot be named "%s"', async (name) => {
  const opening = openQueue({ url: 'redis://127.0.0.1:1', name })
  await expect(opening).rejects.toMatchObject({ code: 'QUEUE_NAME_INVALID' })
})

test('without an address the queue is in memory, and neither package is loaded', async () => {
  const body = `
    for (const options of [undefined, { url: null, name: 'a' }]) await (await openQueue(options)).close()
    console.log(JSON.stringify([...loaded]))`
  expect((await inProcess(body, watched('none'))).trim()).toBe('[]')
})

test.each(['bullmq', 'ioredis'])('where %s is not installed, it is said what to do', async (missing) => {
  const body = `
    const error = await openQueue({ url: 'redis://:secret@127.0.0.1:1', name: 'a' }).catch((error) => error)
    console.log(error.code, error.message)`
  const expected =
    'QUEUE_PACKAGES_MISSING A queue over Redis needs two more packages: npm install bullmq ioredis'
  expect((await inProcess(body, watched(missing))).trim()).toBe(expected)
})

const USED = `
  queue.consume(async () => undefined, 2)
  queue.subscribe(() => undefined)
  queue.wake('a', 1)
  queue.wake('b', 60_000)
  queue.notify('a')`

describe('a process whose queue is closed ends by itself', () => {
  test('with Redis away', async () => {
    const url = `redis://127.0.0.1:${await closedPort()}`
    const body = `const queue = await openQueue({ url: '${url}', name: 'a' }); ${USED}
      await queue.close(); console.log('closed')`
    expect((await inProcess(body)).trim()).toBe('closed')
  })

  test.skipIf(absent('redis')).each(['there', 'killed', 'frozen'])('with a Redis that is %s', async (how) => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const signal = { there: '0', killed: "'SIGKILL'", frozen: "'SIGSTOP'" }[how]
    const body = `const queue = await openQueue({ url: '${redis.url}', name: 'a' }); ${USED}
      await new Promise((resolve) => setTimeout(resolve, 300))
      process.kill(${redis.pid}, ${signal})
      await queue.close(); const closed = performance.now()
      process.on('exit', () => console.log(performance.now() - closed < 3000 ? 'at once' : 'late'))`
    expect((await inProcess(body)).trim()).toBe('at once')
  })
})
