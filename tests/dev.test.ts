import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, checkPublished, System, until } from './processes.fixture.ts'

let system: System

beforeEach(() => {
  system = new System()
})
afterEach(() => system.end())

const dev = (...flags: string[]) => ['dev', taskFile(), '--data', system.folder, ...flags]
const taskFile = () => new URL('../apps/reference-task/src/task.ts', import.meta.url).pathname

async function freePorts(): Promise<string[]> {
  const servers = await Promise.all(
    [0, 1, 2].map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => String((server.address() as { port: number }).port))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  const [coordinator = '', task = '', issuer = ''] = ports
  return ['--coordinator-port', coordinator, '--task-port', task, '--issuer-port', issuer]
}

test('one command runs a release to published; a second start issues none and registers nothing', async () => {
  const ports = await freePorts()
  const first = await system.run(dev('--once', ...ports))
  expect(first.stderr).toBe('')
  expect(first.code).toBe(0)
  expect(first.stdout).toContain('STAGED: nothing is public yet')
  expect(JSON.parse(first.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    state: 'published',
    version: '0.1.0',
  })
  const published = checkPublished(system.releaseFolder)
  expect(published).toMatchObject({ studies: 3, rows: 100_000 })

  const second = await system.run(dev('--once', ...ports))
  expect(second.code).toBe(0)
  expect(second.stdout).toContain('reference-task')
  expect(second.stdout).toContain(', known')
  expect(second.stdout).not.toContain('issued')
  expect(checkPublished(system.releaseFolder).files).toEqual(published.files)

  const third = await system.run(dev('--once', '--new', ...ports))
  expect(third.code).toBe(0)
  expect(JSON.parse(third.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ version: '0.2.0' })
})

test('a busy port and a missing task file end with the cause and what to type next', async () => {
  const holder = await system.coordinator()
  const port = new URL(holder.url).port
  const other = ['--data', `${system.folder}/other`, '--issuer-port', '0']
  const busy = await system.run(dev('--once', ...other, '--coordinator-port', port))
  expect(busy.code).toBe(1)
  expect(busy.stderr.trim()).toBe(
    `Port ${port} is in use by process ${holder.pid}: stop it, or set another port. Next: npm start -- --coordinator-port ${Number(port) + 100}`,
  )
  const missing = await system.run(['dev', 'nowhere.ts', '--once', '--data', `${system.folder}/third`])
  expect(missing.code).toBe(1)
  expect(missing.stderr).toMatch(/^There is no task file nowhere\.ts\. Next: .+\n$/)
})

test('a second service on the same state is refused with the pid of the first; a wrong setting by its name', async () => {
  const coordinator = await system.coordinator()
  const first = await system.task(coordinator.url)
  const second = await system.run(['serve', taskFile(), '--port', '0', '--data', system.folder])
  expect(second.code).toBe(1)
  expect(second.stderr).toContain(`Process ${first.pid} (role all) already works on this database`)
  const wrong = await system.run(['serve', taskFile()], { STAGE_RETRY_FOR: 'soon' })
  expect(wrong.stderr).toContain('STAGE_RETRY_FOR=soon is not a duration such as 30s, 10m or 1h')
  const open = await system.run(['coordinator', '--data', `${system.folder}/open`, '--port', '0'], {
    HOST: '0.0.0.0',
  })
  expect(open.stderr).toContain('HOST=0.0.0.0 is reachable from other machines')
})

test('what is saved is started again; what cannot be started says why, and the next save is tried', async () => {
  const folder = join(system.folder, 'author')
  mkdirSync(folder)
  const file = join(folder, 'task.ts')
  const sdk = new URL('../packages/task-service/src/index.ts', import.meta.url).href
  const save = (version: string, more = '') =>
    writeFileSync(
      file,
      `import { defineTask } from '${sdk}'\n${more}\n` +
        `export default defineTask({ name: 'mine', version: '${version}', stage() {}, publish() {} })\n`,
    )
  save('1.0.0')
  const ports = await freePorts()
  const running = system.spawn(['dev', file, '--data', join(system.folder, 'data'), ...ports])
  const version = async () => (await call('GET', `http://127.0.0.1:${ports[3]}/status`)).body.version
  await until(version, (seen) => seen === '1.0.0')
  await until(
    async () => running.output(),
    (seen) => seen.includes('STAGED') || seen.includes('staged'),
  )
  save('2.0.0')
  await until(version, (seen) => seen === '2.0.0')
  await until(
    async () => running.output(),
    (seen) => seen.includes('mine was saved; started again'),
  )
  save('3.0.0', 'this is no TypeScript')
  await until(
    async () => running.output(),
    (seen) => /mine not started again: Cannot load the task/.test(seen),
  )
  save('4.0.0')
  await until(version, (seen) => seen === '4.0.0')
  await running.kill('SIGTERM')
})
