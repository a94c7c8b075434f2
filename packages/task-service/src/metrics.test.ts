import { expect } from 'vitest'
import { eventually, latch } from './service.fixture.ts'
import { test, type World } from './world.fixture.ts'

async function figures(world: World): Promise<Map<string, number>> {
  const { body } = await world.fixture.service.app.inject('/metrics')
  const lines = body.split('\n').filter((line) => line.startsWith('release_task_'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

test('retries and the duration of each phase by its outcome', async ({ world }) => {
  let failures = 0
  const stage = () => {
    if (failures++ === 0) throw new Error('not yet')
  }
  await world.started({ task: { stage }, retry: { firstMs: 1, maxMs: 1 } })
  await eventually(world.stateIs('staged'))
  await world.fixture.act('publish')
  await eventually(world.stateIs('published'))
  const seen = await figures(world)
  expect(seen.get('release_task_retries_total{work="stage"}')).toBe(1)
  const count = (work: string, outcome: string) =>
    seen.get(`release_task_work_seconds_count{work="${work}",outcome="${outcome}"}`)
  expect([count('stage', 'failed'), count('stage', 'succeeded')]).toEqual([1, 1])
  expect([count('publish', 'failed'), count('publish', 'succeeded')]).toEqual([undefined, 1])
  expect(seen.get('release_task_work_seconds_bucket{le="0.1",work="publish",outcome="succeeded"}')).toBe(1)
})

test('work that another worker has taken over', async ({ world }) => {
  const begun = latch()
  const stage = (task: { signal: AbortSignal }) => {
    begun.open()
    return new Promise<void>((_, reject) =>
      task.signal.addEventListener('abort', () => reject(new Error('stopped'))),
    )
  }
  await world.begin({ stage }, { LEASE: '300ms' })
  await world.fixture.act('initialize')
  await world.fixture.act('start')
  await begun.reached
  world.rawUpdate(`attempt = attempt + 1, lease_owner = 'other', lease_expires_at = 99999999999999`)
  await eventually(async () => (await figures(world)).get('release_task_lease_losses_total') === 1)
})

test('how late the oldest work is that nobody does', async ({ world }) => {
  await world.open()
  await world.fixture.act('initialize')
  expect((await figures(world)).get('release_task_oldest_due_seconds')).toBe(0)
  await world.fixture.service.stop()
  world.rawUpdate(`state = 'running', work = 'stage', due_at = 1`)
  expect((await figures(world)).get('release_task_oldest_due_seconds')).toBeGreaterThan(1e9)
})

test('with the database away the rest is still shown, and that it is away', async ({ world }) => {
  await world.open()
  expect((await figures(world)).get('release_task_database_up')).toBe(1)
  await world.fixture.service.stop()
  await world.fixture.database.close()
  const seen = await figures(world)
  expect(seen.get('release_task_database_up')).toBe(0)
  expect(seen.get('release_task_queue_up')).toBe(1)
  expect(seen.get('release_task_reports_waiting')).toBeNaN()
  expect([...seen.keys()].some((name) => name.startsWith('release_task_tasks{'))).toBe(false)
})
