import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { PermanentError, type TaskDefinition } from './define.ts'
import { latch, startFixture, TASK, type Fixture } from './service.fixture.ts'

let fixture: Fixture

afterEach(() => fixture.close())

async function begin(task: Partial<TaskDefinition> = {}, env: Record<string, string> = {}) {
  fixture = await startFixture(task, env)
  fixture.coordinator.shown.set(TASK, 'running')
  return fixture
}

const types = (events: any[]) => events.map((event) => event.type)

/** Looks again until a task is as wanted: for facts that no latch tells. */
async function eventually(look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await look()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

const stateIs = (state: string) => async () => (await fixture.get(`/tasks/${TASK}`)).body.state === state

describe('a release that goes well', () => {
  test('initialize, start, staged, publish, published; the summary travels; staged reaches publish', async () => {
    const seen: unknown[] = []
    const { act, coordinator } = await begin({
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
    expect(coordinator.reports[0]?.body).toEqual({ state: 'staged', progress: 100, summary: { rows: 3 } })
    expect(types(await fixture.events())).toEqual([
      'initialized',
      'running',
      'stage_started',
      'staged',
      'publishing',
      'publish_started',
      'published',
    ])
  })

  test('studies that the request does not carry are read from the release', async () => {
    const studies = latch<readonly string[]>()
    const { act } = await begin({ stage: (task) => studies.open(task.studies) })
    await act('initialize')
    await act('start')
    expect(await studies.reached).toEqual(['SD_FROMRELS'])
  })

  test('start sent three times runs the work once', async () => {
    const { act, coordinator } = await begin()
    await act('initialize', { studies: [] })
    const answers = await Promise.all([act('start'), act('start'), act('start')])
    expect(answers.map(({ code, body }) => [code, body.state])).toEqual(Array(3).fill([200, 'running']))
    await coordinator.until(() => coordinator.states().includes('staged'))
    expect((await act('start')).body.state).toBe('running')
    expect(types(await fixture.events()).filter((type) => type === 'stage_started')).toHaveLength(1)
  })
})

describe('cancel', () => {
  test('stops running work, then discards, and each is a fact of its own', async () => {
    const started = latch()
    const stopped = latch<unknown>()
    const discarded = latch<string>()
    const { act, get } = await begin({
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
    expect(fixture.coordinator.states()).toEqual([])
  })

  test('before initialize leaves a tombstone: the initialize that follows is refused', async () => {
    const { act, get } = await begin()
    expect((await act('cancel')).code).toBe(404)
    expect((await act('cancel')).body.state).toBe('canceled')
    expect((await act('initialize')).code).toBe(400)
    expect((await get('/tasks')).body.count).toBe(0)
  })
})

describe('failing forward', () => {
  test('stage is tried again with its error on the record, and durable steps are not repeated', async () => {
    let tries = 0
    let steps = 0
    const { act, post, get, coordinator } = await begin({
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
  })

  test('a PermanentError fails at once, is reported, and discard is told the state', async () => {
    const discarded = latch<string>()
    const { act, coordinator } = await begin({
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

  test('publish never gives up by itself: a person does', async () => {
    const { act, get, post, coordinator } = await begin({
      publish: () => {
        throw new PermanentError('the disk is read-only')
      },
    })
    await act('initialize', { studies: [] })
    await act('start')
    await eventually(stateIs('staged'))
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

  test('a graceful restart costs no attempt, is taken up at once, and a new version is a warning', async () => {
    const started = latch()
    const first = await begin({
      stage: async (task) => {
        started.open()
        await sleep(60_000, undefined, { signal: task.signal })
      },
    })
    await first.act('initialize', { studies: [] })
    await first.act('start')
    await started.reached
    fixture = await first.restart({ stage: () => undefined, version: '2.0.0' })
    await fixture.coordinator.until(() => fixture.coordinator.states().includes('staged'))
    const events = await fixture.events()
    expect(types(events)).toEqual([
      'initialized',
      'running',
      'stage_started',
      'work_released',
      'version_changed',
      'stage_started',
      'staged',
    ])
    const { body } = await fixture.get(`/tasks/${TASK}`)
    expect(body).toMatchObject({
      crashes: 0,
      failures: 0,
      initialized_version: '1.0.0',
      ran_version: '2.0.0',
    })
  })
})

describe('reports', () => {
  test('carry the cookie and header pair, are repeated on trouble, and Retry-After is honored', async () => {
    const { act, coordinator } = await begin()
    coordinator.answers.push({ status: 503 }, { status: 429, headers: { 'retry-after': '0' } })
    await act('initialize', { studies: [] })
    await act('start')
    await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
    const { headers } = coordinator.reports[0]!
    expect(headers['x-csrftoken']).toMatch(/^[a-z]{64}$/)
    expect(headers['cookie']).toBe(`csrftoken=${String(headers['x-csrftoken'])}`)
    expect(coordinator.reports).toHaveLength(3)
  })

  test('are said again when the coordinator shows an earlier state afterwards', async () => {
    const { act, coordinator } = await begin()
    await act('initialize', { studies: [] })
    await act('start')
    await coordinator.until(() => coordinator.states().length === 1)
    coordinator.shown.set(TASK, 'running')
    await coordinator.until(() => coordinator.states().length === 2)
    expect(coordinator.states()).toEqual(['staged', 'staged'])
  })

  test('a 500 is followed by reading, and what has arrived is not sent again', async () => {
    const { act, coordinator } = await begin()
    coordinator.answers.push({ status: 500 })
    coordinator.shown.set(TASK, 'staged')
    await act('initialize', { studies: [] })
    await act('start')
    await coordinator.until(() => coordinator.reads.length >= 2)
    expect(coordinator.states()).toEqual(['staged'])
  })

  test('a 409 is believed only where the coordinator shows the task ended; then it is a cancel', async () => {
    const discarded = latch()
    const { act, coordinator } = await begin({ discard: () => discarded.open() })
    coordinator.answers.push({ status: 409 })
    coordinator.shown.set(TASK, 'canceled')
    await act('initialize', { studies: [] })
    await act('start')
    await discarded.reached
    expect((await act('get_status')).body.state).toBe('canceled')
  })

  test('survive a restart', async () => {
    const first = await begin()
    first.coordinator.answers.push(...Array(50).fill({ status: 503 }))
    await first.act('initialize', { studies: [] })
    await first.act('start')
    await first.coordinator.until(() => first.coordinator.states().length === 1)
    first.coordinator.answers.length = 0
    fixture = await first.restart()
    await fixture.coordinator.until(() => fixture.coordinator.shown.get(TASK) === 'staged')
  })
})

describe('bad requests change nothing and name the field', () => {
  test.each([
    [{ action: 'fly', task_id: TASK, release_id: 'RE_00000001' }, '"action"'],
    [{ action: 'start', task_id: 'TA_1', release_id: 'RE_00000001' }, '"task_id"'],
    [{ action: 'start', task_id: TASK }, '"release_id"'],
    [{ action: 'start', task_id: TASK, release_id: 'RE_00000001', studies: [5] }, '"studies.0"'],
    [[], 'body'],
  ])('%j', async (payload, field) => {
    await begin()
    const response = await fixture.service.app.inject({ method: 'POST', url: '/tasks', payload })
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(field) })
    expect((await fixture.get('/tasks')).body.count).toBe(0)
  })

  test('malformed JSON, another content type, unknown paths and methods', async () => {
    await begin()
    const send = async (method: any, url: string, type: string, payload: string) => {
      const response = await fixture.service.app.inject({
        method,
        url,
        headers: { 'content-type': type },
        payload,
      })
      return [response.statusCode, response.json().code]
    }
    expect(await send('POST', '/tasks', 'application/json', '{"a')).toEqual([400, 'INPUT_INVALID'])
    expect(await send('POST', '/tasks', 'application/json', '')).toEqual([400, 'INPUT_INVALID'])
    expect(await send('POST', '/tasks', 'text/plain', 'hello')).toEqual([400, 'INPUT_INVALID'])
    expect(await send('DELETE', '/tasks', 'application/json', '{}')).toEqual([405, 'METHOD_NOT_ALLOWED'])
    expect(await send('POST', '/nothing', 'application/json', '{}')).toEqual([404, 'PATH_NOT_FOUND'])
    expect((await fixture.get('//status')).body).toEqual({
      name: 'fixture',
      message: 'ready',
      version: '1.0.0',
    })
  })
})
