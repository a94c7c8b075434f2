import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, filesBelow, issue, releaseState, System, until, type Side } from './processes.fixture.ts'

const REPORT_TASK = fileURLToPath(new URL('../apps/report-task/src/task.ts', import.meta.url))

let system: System

beforeEach(() => {
  system = new System()
})
afterEach(() => system.end())

const taskAt = async (service: Side) => (await call('GET', `${service.url}/tasks`)).body.results[0]
const publicOf = (task: string) => join(system.folder, task, 'release', 'public')

/** A coordinator with both tasks, each a process of its own. */
async function start(reportEnv: Record<string, string> = {}) {
  const coordinator = await system.coordinator()
  const reference = await system.task(coordinator.url)
  const report = await system.task(coordinator.url, 0, reportEnv, REPORT_TASK)
  const release = await issue(coordinator.url, reference.url, report.url)
  return { reference, report, release }
}

test('nothing of either task is public before a person publishes; then both are, under one release', async () => {
  const { release } = await start()
  await until(
    () => releaseState(release),
    (state) => state === 'staged',
  )
  expect([publicOf('reference-task'), publicOf('report-task')].flatMap(filesBelow)).toEqual([])
  await call('POST', `${release}/publish`)
  await until(
    () => releaseState(release),
    (state) => state === 'published',
  )
  const id = release.split('/').at(-1) ?? ''
  expect(existsSync(join(publicOf('reference-task'), id, 'manifest.json'))).toBe(true)
  expect(existsSync(join(publicOf('report-task'), id, 'report.json'))).toBe(true)
  expect(existsSync(join(publicOf('report-task'), 'latest', 'index.html'))).toBe(true)
})

test('the fault of one keeps the other private, and what the other had staged is thrown away', async () => {
  const empty = join(system.folder, 'empty-source')
  mkdirSync(empty)
  const { reference, report, release } = await start({ SOURCE_DIR: empty })
  const ended = await until(
    () => call('GET', release),
    ({ body }) => body.state === 'failed',
  )
  // The cause, in the task's own words, is on the release.
  expect(ended.body.reason).toContain('the service reports failed: ')
  expect(ended.body.reason).toContain(empty)
  expect((await taskAt(report)).last_error.message).toContain(empty)
  await until(
    () => taskAt(reference),
    (task) => task.state === 'canceled' && task.cleanup !== 'pending',
  )
  for (const task of ['reference-task', 'report-task']) {
    expect(existsSync(publicOf(task))).toBe(false)
    expect(filesBelow(join(system.folder, task, 'release', 'staging'))).toEqual([])
  }
})
