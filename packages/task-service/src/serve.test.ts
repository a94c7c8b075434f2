import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { defineTask } from './define.ts'
import { serve, type Served } from './serve.ts'
import { latch } from './service.fixture.ts'

let folder: string
const running: Served[] = []
const servers: Server[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'task-serve-'))
})
afterEach(async () => {
  for (const served of running.splice(0)) await served.close()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

const TASK = defineTask({
  name: 'served',
  version: '1.0.0',
  stage: () => undefined,
  publish: () => undefined,
})

async function start(env: Record<string, string> = {}, task = TASK): Promise<Served> {
  const settings = readConfig({
    DATABASE_URL: `sqlite:${join(folder, '{task}', 'state.db')}`,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...env,
  })
  const served = await serve(task, settings)
  running.push(served)
  return served
}

async function failure(starting: Promise<unknown>): Promise<{ code: string; message: string }> {
  return starting.then(
    () => Promise.reject(new Error('it started')),
    (error: { code: string; message: string }) => error,
  )
}

test('it listens on the port that it says, and its state is in a folder named after the task', async () => {
  const { url } = await start()
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const response = await fetch(`${url}/status`)
  expect([response.status, await response.json()]).toEqual([
    200,
    { name: 'served', message: 'ready', version: '1.0.0' },
  ])
})

test('a second process on the same state is refused with one line that names the first', async () => {
  await start()
  const { code, message } = await failure(start())
  expect(code).toBe('DATABASE_IN_USE')
  expect(message).toContain(`Process ${process.pid} `)
  expect(message.split('\n')).toHaveLength(1)
})

test('after it has closed, the next may come at once', async () => {
  await (await start()).close()
  running.length = 0
  await start()
})

test('a busy port is refused with one line, and the state is free again', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const port = String((server.address() as { port: number }).port)
  const { code, message } = await failure(start({ PORT: port }))
  expect(code).toBe('PORT_IN_USE')
  expect(message).toContain(port)
  expect(message).toContain(String(process.pid))
  expect(message.split('\n')).toHaveLength(1)
  await start()
})

test('an address that others reach needs AUTH=on, or AUTH=off and AUTH_OFF_PUBLIC=yes (AU-1)', () => {
  for (const env of [{}, { AUTH: 'off' }, { AUTH_OFF_PUBLIC: 'yes' }])
    expect(() => readConfig({ HOST: '0.0.0.0', ...env })).toThrow(
      'HOST=0.0.0.0 is reachable from other machines',
    )
  expect(readConfig({ HOST: '0.0.0.0', AUTH: 'off', AUTH_OFF_PUBLIC: 'yes' }).host).toBe('0.0.0.0')
})

test('another service does not get this one’s state', async () => {
  await (await start()).close()
  running.length = 0
  const url = `sqlite:${join(folder, 'served', 'state.db')}`
  expect((await failure(start({ DATABASE_URL: url }, { ...TASK, name: 'other' }))).code).toBe(
    'DATABASE_FOREIGN',
  )
})

test('a caller that never finishes its request does not keep it from closing', async () => {
  const { url, close } = await start({ SHUTDOWN_GRACE: '100ms' })
  running.length = 0
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const answer = latch<string>()
  socket.on('data', (data) => answer.open(String(data)))
  socket.on('error', () => undefined)
  // The server has it once it answers to this much of the request.
  socket.write('POST /tasks HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n')
  socket.write('Content-Type: application/json\r\n\r\n')
  expect(await answer.reached).toContain('100 Continue')
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await close()
  await ended
  await expect(fetch(`${url}/status`)).rejects.toThrow()
})

test('a worker shows that it lives; whatever is asked about tasks is 503, which ends no release (RC-16)', async () => {
  const { url } = await start({ ROLE: 'worker' })
  const action = { action: 'get_status', task_id: 'TA_00000001', release_id: 'RE_00000001' }
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' }
    const init = body ? { method, headers, body: JSON.stringify(body) } : { method }
    const response = await fetch(url + path, init)
    return [response.status, ((await response.json()) as { code?: string }).code]
  }
  for (const path of ['/livez', '/readyz']) expect((await ask('GET', path))[0]).toBe(200)
  expect(await ask('POST', '/tasks', action)).toEqual([503, 'NOT_AN_API'])
  for (const path of ['/status', '/tasks', '/tasks/TA_00000001', '/tasks/TA_00000001/events'])
    expect(await ask('GET', path)).toEqual([503, 'NOT_AN_API'])
  expect(await ask('GET', '/nothing')).toEqual([404, 'PATH_NOT_FOUND'])
})
