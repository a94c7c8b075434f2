import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { PermanentError, type TaskContext } from './define.ts'
import { anAction } from './record.fixture.ts'
import { eventually, latch, stopped, TASK } from './service.fixture.ts'
import { test } from './world.fixture.ts'

const types = (events: any[]) => events.map((event) => event.type)

describe.concurrent('a release that goes well', () => {
  test('initialize, start, staged, publish, published; the summary travels; staged reaches publish', async ({
    world,
  }) => {
    const seen: unknown[] = []
    const { act, coordinator } = await world.begin({
      stage: (task) => {
        seen.push(task.studies)
        return { summary: { rows: 3 }, staged: { folder: 'a' } }
      },
      publish: (task) => void seen.push(task.staged),
    })
    expect((await act('initialize', { studies: ['SD_00000001'] })).body).toMatchObject({
      name: 'fixture',
      kf_id: TASK,
      task_id: TASK,
      state: 'pending',
      progress: 0,
    })
    expect((await act('start')).body.state).toBe('running')
    await coordinator.until(() => coordinator.states().includes('staged'))
    expect((await act('get_status')).body).toMatchObject({ state: 'staged', progress: 100 })
    expect((await act('publish')).body.state).toBe('publishing')
    await coordinator.until(() => coordinator.states().includes('published'))
    expect(seen).toEqual([['SD_00000001'], { folder: 'a' }])
    expect(coordinator.reports[0]?.body).toEqual({
      state: 'staged',
      progress: 100,
      summary: { rows: 3 },
      attempt: 1,
    })
    expect(types(await world.fixture.events())).toEqual([
      'initialized',
      'running',
      'stage_started',
      'staged',
      'publishing',
      'publish_started',
      'published',
    ])
  })

  test('studies that the request does not carry are read from the release', async ({ world }) => {
    const studies = latch<readonly string[]>()
    const { act } = await world.begin({ stage: (task) => studies.open(task.studies) })
    await act('initialize')
    await act('start')
    expect(await studies.reached).toEqual(['SD_FROMRELS'])
  })

  test('start sent three times runs the work once', async ({ world }) => {
    const { act, coordinator } = await world.begin()
    await act('initialize', { studies: [] })
    const answers = await Promise.all([act('start'), act('start'), act('start')])
    expect(answers.map(({ code, body }) => [code, body.state])).toEqual(Array(3).fill([200, 'running']))
    await coordinator.until(() => coordinator.states().includes('staged'))
    expect((await act('start')).body.state).toBe('running')
    expect(types(await world.fixture.events()).filter((type) => type === 'stage_started')).toHaveLength(1)
  })
})

describe.concurrent('cancel', () => {
  test('stops running work, then discards, and each is a fact of its own', async ({ world }) => {
    const started = latch()
    const stopped = latch<unknown>()
    const discarded = latch<string>()
    const { act, get } = await world.begin({
      stage: async (task) => {
        started.open()
        await sleep(60_000, undefined, { signal: task.signal }).catch(() => stopped.open(task.signal.reason))
        return { summary: { late: true } }
      },
      discard: (task) => discarded.open(task.from),
    })
    await act('initialize', { studies: [] })
    await act('start')
    await started.reached
    expect((await act('cancel')).body.state).toBe('canceled')
    expect(await stopped.reached).toBe('canceled')
    expect(await discarded.reached).toBe('running')
    await eventually(async () => (await get(`/tasks/${TASK}`)).body.cleanup === 'done')
    const { body } = await get(`/tasks/${TASK}`)
    expect(body).toMatchObject({ state: 'canceled', summary: null, waiting_for: null })
    expect(body.cancel_acknowledged_at >= body.cancel_requested_at).toBe(true)
    expect(body.cleanup_ended_at >= body.cancel_acknowledged_at).toBe(true)
    expect(world.fixture.coordinator.states()).toEqual([])
  })

  test('before initialize leaves a tombstone: the initialize that follows is refused', async ({ world }) => {
    const { act, get } = await world.begin()
    expect((await act('cancel')).code).toBe(404)
    expect((await act('cancel')).body.state).toBe('canceled')
    expect((await act('initialize')).code).toBe(400)
    expect((await get('/tasks')).body.count).toBe(0)
  })
})

describe.concurrent('failing forward', () => {
  test('stage is tried again with its error on the record, and durable steps are not repeated', async ({
    world,
  }) => {
    let tries = 0
    let steps = 0
    const { act, post, get, coordinator } = await world.begin({
      stage: async (task) => {
        const value = await task.step('count', () => ++steps)
        if (++tries === 1) throw new Error('not yet', { cause: new Error('the disk') })
        return { summary: { value } }
      },
    })
    await act('initialize', { studies: [] })
    await act('start')
    await eventually(async () => (await get(`/tasks/${TASK}`)).body.failures === 1)
    const { body } = await get(`/tasks/${TASK}`)
    expect(body.last_error.message).toBe('not yet (the disk)')
    expect(body.waiting_for).toMatchObject({ whom: 'code', attempt: 1, last_error: 'not yet (the disk)' })
    await post(`/tasks/${TASK}/retry`)
    await coordinator.until(() => coordinator.states().includes('staged'))
    expect([tries, steps]).toEqual([2, 1])
    const bodies = coordinator.reports.map((report) => report.body)
    expect(bodies).toContainEqual({ attempt: 1, error: 'not yet (the disk)' })
    expect(bodies.at(-1)).toMatchObject({ state: 'staged', attempt: 2 })
  })

  test('a PermanentError fails at once, is reported, and discard is told the state', async ({ world }) => {
    const discarded = latch<string>()
    const { act, coordinator } = await world.begin({
      stage: () => {
        throw new PermanentError('no such study')
      },
      discard: (task) => discarded.open(task.from),
    })
    await act('initialize', { studies: [] })
    await act('start')
    await coordinator.until(() => coordinator.states().includes('failed'))
    expect(await discarded.reached).toBe('running')
    expect((await act('get_status')).body.state).toBe('failed')
  })

  test('publish never gives up by itself: a person does', async ({ world }) => {
    const { act, get, post, coordinator } = await world.begin({
      publish: () => {
        throw new PermanentError('the disk is read-only')
      },
    })
    await act('initialize', { studies: [] })
    await act('start')
    await eventually(world.stateIs('staged'))
    await act('publish')
    await eventually(async () => (await get(`/tasks/${TASK}`)).body.needs_attention)
    expect((await get(`/tasks/${TASK}`)).body.waiting_for).toMatchObject({
      whom: 'person',
      gives_up_at: null,
    })
    await post(`/tasks/${TASK}/give-up`)
    await coordinator.until(() => coordinator.states().includes('failed'))
    expect((await post(`/tasks/${TASK}/give-up`)).code).toBe(400)
  })

  test('a graceful restart costs no attempt, is taken up at once, and a new version is a warning', async ({
    world,
  }) => {
    const started = latch()
    const first = await world.begin({
      stage: async (task) => {
        started.open()
        await sleep(60_000, undefined, { signal: task.signal })
      },
    })
    await first.act('initialize', { studies: [] })
    await first.act('start')
    await started.reached
    await world.restart({ stage: () => undefined, version: '2.0.0' })
    await world.fixture.coordinator.until(() => world.fixture.coordinator.states().includes('staged'))
    const events = await world.fixture.events()
    expect(types(events)).toEqual([
      'initialized',
      'running',
      'stage_started',
      'work_released',
      'version_changed',
      'stage_started',
      'staged',
    ])
    const { body } = await world.fixture.get(`/tasks/${TASK}`)
    expect(body).toMatchObject({
      crashes: 0,
      failures: 0,
      initialized_version: '1.0.0',
      ran_version: '2.0.0',
    })
  })
})

const FAST_RETRY = { firstMs: 20, maxMs: 60 }

describe.concurrent('retries', () => {
  test('stage gives up when STAGE_RETRY_FOR has passed without progress; the reason outlives the cleanup (WK-8)', async ({
    world,
  }) => {
    const { coordinator, task } = await world.started({
      task: {
        stage: () => {
          throw new TypeError('fetch failed')
        },
      },
      env: { STAGE_RETRY_FOR: '300ms' },
      retry: FAST_RETRY,
    })
    await coordinator.until(() => coordinator.states().includes('failed'))
    await eventually(async () => (await task()).cleanup === 'done')
    const shown = await task()
    expect(shown).toMatchObject({ state: 'failed', failures: 0, last_error: { message: 'fetch failed' } })
    expect(shown.last_error.stack).toContain('service.test.ts')
    expect(coordinator.states()).toEqual(['failed'])
  })

  test('a finished step gives stage its patience back', async ({ world }) => {
    const done = latch()
    let tries = 0
    const { coordinator } = await world.started({
      task: {
        stage: async (task) => {
          // Each try gets one step further; together they take longer than the patience.
          await task.step(`step ${++tries}`, async () => sleep(500).then(() => null))
          if (tries < 5) throw new Error('one step further')
          done.open()
        },
      },
      env: { STAGE_RETRY_FOR: '2s' },
      retry: FAST_RETRY,
    })
    await done.reached
    await coordinator.until(() => coordinator.states().includes('staged'))
  })

  test('publish is tried without end and needs attention from the fifth failure on, until it succeeds (WK-11)', async ({
    world,
  }) => {
    let broken = true
    const { coordinator, act, task, eventTypes, get } = await world.started({
      task: {
        publish: () => {
          if (broken) throw new Error('read-only')
        },
      },
      retry: FAST_RETRY,
    })
    await eventually(world.stateIs('staged'))
    await act('publish')
    await eventually(async () => (await task()).failures >= 8)
    const order = (await eventTypes()).filter(
      (type) => type === 'publish_failed' || type === 'needs_attention',
    )
    expect(order.slice(0, 6)).toEqual([...Array(5).fill('publish_failed'), 'needs_attention'])
    expect(order.filter((type) => type === 'needs_attention')).toHaveLength(1)
    expect((await get('/tasks')).body.results[0]).toMatchObject({
      needs_attention: true,
      state: 'publishing',
    })
    broken = false
    await coordinator.until(() => coordinator.states().includes('published'))
    await eventually(async () => (await task()).waiting_for === null)
    expect(await task()).toMatchObject({ needs_attention: false, last_error: null })
  })

  test('discard is tried until it succeeds; the outcome is on the record, and the answer waited for none of it (WK-16, WK-17)', async ({
    world,
  }) => {
    let tries = 0
    const { act, task, eventTypes } = await world.started({
      task: {
        discard: () => {
          if (++tries < 4) throw new PermanentError('still mounted')
        },
      },
      retry: FAST_RETRY,
    })
    await eventually(world.stateIs('staged'))
    expect((await act('cancel')).body.state).toBe('canceled')
    await eventually(async () => (await task()).cleanup === 'done')
    expect(await task()).toMatchObject({
      state: 'canceled',
      ended_from: 'staged',
      cleanup_ended_at: expect.any(String),
    })
    expect((await eventTypes()).filter((type) => type.startsWith('discard'))).toEqual([
      ...Array(3).fill(['discard_started', 'discard_failed']).flat(),
      'discard_started',
      'discarded',
    ])
  })

  test('a person gives a cleanup up that cannot succeed', async ({ world }) => {
    const { act, task, post } = await world.started({
      task: {
        discard: () => {
          throw new PermanentError('never')
        },
      },
    })
    await eventually(world.stateIs('staged'))
    await act('cancel')
    await eventually(async () => (await task()).needs_attention)
    expect((await post(`/tasks/${TASK}/give-up`)).body).toMatchObject({
      state: 'canceled',
      cleanup: 'given_up',
    })
    expect((await post(`/tasks/${TASK}/give-up`)).code).toBe(400)
    expect((await post(`/tasks/${TASK}/retry`)).code).toBe(400)
  })

  test('an attempt that heeds its deadline fails by it, and is tried again', async ({ world }) => {
    const reasons: unknown[] = []
    const { coordinator, events } = await world.started({
      task: {
        stage: async ({ signal, attempt }) => {
          if (attempt > 1) return
          reasons.push(await stopped(signal))
          signal.throwIfAborted()
        },
      },
      env: { ATTEMPT_DEADLINE: '200ms' },
      retry: FAST_RETRY,
    })
    await coordinator.until(() => coordinator.states().includes('staged'))
    expect(reasons).toEqual(['attempt deadline'])
    const failure = (await events()).find((event) => event.type === 'stage_failed')
    expect(failure.message).toContain('longer than ATTEMPT_DEADLINE')
  })

  test('one that does not heed it is left behind; what it says late is refused', async ({ world }) => {
    const hung = latch()
    const late = latch<unknown>()
    const { coordinator, task } = await world.started({
      task: {
        stage: async ({ attempt, assertCurrent }) => {
          if (attempt > 1) return { staged: 'second' }
          await hung.reached
          await assertCurrent().catch((error: unknown) => late.open((error as { code: string }).code))
          return { staged: 'first' }
        },
      },
      env: { ATTEMPT_DEADLINE: '200ms', LEASE: '300ms' },
      retry: FAST_RETRY,
    })
    await coordinator.until(() => coordinator.states().includes('staged'))
    hung.open()
    expect(await late.reached).toBe('LEASE_LOST')
    expect(await task()).toMatchObject({ state: 'staged', attempt: 2 })
    expect((await world.fixture.service.store.load(TASK)).record?.staged).toBe('second')
  })
})

describe.concurrent('fencing', () => {
  test('the late report of a paused worker is refused and kept as an event; nothing is reported (WK-2)', async ({
    world,
  }) => {
    const began = latch()
    const finish = latch()
    const refused = latch<unknown[]>()
    const { events, coordinator } = await world.started({
      task: {
        stage: async (task) => {
          began.open()
          await finish.reached
          const codes: unknown[] = []
          const note = (error: unknown) => codes.push((error as { code: string }).code)
          await task.step('late', () => 1).catch(note)
          await task.assertCurrent().catch(note)
          refused.open(codes)
          return { staged: 'late' }
        },
      },
      // No renewal comes before it has finished: it does not know that it was taken for dead.
      env: { LEASE: '10m' },
    })
    await began.reached
    const expiry = Date.now() + 600_000
    world.rawUpdate(`attempt = 2, lease_owner = 'elsewhere', lease_expires_at = ${expiry}`)
    finish.open()
    expect(await refused.reached).toEqual(['LEASE_LOST', 'LEASE_LOST'])
    await eventually(
      async () => (await events()).filter((event) => event.type === 'late_report').length === 2,
    )
    const late = (await events()).filter((event) => event.type === 'late_report')
    expect(late.map((event) => event.data)).toEqual([
      { attempt: 1, current: 2, said: 'step' },
      { attempt: 1, current: 2, said: 'succeeded' },
    ])
    expect((await world.fixture.service.store.load(TASK)).record).toMatchObject({
      state: 'running',
      attempt: 2,
      staged: null,
      lease: { owner: 'elsewhere' },
    })
    const metrics = await world.fixture.service.app.inject('/metrics')
    expect(metrics.body).toContain('release_task_late_reports_total 2')
    expect(coordinator.states()).toEqual([])
  })

  test('a lease that ran out while its holder lives elsewhere is taken over (WK-3)', async ({ world }) => {
    const began = latch()
    await world.started({
      task: {
        stage: async (task) => {
          began.open()
          await stopped(task.signal)
          task.signal.throwIfAborted()
        },
      },
    })
    await began.reached
    // As another host left it: its process cannot be looked at, so only the end of the lease tells.
    world.rawUpdate(`attempt = 2, lease_owner = 'host|1|2|ab', lease_expires_at = ${Date.now() + 500}`)
    await world.restart({ stage: () => undefined })
    await world.fixture.coordinator.until(() => world.fixture.coordinator.states().includes('staged'))
    expect(await world.fixture.task()).toMatchObject({ attempt: 3 })
    expect(await world.fixture.eventTypes()).toContain('worker_lost')
  })
})

describe.concurrent('answer before work (TS-3, WK-6, N-4)', () => {
  test.for(['start', 'publish'] as const)(
    'no work begins before the answer to %s is written',
    async (action, { world }) => {
      const order: string[] = []
      const written = latch()
      const ran = latch()
      const phase = (name: string) => () => {
        order.push(name)
        if (name === action) ran.open()
      }
      await world.open({ task: { stage: phase('start'), publish: phase('publish') } })
      world.fixture.coordinator.shown.set(TASK, 'running')
      // The answer is held back for as long as a few sweeps take, but less than the second that work waits for it.
      world.fixture.service.app.addHook('onSend', async (request) => {
        if ((request.body as { action?: string } | undefined)?.action !== action) return
        await sleep(200)
        order.push('answer')
        written.open()
      })
      await world.fixture.act('initialize', { studies: [] })
      await world.fixture.act('start')
      if (action === 'publish') {
        await eventually(world.stateIs('staged'))
        await world.fixture.act('publish')
      }
      await ran.reached
      expect(order.slice(-2)).toEqual(['answer', action])
    },
  )

  test('where nobody is there to take the answer, the sweep finds the work', async ({ world }) => {
    const ran = latch()
    await world.open({ task: { stage: () => ran.open() } })
    await world.fixture.act('initialize', { studies: [] })
    // The change is committed, but no response is ever finished.
    await world.fixture.service.execute(TASK, anAction('start'))
    await ran.reached
  })
})

describe.concurrent('studies (SV-7)', () => {
  test('that no request carries are read from the release, once, and reach every phase', async ({
    world,
  }) => {
    const seen: unknown[] = []
    const discarded = latch()
    const { act } = await world.started(
      {
        task: {
          stage: (task) => void seen.push(task.studies),
          publish: (task) => {
            seen.push(task.studies)
            throw new Error('not yet')
          },
          discard: (task) => {
            seen.push(task.studies)
            discarded.open()
          },
        },
      },
      {},
    )
    await eventually(world.stateIs('staged'))
    await act('publish')
    await eventually(() => seen.length >= 2)
    await act('cancel')
    await discarded.reached
    expect(seen).toEqual(Array(3).fill(['SD_FROMRELS']))
    expect((await world.fixture.task()).studies).toEqual(['SD_FROMRELS'])
  })

  test('may come with the start alone', async ({ world }) => {
    const seen = latch<readonly string[]>()
    const { act } = await world.begin({ stage: (task) => seen.open(task.studies) })
    await act('initialize')
    await act('start', { studies: ['SD_00000007'] })
    expect(await seen.reached).toEqual(['SD_00000007'])
  })

  test('told by no request and no release, nothing begins', async ({ world }) => {
    let runs = 0
    const { task } = await world.begin({ stage: () => void runs++ })
    await world.fixture.coordinator.close()
    await world.fixture.act('initialize')
    await world.fixture.act('start')
    await eventually(async () => (await task()).failures === 1)
    expect(runs).toBe(0)
    expect((await task()).last_error.message).toContain('Cannot read from the coordinator')
    await world.fixture.coordinator.start()
    await world.fixture.act('cancel')
  })
})

describe.concurrent('what the code returns', () => {
  test.for([
    [{ summary: 'text' }, 'not a JSON object'],
    [{ summary: [1] }, 'not a JSON object'],
    [{ staged: 1n }, 'not JSON'],
    [{ staged: 'x'.repeat(300_000) }, 'too many'],
    [() => undefined, 'not JSON'],
  ])('is refused where it cannot be kept: %s', async ([result, message], { world }) => {
    const { task } = await world.started({ task: { stage: () => result as never } })
    await eventually(async () => (await task()).failures === 1)
    expect((await task()).last_error.message).toContain(message)
    expect((await world.fixture.get('/tasks')).code).toBe(200)
  })

  test('two calls of one step at a time run it once; its result may be nothing', async ({ world }) => {
    const results = latch<unknown[]>()
    let runs = 0
    await world.started({
      task: {
        stage: async (task) => {
          const step = () => task.step('a', async () => (runs++, null))
          results.open([...(await Promise.all([step(), step()])), await step()])
        },
      },
    })
    expect(await results.reached).toEqual([null, null, null])
    expect(runs).toBe(1)
  })

  test('a step of another version of the task is not its own (WK-12)', async ({ world }) => {
    const seen: string[] = []
    const began = latch()
    const stage = (version: string) => async (task: TaskContext) => {
      seen.push(await task.step('version', () => version))
      began.open()
      if (version !== '1.0.0') return
      await stopped(task.signal)
      task.signal.throwIfAborted()
    }
    await world.started({ task: { stage: stage('1.0.0') } })
    await began.reached
    await world.restart({ version: '2.0.0', stage: stage('2.0.0') })
    await world.fixture.coordinator.until(() => world.fixture.coordinator.states().includes('staged'))
    expect(seen).toEqual(['1.0.0', '2.0.0'])
  })
})

describe.concurrent('shutdown (WK-10)', () => {
  test('work that does not stop in time is given back, at no cost, and taken up at once by the next process', async ({
    world,
  }) => {
    const began = latch()
    await world.started({
      task: {
        stage: () => {
          began.open()
          return new Promise(() => undefined)
        },
      },
      env: { SHUTDOWN_GRACE: '100ms', LEASE: '10m' },
    })
    await began.reached
    await world.restart({ stage: () => undefined })
    await world.fixture.coordinator.until(() => world.fixture.coordinator.states().includes('staged'))
    expect(await world.fixture.task()).toMatchObject({ attempt: 2, crashes: 0, failures: 0 })
    expect(await world.fixture.eventTypes()).toContain('work_released')
  })

  test('a coordinator that does not answer does not hold it up; the report is sent by the next process', async ({
    world,
  }) => {
    const never = latch()
    const first = await world.begin({}, { SHUTDOWN_GRACE: '100ms' })
    first.coordinator.hold = never.reached
    await first.act('initialize', { studies: [] })
    await first.act('start')
    await first.coordinator.until(() => first.coordinator.states().includes('staged'))
    first.coordinator.shown.set(TASK, 'running')
    // The request itself would give up after 15 s; this test is not that patient.
    await world.restart()
    never.open()
    await world.fixture.coordinator.until(() => world.fixture.coordinator.states().length > 1)
    await world.fixture.coordinator.until(() => world.fixture.coordinator.shown.get(TASK) === 'staged')
  }, 10_000)

  test('while it stops, actions are answered 503 and get_status as ever (SV-13)', async ({ world }) => {
    const began = latch()
    const { act, get, service } = await world.started({
      task: {
        stage: () => {
          began.open()
          return new Promise(() => undefined)
        },
      },
      env: { SHUTDOWN_GRACE: '1s' },
    })
    await began.reached
    const stopping = service.stop()
    for (const action of ['initialize', 'start', 'publish', 'cancel'])
      expect(await act(action)).toMatchObject({ code: 503, body: { code: 'SHUTTING_DOWN' } })
    expect(await act('get_status')).toMatchObject({ code: 200, body: { state: 'running' } })
    for (const path of ['/status', '/readyz'])
      expect(await get(path)).toMatchObject({ code: 503, body: { code: 'SHUTTING_DOWN' } })
    expect((await get('/livez')).code).toBe(200)
    await stopping
  })
})
