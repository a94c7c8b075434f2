import { openDatabase, type Database } from '@release-task/database'
import { createLogger } from '@release-task/http'
import { newId, type ReleaseId, type TaskId, type TaskServiceId } from '@release-task/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Command } from './decision.ts'
import { createExecute, type Execute } from './execute.ts'
import { ReleaseStore } from './store.ts'
import { TaskServiceStore } from './task-service-store.ts'

const ID: ReleaseId = 'RE_00000001'
let tasks: { id: TaskId; serviceId: TaskServiceId; down: boolean }[]
const policy = {
  actionDeadlineMs: 30_000,
  publishDeadlineMs: 600_000,
  taskTimeoutMs: 160e6,
  releaseTimeoutMs: 360e6,
}

let database: Database
let store: ReleaseStore
let execute: Execute
let commits: number

beforeEach(async () => {
  const migrations = new URL('../migrations/', import.meta.url)
  database = await openDatabase({
    url: 'sqlite::memory:',
    side: 'coordinator',
    name: 'coordinator',
    migrations,
  })
  store = new ReleaseStore(database, { random: Math.random, pollIntervalMs: 0 })
  commits = 0
  // The real store; only how often it is asked to commit is counted.
  const counting = Object.create(store, {
    commit: {
      value: (...change: Parameters<ReleaseStore['commit']>) => (commits++, store.commit(...change)),
    },
    load: { value: (id: string) => store.load(id) },
  }) as ReleaseStore
  execute = createExecute({
    log: createLogger('execute', 'silent'),
    store: counting,
    policy,
    actionsChanged: () => undefined,
    releasesChanged: () => undefined,
    eventsChanged: () => undefined,
  })
  const services = new TaskServiceStore(database, Math.random)
  tasks = []
  for (let number = 0; number < 20; number++) {
    const service = await services.insert({
      name: `service ${number}`,
      description: 'x',
      author: 'x',
      url: `http://127.0.0.1/${number}`,
      enabled: true,
    })
    tasks.push({ id: newId('TA', Math.random), serviceId: service!.id, down: false })
  }
  const fields = { name: 'x', description: '', studies: [], tags: [], author: 'a', isMajor: false }
  await execute(ID, { type: 'create', id: ID, fields, overlapping: [] })
  await execute(ID, { type: 'begin', tasks: tasks })
})
afterEach(() => database.close())

const accepted = (taskId: TaskId): Command => ({
  type: 'answer',
  taskId,
  action: 'initialize',
  outcome: { kind: 'accepted', state: null },
})

test('commands that come together are decided one after the other and stored in a few commits', async () => {
  const before = commits
  const executed = await Promise.all(tasks.map(({ id }) => execute(ID, accepted(id))))
  expect(commits - before).toBeLessThanOrEqual(3)
  expect(executed.at(-1)?.record?.state).toBe('running')
  const stored = await store.get(ID)
  expect(stored?.state).toBe('running')
  expect(new Set(stored?.tasks.map((task) => task.state))).toEqual(new Set(['initialized']))
})

test('each gets its own decision, a refused one and one that cannot be made included', async () => {
  const broken = async (): Promise<Command> => {
    throw new Error('no command')
  }
  const results = await Promise.allSettled([
    execute(ID, { type: 'publish' }),
    execute(ID, accepted(tasks[0]!.id)),
    execute('RE_00000009', { type: 'publish' }),
  ])
  expect(results.map((result) => result.status === 'fulfilled' && result.value.decision.kind)).toEqual([
    'refused',
    'next',
    'refused',
  ])
  await expect(execute(ID, broken)).rejects.toThrow('no command')
  expect((await execute(ID, { type: 'cancel' })).record?.state).toBe('canceling')
})

test('what another process stored in between is decided on anew', async () => {
  const elsewhere = createExecute({
    log: createLogger('execute', 'silent'),
    store,
    policy,
    actionsChanged: () => undefined,
    releasesChanged: () => undefined,
    eventsChanged: () => undefined,
  })
  await Promise.all(tasks.map(({ id }, index) => (index % 2 ? execute : elsewhere)(ID, accepted(id))))
  expect((await store.get(ID))?.state).toBe('running')
})
