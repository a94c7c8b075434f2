import { describe, expect } from 'vitest'
import type { FakeCoordinator } from './coordinator.fixture.ts'
import type { TaskDefinition } from './define.ts'
import { eventually, latch, TASK, type Fixture } from './service.fixture.ts'
import { test, type World } from './world.fixture.ts'

/** A service that has been told to start, beside a coordinator as the test wants it. */
async function started(
  world: World,
  task: Partial<TaskDefinition> = {},
  before: (coordinator: FakeCoordinator) => void = () => undefined,
): Promise<Fixture> {
  const fixture = await world.begin(task)
  before(fixture.coordinator)
  await fixture.act('initialize', { studies: [] })
  await fixture.act('start')
  return fixture
}

describe.concurrent('a report', () => {
  test('carries the cookie and header pair, is repeated on trouble, and Retry-After is honored (N-1, N-10)', async ({
    world,
  }) => {
    const { coordinator } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 503 }, { status: 429, headers: { 'retry-after': '0' } }),
    )
    await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
    expect(coordinator.reports).toHaveLength(3)
    for (const { headers } of coordinator.reports) {
      expect(headers['x-csrftoken']).toMatch(/^[a-z]{64}$/)
      expect(headers['cookie']).toBe(`csrftoken=${String(headers['x-csrftoken'])}`)
      expect(headers['referer']).toBeUndefined()
      expect(headers['content-type']).toBe('application/json')
    }
  })

  test('is said again when the coordinator shows an earlier state afterwards, as often as that happens (N-2)', async ({
    world,
  }) => {
    const { coordinator } = await started(world)
    for (const count of [1, 2, 3]) {
      await coordinator.until(() => coordinator.states().length === count)
      coordinator.shown.set(TASK, 'running')
    }
    await coordinator.until(() => coordinator.states().length === 4)
    expect(new Set(coordinator.states())).toEqual(new Set(['staged']))
    await eventually(async () => (await world.fixture.task()).report.delivered)
  })

  test('answered 500 is followed by reading, and what has arrived is not sent again (N-1)', async ({
    world,
  }) => {
    const { coordinator } = await started(world, {}, (coordinator) => {
      coordinator.answers.push({ status: 500 })
      coordinator.shown.set(TASK, 'staged')
    })
    await coordinator.until(() => coordinator.reads.length >= 2)
    expect(coordinator.states()).toEqual(['staged'])
  })

  test('answered 500 that did not arrive is sent again', async ({ world }) => {
    const { coordinator } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 500 }),
    )
    await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
    expect(coordinator.states()).toEqual(['staged', 'staged'])
  })

  test('answered 409 is believed only where the coordinator shows the task ended; then it is a cancel (N-9)', async ({
    world,
  }) => {
    const discarded = latch()
    const { coordinator, act } = await started(world, { discard: () => discarded.open() }, (coordinator) => {
      coordinator.answers.push({ status: 409 })
      coordinator.shown.set(TASK, 'canceled')
    })
    await discarded.reached
    expect((await act('get_status')).body.state).toBe('canceled')
    expect(coordinator.states()).toEqual(['staged'])
    expect(await world.outboxRow()).toBeNull()
  })

  test('answered 409 while an earlier state is shown is sent again', async ({ world }) => {
    const { coordinator } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 409 }),
    )
    await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
  })

  test('answered 403 is kept, tried every minute, and alarms once (N-8)', async ({ world }) => {
    const { coordinator, task, eventTypes } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 403, body: { detail: 'no token' } }),
    )
    await eventually(async () => ((await world.outboxRow())?.failures ?? 0) >= 1)
    const row = (await world.outboxRow())!
    expect(row).toMatchObject({ phase: 'send', state: 'staged' })
    expect(row.dueAt - Date.now()).toBeGreaterThan(50_000)
    expect(await task()).toMatchObject({
      state: 'staged',
      report: { delivered: false },
      waiting_for: { whom: 'coordinator', last_error: expect.stringContaining('403') },
    })
    expect((await eventTypes()).filter((type) => type === 'report_refused')).toHaveLength(1)
    expect(coordinator.reports).toHaveLength(1)
  })

  test('answered 400 is not repeated; the answer is an event, and the task says what it waits for (N-11)', async ({
    world,
  }) => {
    const { coordinator, task, events } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 400, body: { state: ['no such word'] } }),
    )
    await eventually(async () => (await world.outboxRow())?.phase === 'refused')
    const [refused] = (await events()).filter((event) => event.type === 'report_refused')
    expect(refused).toMatchObject({ level: 'error', data: { status: 400 } })
    expect(refused.message).toContain('no such word')
    expect(await task()).toMatchObject({
      report: { delivered: false, state: 'staged' },
      waiting_for: { whom: 'coordinator', last_error: expect.stringContaining('400') },
    })
    expect(coordinator.reports).toHaveLength(1)
  })

  test('answered with the coordinator’s own 404 stops; the task is not forgotten so soon (N-5)', async ({
    world,
  }) => {
    const { coordinator, eventTypes } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 404, body: { detail: 'Not found.' } }),
    )
    await eventually(async () => (await world.outboxRow())?.phase === 'missing')
    expect((await world.fixture.task()).state).toBe('staged')
    expect(await eventTypes()).toContain('missing')
    expect(coordinator.reports).toHaveLength(1)
  })

  test('answered with any other 404 is repeated (N-12)', async ({ world }) => {
    const { coordinator } = await started(world, {}, (coordinator) =>
      coordinator.answers.push({ status: 404, body: '<html>' }),
    )
    await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
  })

  test('that waits is replaced by a newer one, also while it is in flight (N-6)', async ({ world }) => {
    const sent = latch()
    const { coordinator, act } = await started(world, {}, (coordinator) => (coordinator.hold = sent.reached))
    await coordinator.until(() => coordinator.states().length === 1)
    await act('publish')
    await eventually(world.stateIs('published'))
    // One at a time for a task: the second waits for the end of the first.
    expect(coordinator.states()).toEqual(['staged'])
    sent.open()
    await coordinator.until(() => coordinator.states().length === 2)
    expect(coordinator.states()).toEqual(['staged', 'published'])
  })

  test('of progress is merged, and none follows the state', async ({ world }) => {
    const told = latch()
    const { coordinator } = await started(world, {
      stage: async (task) => {
        for (let percent = 1; percent <= 50; percent++) task.progress(percent, `row ${percent}`)
        await coordinator.until(() => coordinator.reports.length > 0)
        task.progress(60)
        told.open()
      },
    })
    await told.reached
    await coordinator.until(() => coordinator.states().includes('staged'))
    expect(coordinator.reports[0]?.body).toEqual({ progress: 50, message: 'row 50', attempt: 1 })
    expect(coordinator.reports.at(-1)?.body).toMatchObject({ state: 'staged', progress: 100 })
  })

  test('survives a restart (N-3)', async ({ world }) => {
    const { coordinator } = await started(world, {}, (coordinator) =>
      coordinator.answers.push(...Array(50).fill({ status: 503 })),
    )
    await coordinator.until(() => coordinator.states().length === 1)
    coordinator.answers.length = 0
    await world.restart()
    await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
  })
})

test('a coordinator that is down while the task finishes learns of it when it comes back, without help', async ({
  world,
}) => {
  const finish = latch()
  const { coordinator, task } = await started(world, { stage: () => finish.reached })
  await coordinator.close()
  finish.open()
  await eventually(async () => ((await world.outboxRow())?.failures ?? 0) >= 1)
  expect((await task()).waiting_for).toMatchObject({
    whom: 'coordinator',
    last_error: expect.stringContaining('refused'),
  })
  const metrics = (await world.fixture.service.app.inject('/metrics')).body
  expect(metrics).toContain('release_task_reports_waiting 1')
  expect(Number(/^release_task_oldest_report_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0)
  await coordinator.start()
  await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
})

describe.concurrent('a task that the coordinator forgot (WK-20)', () => {
  const FORGOTTEN = { FORGOTTEN_AFTER: '2s' }

  async function staged(world: World): Promise<Fixture> {
    const fixture = await world.begin({}, FORGOTTEN)
    await fixture.act('initialize', { studies: [] })
    await fixture.act('start')
    await fixture.coordinator.until(() => fixture.coordinator.states().includes('staged'))
    return fixture
  }

  test('is canceled after a while, with a warning first', async ({ world }) => {
    const { coordinator, eventTypes } = await staged(world)
    coordinator.shown.delete(TASK)
    await eventually(world.stateIs('canceled'))
    const types = await eventTypes()
    expect(types.indexOf('missing')).toBeGreaterThan(types.indexOf('staged'))
    expect(types.indexOf('canceled')).toBeGreaterThan(types.indexOf('missing'))
    await eventually(async () => (await world.fixture.task()).cleanup === 'done')
    expect(coordinator.states()).toEqual(['staged'])
  })

  test('is kept where the address answers something else, however long', async ({ world }) => {
    const { coordinator, eventTypes } = await staged(world)
    coordinator.readAnswer = { status: 404, body: '<html>not found</html>' }
    const reads = coordinator.reads.length
    await coordinator.until(() => coordinator.reads.length >= reads + 4)
    expect((await world.fixture.task()).state).toBe('staged')
    expect(await eventTypes()).not.toContain('missing')
  })

  test('that the coordinator shows as failed is canceled at once', async ({ world }) => {
    const { coordinator } = await staged(world)
    coordinator.shown.set(TASK, 'failed')
    await eventually(world.stateIs('canceled'))
  })
})
