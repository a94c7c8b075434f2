import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fixture, type FakeService } from '../coordinator.fixture.ts'

let fixture: Fixture
let service: FakeService & { readonly id: string }
let release: string
let task: string

beforeEach(async () => {
  fixture = await Fixture.start()
  service = await fixture.register('one')
  release = await fixture.issue()
  await fixture.tasksReach(release, 'running')
  task = service.task()
})
afterEach(() => fixture.close())

const get = async (url: string) => (await fixture.call('GET', url, undefined, { host: 'c.test' })).body

test('GET gives the fields of the contract in their order, then ours (CR-13, CR-23)', async () => {
  const body = await get(`/tasks/${task}`)
  expect(Object.keys(body).slice(0, 7)).toEqual([
    'kf_id',
    'state',
    'progress',
    'release',
    'task_service',
    'created_at',
    'service_name',
  ])
  expect(body).toMatchObject({
    kf_id: task,
    state: 'running',
    progress: 0,
    release: `http://c.test/releases/${release}`,
    task_service: `http://c.test/task-services/${service.id}`,
    created_at: expect.stringMatching(/\.\d{6}Z$/),
    service_name: 'one',
    summary: null,
    waiting_for: { whom: 'service' },
  })
})

test('the list filters; a relation that does not exist is 400, another value finds nothing (CR-24)', async () => {
  const count = async (query: string) => (await get(`/tasks?${query}`)).count
  expect(await count(`release=${release}&task_service=${service.id}&state=running`)).toBe(1)
  expect(await count('state=banana')).toBe(0)
  expect(await count('state=&release=')).toBe(1)
  for (const field of ['release', 'task_service'])
    expect(await fixture.call('GET', `/tasks?${field}=XX_NOTHERE0`)).toMatchObject({
      code: 400,
      body: { [field]: ['Select a valid choice. That choice is not one of the available choices.'] },
    })
})

describe.each(['PATCH', 'PUT'] as const)('%s (CR-25)', (method) => {
  const send = (body: unknown) => fixture.call(method, `/tasks/${task}`, body)

  test('200 and the task; the release follows; every other field is ignored (RC-23)', async () => {
    const body = {
      state: 'staged',
      progress: 7,
      summary: { rows: 3 },
      release: 'x',
      task_service: 5,
      kf_id: 'y',
    }
    expect(await send(body)).toMatchObject({
      code: 200,
      body: { kf_id: task, state: 'staged', progress: 100, summary: { rows: 3 } },
    })
    expect(await get(`/releases/${release}`)).toMatchObject({
      state: 'staged',
      waiting_for: { whom: 'person' },
    })
  })

  test.each([
    [{ progress: '50%' }, { progress: ['A valid integer is required.'] }],
    [{ progress: 1.5 }, { progress: ['A valid integer is required.'] }],
    [{ progress: true }, { progress: ['A valid integer is required.'] }],
    [{ progress: null }, { progress: ['This field may not be null.'] }],
    [{ state: '' }, { state: ['This field may not be blank.'] }],
    [{ state: null }, { state: ['This field may not be null.'] }],
    [{ state: 'x'.repeat(51) }, { state: ['Ensure this field has no more than 50 characters.'] }],
  ])('400 for %j (RC-27, CR-15)', async (body, expected) => {
    expect(await send(body)).toMatchObject({ code: 400, body: expected })
    expect(await get(`/tasks/${task}`)).toMatchObject({ state: 'running', progress: 0 })
  })

  test('a state that is no word is 400, and the legal ones are named (RC-23)', async () => {
    const { code, body } = await send({ state: 'banana' })
    expect([code, Object.keys(body)]).toEqual([400, ['state']])
    expect(body.state[0]).toMatch(/^"banana" is not a valid choice\./)
    for (const state of ['waiting', 'staged', 'published', 'rejected', 'canceled'])
      expect(body.state[0]).toContain(state)
  })

  test.each([
    [-5, 0],
    [0, 0],
    [55, 55],
    ['55', 55],
    [400, 100],
  ])('progress %j is held within 0 and 100: %s (RC-27)', async (said, expected) => {
    expect(await send({ progress: said })).toMatchObject({ code: 200, body: { progress: expected } })
  })

  test('the present state again is 200, stale and contradicting ones are 409 and kept as an event (RC-24)', async () => {
    expect((await send({ state: 'running', progress: 20 })).body.progress).toBe(20)
    const { code, body } = await send({ state: 'pending' })
    expect([code, Object.keys(body)]).toEqual([409, ['detail']])
    expect(body.detail).toMatch(/running.*initialized/)
    expect((await send({ state: 'published' })).code).toBe(409)
    expect(await get(`/tasks/${task}`)).toMatchObject({ state: 'running', progress: 20 })
    const warned = (await fixture.events(release)).filter((event) =>
      event.startsWith('warning: report of task'),
    )
    expect(warned).toHaveLength(2)
  })

  test('the other spellings of older services (RC-13, RC-23)', async () => {
    expect((await send({ state: 'cancelled' })).body.state).toBe('canceled')
    expect((await send({ state: 'cancelling' })).code).toBe(200)
  })

  test('repeated staged is harmless, with progress too (RC-24, F-46)', async () => {
    await send({ state: 'staged', progress: 100 })
    expect((await send({ state: 'staged', progress: 100 })).code).toBe(200)
    expect((await send({ progress: 100 })).code).toBe(200)
    expect((await get(`/releases/${release}`)).state).toBe('staged')
  })

  test('a terminal task takes nothing new (RC-25, F-48)', async () => {
    await send({ state: 'failed' })
    expect((await send({ state: 'failed' })).code).toBe(200)
    expect((await send({ state: 'running' })).code).toBe(409)
    expect((await send({ progress: 3 })).code).toBe(409)
  })

  test('404 for an unknown task, in the words that services wait for (WK-20)', async () => {
    expect(await fixture.call(method, '/tasks/TA_NOTHERE0', { state: 'staged' })).toMatchObject({
      code: 404,
      body: { detail: 'Not found.' },
    })
  })

  test('attempt and error are stored and shown; what is neither is ignored, as the original would (RC-39)', async () => {
    const body = { attempt: 2, last_error: 'disk full', waiting_for: { attempt: 2, last_error: 'disk full' } }
    expect(await send({ attempt: 2, error: 'disk full' })).toMatchObject({ code: 200, body })
    for (const attempt of ['3', 0, -1, 1.5, 1e12, null])
      expect(await send({ attempt, error: { a: 1 } })).toMatchObject({ code: 200, body })
  })

  test('a summary that is no object is ignored, not refused', async () => {
    expect(await send({ progress: 5, summary: 'text' })).toMatchObject({ code: 200, body: { summary: null } })
  })

  test('a form', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { code, body } = await fixture.call(method, `/tasks/${task}`, 'state=staged&progress=100', headers)
    expect([code, body.state]).toEqual([200, 'staged'])
  })
})
