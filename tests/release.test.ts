import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  call,
  checkPublished,
  filesBelow,
  issue,
  releaseState,
  System,
  until,
  type Side,
} from './processes.fixture.ts'

const GATED_TASK = fileURLToPath(new URL('./gated.task.ts', import.meta.url))

let system: System

beforeEach(() => {
  system = new System()
})
afterEach(() => system.end())

const taskAt = async (service: Side) => (await call('GET', `${service.url}/tasks`)).body.results[0]
const portOf = (side: Side) => Number(new URL(side.url).port)
const is = (state: string) => (seen: string) => seen === state

test('two processes and plain HTTP: staged, published; kill -9 in stage and on both sides of publish loses nothing', async () => {
  const coordinator = await system.coordinator()
  const hold = join(system.folder, 'hold')
  const start = (port = 0) => system.task(coordinator.url, port, { HOLD: hold }, GATED_TASK)
  let service = await start()
  const port = portOf(service)
  const release = await issue(coordinator.url, service.url)

  await until(
    () => taskAt(service),
    (task) => task.state === 'running' && task.progress > 20,
  )
  await service.kill('SIGKILL')
  expect(existsSync(join(system.releaseFolder, 'public'))).toBe(false)
  service = await start(port)
  await until(() => releaseState(release), is('staged'))
  const staged = await taskAt(service)
  expect(staged).toMatchObject({ state: 'staged', attempt: 2, crashes: 0 })
  expect(filesBelow(join(system.releaseFolder, 'public'))).toEqual([])

  expect((await call('POST', `${release}/publish`)).body).toEqual({ message: 'publishing' })
  for (const [place, attempt] of [['before', 3] as const, ['after', 4] as const]) {
    await until(async () => existsSync(`${hold}.${place}`), Boolean)
    expect(await taskAt(service)).toMatchObject({ state: 'publishing', attempt })
    await service.kill('SIGKILL')
    writeFileSync(`${hold}.${place}.open`, '')
    service = await start(port)
  }
  await until(() => releaseState(release), is('published'))

  const { studies, rows, files } = checkPublished(system.releaseFolder)
  expect({ studies, rows }).toEqual({ studies: 3, rows: 100_000 })
  const id = release.split('/').at(-1) ?? ''
  expect(files.filter((file) => !file.includes(`/public/${id}/`))).toEqual([])
  expect(files).toHaveLength(9 + 2)
  expect(filesBelow(join(system.releaseFolder, 'staging'))).toEqual([])
  const events = (await call('GET', `${service.url}/tasks/${staged.task_id}/events`)).body.results
  expect(events.filter((event: { type: string }) => event.type === 'worker_lost')).toHaveLength(3)
})

test('a coordinator that is away while the task finishes learns of it when it is back, without polling', async () => {
  const silent = { POLL_INTERVAL: '0' }
  let coordinator = await system.coordinator(0, silent)
  const port = portOf(coordinator)
  const service = await system.task(coordinator.url)
  const release = await issue(coordinator.url, service.url)
  await until(
    () => taskAt(service),
    // It has read the release by then, and needs the coordinator for nothing but its report.
    (task) => task.state === 'running' && task.progress > 20,
  )
  await coordinator.kill('SIGTERM')
  await until(
    () => taskAt(service),
    (task) => task.state === 'staged',
  )
  // Long enough for the first reports to have failed.
  await until(
    () => taskAt(service),
    (task) => task.report.failures >= 2,
  )
  expect((await taskAt(service)).waiting_for).toMatchObject({ whom: 'coordinator' })
  coordinator = await system.coordinator(port, silent)
  await until(() => releaseState(release), is('staged'))
})

test('cancel in the middle: the work stops, what was staged is gone, nothing is public', async () => {
  const coordinator = await system.coordinator()
  const service = await system.task(coordinator.url)
  const release = await issue(coordinator.url, service.url)
  await until(
    () => taskAt(service),
    (task) => task.state === 'running' && task.progress > 10,
  )
  const canceled = await call('DELETE', release)
  expect(canceled.body.state).toBe('canceling')
  await until(() => releaseState(release), is('canceled'))
  await until(
    () => taskAt(service),
    (task) => task.cleanup === 'done',
  )
  const staging = join(system.releaseFolder, 'staging')
  expect(existsSync(staging) ? readdirSync(staging) : []).toEqual([])
  expect(existsSync(join(system.releaseFolder, 'public'))).toBe(false)
  expect((await call('POST', `${release}/publish`)).code).toBe(409)
})

test('a coordinator killed with -9 in every phase goes on where it was', async () => {
  let coordinator = await system.coordinator(0, { POLL_INTERVAL: '0' })
  const port = portOf(coordinator)
  const service = await system.task(coordinator.url)
  const release = await issue(coordinator.url, service.url)
  const restart = async () => {
    await coordinator.kill('SIGKILL')
    coordinator = await system.coordinator(port, { POLL_INTERVAL: '0' })
  }
  await restart()
  await until(() => releaseState(release), is('running'))
  await restart()
  await until(() => releaseState(release), is('staged'))
  await restart()
  await call('POST', `${release}/publish`)
  await restart()
  await until(() => releaseState(release), is('published'))
  const task = (await call('GET', release)).body.tasks[0]
  expect(task).toMatchObject({ state: 'published', progress: 100 })
  checkPublished(system.releaseFolder)
})
