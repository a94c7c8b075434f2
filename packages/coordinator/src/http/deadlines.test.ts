import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fixture, STUDY, latch, type FakeService } from '../coordinator.fixture.ts'

let fixture: Fixture
let service: FakeService & { readonly id: string }

beforeEach(async () => {
  fixture = await Fixture.start({ env: { TASK_TIMEOUT: '2h', RELEASE_TIMEOUT: '3h' } })
  service = await fixture.register()
})
afterEach(() => fixture.close())

const NONE = { accept: null, silence: null, total: null }
const get = async (url: string) => (await fixture.call('GET', url)).body
const edit = (method: 'PATCH' | 'PUT', deadlines: unknown, fields: object = {}) =>
  fixture.call(method, `/task-services/${service.id}`, { ...fields, deadlines })
const own = async () => (await get(`/task-services/${service.id}`)).deadlines

describe('of a task service (CR-28)', () => {
  const about = (url: string, fields: object = {}) => ({
    name: 'n',
    description: 'd',
    author: 'a',
    url,
    ...fields,
  })

  test('POST takes some, all or none; they come after the fields of the contract (CR-13)', async () => {
    const post = async (deadlines: object) => {
      const { url } = await fixture.fake()
      return fixture.call('POST', '/task-services', about(url, deadlines))
    }
    const { code, body } = await post({ deadlines: { silence: '30m' } })
    expect([code, body.deadlines, Object.keys(body).at(-2)]).toEqual([
      201,
      { ...NONE, silence: '30m' },
      'deadlines',
    ])
    expect((await get(`/task-services/${body.kf_id}`)).deadlines).toEqual({ ...NONE, silence: '30m' })
    const all = { accept: '90s', silence: '250ms', total: '2d' }
    expect((await post({ deadlines: all })).body.deadlines).toEqual(all)
    expect((await post({})).body.deadlines).toEqual(NONE)
    expect((await post({ deadlines: null })).body.deadlines).toEqual(NONE)
  })

  test('PATCH changes what it names, null takes it away, and everything else stays', async () => {
    await edit('PATCH', { accept: '60m', total: '1d' })
    expect(await own()).toEqual({ accept: '1h', silence: null, total: '1d' })
    expect((await edit('PATCH', { accept: null, silence: '5m' })).body.deadlines).toEqual({
      accept: null,
      silence: '5m',
      total: '1d',
    })
    await fixture.call('PATCH', `/task-services/${service.id}`, { name: 'renamed' })
    expect(await own()).toEqual({ accept: null, silence: '5m', total: '1d' })
    await edit('PATCH', {})
    expect(await own()).toEqual({ accept: null, silence: '5m', total: '1d' })
    await edit('PATCH', null)
    expect(await own()).toEqual(NONE)
  })

  test('PUT never requires them, and keeps those that it omits (CR-16)', async () => {
    await edit('PATCH', { accept: '1m', total: '1h' })
    const fields = about(service.url)
    expect((await fixture.call('PUT', `/task-services/${service.id}`, fields)).code).toBe(200)
    expect(await own()).toEqual({ accept: '1m', silence: null, total: '1h' })
    await edit('PUT', { total: '2h' }, fields)
    expect(await own()).toEqual({ accept: '1m', silence: null, total: '2h' })
  })

  const NO_DURATION = 'is not a duration such as 30s, 10m or 1h, and not null.'
  const LIMITS = 'Ensure this duration is longer than 0 and at most 365d.'
  const UNKNOWN = 'Unknown deadline. Deadlines are accept, silence, total.'
  const NO_OBJECT = ['Expected an object with any of accept, silence, total.']

  test.each([
    ['30m', NO_OBJECT],
    [['30m'], NO_OBJECT],
    [5, NO_OBJECT],
    [{ silence: 30 }, { silence: [`30 ${NO_DURATION}`] }],
    [{ silence: '30' }, { silence: [`"30" ${NO_DURATION}`] }],
    [{ silence: '' }, { silence: [`"" ${NO_DURATION}`] }],
    [{ silence: '-5s' }, { silence: [`"-5s" ${NO_DURATION}`] }],
    [{ accept: '0' }, { accept: [LIMITS] }],
    [{ accept: '0.1ms' }, { accept: [LIMITS] }],
    [{ total: '366d' }, { total: [LIMITS] }],
    [{ sielnce: '5m' }, { sielnce: [UNKNOWN] }],
    [{ constructor: '5m' }, { constructor: [UNKNOWN] }],
    [
      { accept: 'soon', silence: '5m', publish: '5m' },
      { accept: [`"soon" ${NO_DURATION}`], publish: [UNKNOWN] },
    ],
  ])('400 for %j names the deadline, and nothing is changed (CR-14)', async (deadlines, expected) => {
    await edit('PATCH', { silence: '7m' })
    for (const method of ['PATCH', 'PUT'] as const) {
      const { code, body } = await edit(method, deadlines, about(service.url))
      expect([code, body]).toEqual([400, { deadlines: expected }])
    }
    expect(await own()).toEqual({ ...NONE, silence: '7m' })
  })
})

describe('of a task (CR-23)', () => {
  const HOUR_MS = 60 * 60 * 1000
  const ends = (shown: { ends_at: string }) => Date.parse(shown.ends_at)
  const earliest = (shown: object) =>
    Math.min(...Object.values(shown).flatMap((one: any) => (one ? ends(one) : [])))

  /** The task, with the times between which it was shown. */
  async function seen(path: string) {
    const before = Date.now()
    const body = await get(path)
    return { body, before, after: Date.now() }
  }

  async function phaseBegan(id: string, state: string): Promise<number> {
    const { results } = await get(`/events?limit=100&release=${id}`)
    return Date.parse(
      results.find(({ message }: any) => message.endsWith(` to ${state}`) && message.startsWith('release'))
        .created_at,
    )
  }

  test('says for each that runs when it ends and what is left; the earliest is when it is given up', async () => {
    await edit('PATCH', { silence: '1h', total: '90m' })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const { body, before, after } = await seen(`/tasks/${service.task()}`)
    const { accept, silence, total } = body.deadlines
    expect(accept).toBeNull()
    expect(silence.ends_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(ends(total) - ends(silence)).toBe(HOUR_MS / 2)
    for (const one of [silence, total]) {
      expect(one.left_ms).toBeGreaterThanOrEqual(ends(one) - after)
      expect(one.left_ms).toBeLessThanOrEqual(ends(one) - before)
    }
    expect(Date.parse(body.waiting_for.gives_up_at)).toBe(ends(silence))
    const release = await get(`/releases/${id}`)
    expect(Date.parse(release.waiting_for.gives_up_at)).toBe(ends(silence))
    // Wherever a task is shown it is the same one, but for the time that is left.
    const listed = await get(`/tasks?release=${id}`)
    const ofStudy = (await get(`/studies/${STUDY}/releases`)).results[0]
    for (const [task] of [listed.results, release.tasks, ofStudy.tasks]) {
      expect(Object.keys(task.deadlines)).toEqual(['accept', 'silence', 'total'])
      expect(task.deadlines).toMatchObject({
        accept: null,
        silence: { ends_at: silence.ends_at },
        total: { ends_at: total.ends_at },
      })
    }
  })

  test('without own ones the settings are shown', async () => {
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const since = await phaseBegan(id, 'running')
    const { silence, total } = (await get(`/tasks/${service.task()}`)).deadlines
    expect(ends(silence) - since).toBeGreaterThanOrEqual(2 * HOUR_MS)
    expect(ends(total) - since).toBe(3 * HOUR_MS)
  })

  test.each([null, '10m'])('an action that is not taken runs against accept: %s', async (accept) => {
    await edit('PATCH', { accept })
    const hold = latch()
    service.script.initialize = [async () => (await hold.reached, { body: {} })]
    const id = await fixture.issue()
    await service.asked('initialize')
    const { body, after } = await seen(`/tasks/${service.task()}`)
    expect(body.deadlines).toMatchObject({ silence: null, total: null })
    const began = await phaseBegan(id, 'initializing')
    if (accept === null) {
      // The outbox counts by the clock of its own statement.
      expect(ends(body.deadlines.accept)).toBeGreaterThanOrEqual(began + 30_000)
      expect(ends(body.deadlines.accept)).toBeLessThanOrEqual(after + 30_000)
    } else expect(ends(body.deadlines.accept)).toBe(began + 600_000)
    expect(Date.parse(body.waiting_for.gives_up_at)).toBe(earliest(body.deadlines))
    hold.open()
  })

  test('nothing runs once it is done, and publishing gives up nothing (RC-38)', async () => {
    await edit('PATCH', { accept: '10m', silence: '1h', total: '90m' })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const task = service.task()
    await fixture.report(task, { state: 'staged' })
    expect((await get(`/tasks/${task}`)).deadlines).toEqual(NONE)
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    const publishing = await get(`/tasks/${task}`)
    expect(publishing).toMatchObject({
      deadlines: { accept: null, silence: { left_ms: expect.any(Number) }, total: expect.anything() },
      waiting_for: { whom: 'service', gives_up_at: null },
    })
    await fixture.report(task, { state: 'published' })
    expect(await get(`/tasks/${task}`)).toMatchObject({ deadlines: NONE, waiting_for: null })
  })

  test('an edit of the service does not touch a release that has begun; the next one has it (RC-38)', async () => {
    await edit('PATCH', { total: '1h' })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    const task = service.task()
    const before = (await get(`/tasks/${task}`)).deadlines.total.ends_at
    await edit('PATCH', { total: '2h', accept: '1m' })
    expect((await get(`/tasks/${task}`)).deadlines.total.ends_at).toBe(before)
    const next = await fixture.issue()
    await fixture.tasksReach(next, 'running')
    const later = (await get(`/tasks/${service.task()}`)).deadlines.total.ends_at
    expect(Date.parse(later) - Date.parse(before)).toBeGreaterThanOrEqual(HOUR_MS)
  })
})

test('no answer may be kept and shown later: the time that is left would be wrong', async () => {
  for (const path of ['/tasks', '/releases', '/task-services', '/nothing'])
    expect((await fixture.call('GET', path)).headers).toMatchObject({ 'cache-control': 'no-store' })
})
