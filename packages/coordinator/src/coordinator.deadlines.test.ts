import { openDatabase } from '@release-task/database'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fixture, latch, type FakeService } from './coordinator.fixture.ts'

// Services with deadlines of their own, from the registration to the last event (RC-38). Where a setting is met it
// would take longer than any test.

let fixture: Fixture
let service: FakeService & { readonly id: string }

beforeEach(async () => {
  fixture = await Fixture.start({ env: { ACTION_DEADLINE: '1h', PUBLISH_DEADLINE: '1h' } })
  service = await fixture.register()
})
afterEach(() => fixture.close())

const setDeadlines = (deadlines: object) =>
  fixture.call('PATCH', `/task-services/${service.id}`, { deadlines })

const about = (deadline: string) =>
  `task ${service.task()} of task service ${service.id}: deadline ${deadline}`

test('an action that is not taken in time cancels the release, and its late answer changes nothing', async () => {
  await setDeadlines({ accept: '50ms' })
  const other = await fixture.register()
  const hold = latch()
  service.script.initialize = [async (self, request) => (await hold.reached, self.act(request))]
  const id = await fixture.issue()
  await service.asked('initialize')
  const { reason } = await fixture.hurries(id, ({ state }) => state === 'canceling')
  expect(reason).toBe(`${about('accept')} of 50ms has ended: initialize was not taken`)
  expect(await fixture.events(id)).toContain(`error: ${reason}`)
  // The request that hangs ends first; then the service hears of it (RC-5).
  hold.open()
  await fixture.reaches(id, 'canceled')
  expect(service.done).toEqual(['initialize', 'cancel'])
  expect(other.actions()).toEqual(['initialize', 'cancel'])
})

test.each([
  ['silence', 'it has not been heard of for that long while running'],
  ['total', 'it is still running'],
])('a task that works for longer than its %s cancels the release', async (name, why) => {
  await setDeadlines({ [name]: '50ms' })
  const id = await fixture.issue()
  await service.asked('start')
  const { reason } = await fixture.hurries(id, ({ state }) => state === 'canceled')
  expect(reason).toBe(`${about(name)} of 50ms has ended: ${why}`)
  expect(await fixture.events(id)).toContain(`error: ${reason}`)
  await service.asked('cancel')
})

/** As if a deadline had ended while nobody looked: a short one would end before publishing as well. */
async function letDeadlinesEnd(): Promise<void> {
  const url = `sqlite:${join(fixture.folder, 'state.db')}`
  const migrations = new URL('../migrations/', import.meta.url)
  const database = await openDatabase({
    url,
    side: 'coordinator',
    name: 'coordinator',
    migrations,
    sync: 'normal',
  })
  const statements = [
    'UPDATE tasks SET accept_ms = 1, total_ms = 1 WHERE accept_ms IS NOT NULL',
    'UPDATE releases SET due_at = 1 WHERE due_at IS NOT NULL',
  ]
  const written = statements.map((sql) => ({ query: { sql, names: [] }, values: {}, expect: 1 }))
  expect(await database.commit(written)).toBe('committed')
  await database.close()
}

test('while publishing a person is called and the release goes on, however late', async () => {
  await setDeadlines({ accept: '1h', total: '1h' })
  const id = await fixture.issue()
  await fixture.tasksReach(id, 'running')
  const task = service.task()
  await fixture.report(task, { state: 'staged' })
  const hold = latch()
  service.script.publish = [async (self, request) => (await hold.reached, self.act(request))]
  await fixture.publish(id)
  await service.asked('publish')
  await letDeadlinesEnd()
  const waits = await fixture.hurries(id, ({ tasks }) => tasks[0].waiting_for.whom === 'person')
  expect(waits).toMatchObject({ state: 'publishing', reason: null, waiting_for: { whom: 'person' } })
  expect(waits.tasks[0]).toMatchObject({
    state: 'staged',
    last_error: 'deadline accept of 1ms has ended: publish was not taken',
    deadlines: { accept: { left_ms: 0 }, silence: null, total: null },
  })
  hold.open()
  await fixture.tasksReach(id, 'publishing')
  await fixture.hurries(id, ({ tasks }) => tasks[0].last_error?.includes('deadline total'))
  // A word of the service does not make its phase shorter, nor the call louder.
  await fixture.report(task, { progress: 50 })
  await fixture.hurries(id, ({ tasks }) => tasks[0].waiting_for.whom === 'person')
  await fixture.report(task, { state: 'published' })
  expect((await fixture.reaches(id, 'published')).tasks[0].last_error).toBeNull()
  const calls = (await fixture.events(id)).filter((event) => event.includes('needs attention'))
  const call = (what: string) =>
    `warning: task ${task} of task service ${service.id} needs attention: deadline ${what}`
  expect(calls).toEqual([
    call('accept of 1ms has ended: publish was not taken'),
    call('total of 1ms has ended: it is still publishing'),
  ])
})
