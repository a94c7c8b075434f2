import { afterEach, describe, expect, test } from 'vitest'
import {
  answers,
  eventually,
  Fixture,
  latch,
  nextMillisecond,
  type FakeService,
  type FixtureOptions,
  type Handler,
} from './coordinator.fixture.ts'

let fixture: Fixture

afterEach(() => fixture.close())

async function setUp(count: number, options: FixtureOptions = {}) {
  fixture = await Fixture.start(options)
  return fixture.registerMany(count)
}

describe('polling', () => {
  const env = { POLL_INTERVAL: '20ms' }

  test('finds staged and published of a service that never reports', async () => {
    const [service] = await setUp(1, { env })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    service!.states.set(service!.task(), 'staged')
    await fixture.reaches(id, 'staged')
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    service!.states.set(service!.task(), 'published')
    await fixture.reaches(id, 'published')
  })

  test.each(['running', 'publishing'] as const)(
    'a service that has forgotten the task fails it, with the reason, also in %s (RC-16)',
    async (state) => {
      const [service] = await setUp(1)
      const id = await fixture.issue()
      await fixture.tasksReach(id, 'running')
      if (state === 'publishing') {
        await fixture.report(service!.task(), { state: 'staged' })
        await fixture.publish(id)
        await fixture.tasksReach(id, 'publishing')
      }
      service!.states.clear()
      const release = await fixture.hurries(id, (seen) => seen.state === 'failed')
      expect(release.tasks[0]).toMatchObject({
        state: 'failed',
        last_error: expect.stringContaining('answered 404'),
      })
      expect(await fixture.events(id)).toContainEqual(
        expect.stringMatching(/^error: task TA_\w+: the service does not know the task: answered 404/),
      )
      expect(service!.actions()).toContain('cancel')
    },
  )

  test('misses of every kind change nothing, however often (RC-16, F-34)', async () => {
    const [service] = await setUp(1, { env: { REQUEST_TIMEOUT: '500ms' } })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const kinds: Handler[] = [
      answers(500),
      answers(503),
      answers(400),
      answers(429),
      answers(404, 'not found, says the gateway'),
      answers(404, { message: 'There is nothing at /tasks', code: 'PATH_NOT_FOUND' }),
      answers(200, 'no JSON'),
      answers(200, []),
      () => 'cut',
    ]
    service!.script.get_status = [...kinds, ...kinds]
    const asked = () => service!.received.filter((one) => one.action === 'get_status').length
    // The one after the last miss: by then that one has been dealt with.
    await fixture.hurries(id, () => asked() > 2 * kinds.length)
    expect((await fixture.release(id)).tasks[0]).toMatchObject({ state: 'running', last_error: null })
    expect((await fixture.events(id)).filter((event) => !event.startsWith('info'))).toEqual([])
    service!.states.set(service!.task(), 'staged')
    await fixture.hurries(id, (release) => release.state === 'staged')
  })

  test('an answer that was overtaken by a report undoes nothing (F-03)', async () => {
    const [service] = await setUp(1)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const hold = latch()
    service!.script.get_status = [
      async () => {
        await hold.reached
        return { body: { state: 'failed', progress: 3 } }
      },
    ]
    // A poll in the same millisecond as the move before would be dropped for that alone.
    await nextMillisecond()
    await fixture.call('POST', '/tasks/status_checks')
    await service!.asked('get_status')
    await fixture.report(service!.task(), { progress: 40 })
    hold.open()
    // One question at a time: that the next one is asked tells that this answer has been dealt with.
    await eventually(
      () => fixture.call('POST', '/tasks/status_checks'),
      () => service!.received.filter((one) => one.action === 'get_status').length === 2,
    )
    expect((await fixture.release(id)).tasks[0]).toMatchObject({ state: 'running', progress: 40 })
  })

  test('a service that hangs on a question or a health check does not keep the coordinator from ending', async () => {
    const [service] = await setUp(1)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const hold = latch()
    service!.script.get_status = [
      async () => {
        await hold.reached
        return 'cut' as const
      },
    ]
    service!.holdStatus = hold.reached
    const seen = service!.statusRequests.length
    await fixture.call('POST', '/tasks/status_checks')
    await fixture.call('POST', '/task-services/health_checks')
    await service!.asked('get_status')
    await service!.until(() => service!.statusRequests.length > seen)
    await fixture.restart()
    hold.open()
    expect((await fixture.release(id)).state).toBe('running')
  })

  test('asked for by hand it asks once, however often it is asked for meanwhile (F-40)', async () => {
    const [service] = await setUp(1)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const hold = latch()
    service!.script.get_status = [
      async () => {
        await hold.reached
        return { body: { state: 'staged' } }
      },
    ]
    await nextMillisecond()
    const checks = () => fixture.call('POST', '/tasks/status_checks')
    expect((await checks()).body).toEqual({ status: 'ok', message: '1 task to check' })
    await service!.asked('get_status')
    for (let times = 0; times < 5; times++) await checks()
    // What was asked for before this health check would have arrived before it.
    const seen = service!.statusRequests.length
    await fixture.call('POST', '/task-services/health_checks')
    await service!.until(() => service!.statusRequests.length > seen)
    hold.open()
    await fixture.reaches(id, 'staged')
    expect(service!.received.filter((one) => one.action === 'get_status')).toHaveLength(1)
  })
})

describe('deadlines', () => {
  /** From now on a task that says nothing is late at once; before, the test would race against it. */
  async function hurry(service: FakeService): Promise<void> {
    await fixture.restart({ TASK_TIMEOUT: '50ms' })
    await fixture.report(service.task(), { progress: 10 })
  }

  test('a task that is silent for TASK_TIMEOUT cancels its release (RC-17)', async () => {
    const [service] = await setUp(1)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    expect((await fixture.release(id)).waiting_for).toMatchObject({
      whom: 'service',
      gives_up_at: expect.any(String),
    })
    await hurry(service!)
    const release = await fixture.hurries(id, ({ state }) => state === 'canceled')
    expect(release.reason).toContain('not been heard of')
    expect(service!.actions()).toContain('cancel')
  })

  test('while publishing it only calls for a person (RC-17)', async () => {
    const [service] = await setUp(1)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    await fixture.report(service!.task(), { state: 'staged' })
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    await hurry(service!)
    const release = await fixture.hurries(id, (seen) => seen.waiting_for?.whom === 'person')
    expect(release.state).toBe('publishing')
    await fixture.report(service!.task(), { state: 'published' })
    expect((await fixture.release(id)).state).toBe('published')
  })
})
