import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'

let fixture: Fixture

beforeEach(async () => {
  fixture = await Fixture.start()
})
afterEach(() => fixture.close())

const OTHER = 'SD_9PYZAHHE'
const NEW = { name: 'spring', studies: [STUDY] }
const post = (fields: unknown) => fixture.call('POST', '/releases', fields)

const FIELDS = [
  'kf_id', 'name', 'description', 'notes', 'state', 'studies', 'tasks', 'version', 'created_at', 'tags', 'author',
  'is_major',
] // prettier-ignore
const TASK_FIELDS = ['kf_id', 'state', 'progress', 'release', 'task_service', 'created_at', 'service_name']

describe('POST', () => {
  test('201 with the fields of the contract in their order, then ours (CR-13, CR-17, CR-19)', async () => {
    const { code, body } = await post(NEW)
    expect(code).toBe(201)
    expect(Object.keys(body).slice(0, FIELDS.length)).toEqual(FIELDS)
    expect(Object.keys(body).slice(FIELDS.length)).toEqual(
      expect.arrayContaining(['waiting_for', 'partially_published']),
    )
    expect(body).toMatchObject({
      kf_id: expect.stringMatching(/^RE_[0-9A-HJKMNP-TV-Z]{8}$/),
      name: 'spring',
      description: '',
      notes: [],
      state: 'waiting',
      studies: [STUDY],
      tasks: [],
      version: '0.0.0',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      tags: [],
      author: 'admin',
      is_major: false,
      partially_published: [],
    })
  })

  test('every field is stored; unknown and read-only ones are ignored (CR-8)', async () => {
    const given = {
      name: 'n',
      description: '',
      studies: [OTHER, STUDY, OTHER],
      tags: ['a', 'b'],
      author: 'me',
      is_major: true,
    }
    const { body } = await post({
      ...given,
      kf_id: 'RE_MINE0000',
      state: 'published',
      version: '9.9.9',
      x: 1,
    })
    expect(body).toMatchObject({ ...given, studies: [OTHER, STUDY], state: 'waiting', version: '0.0.0' })
    expect(body.kf_id).not.toBe('RE_MINE0000')
    expect(await fixture.release(body.kf_id)).toMatchObject({ author: 'me', studies: [OTHER, STUDY] })
  })

  test.each([
    [{}, { name: ['This field is required.'], studies: ['This field is required.'] }],
    [{ ...NEW, name: '' }, { name: ['This field may not be blank.'] }],
    [{ ...NEW, name: '  ' }, { name: ['This field may not be blank.'] }],
    [{ ...NEW, name: null }, { name: ['This field may not be null.'] }],
    [{ ...NEW, name: 'x'.repeat(257) }, { name: ['Ensure this field has no more than 256 characters.'] }],
    [
      { ...NEW, description: 'x'.repeat(5001) },
      { description: ['Ensure this field has no more than 5000 characters.'] },
    ],
    [{ ...NEW, studies: [] }, { studies: ['Must have at least one study'] }],
    [{ ...NEW, studies: STUDY }, { studies: ['Expected a list of items but got type "str".'] }],
    [{ ...NEW, studies: null }, { studies: ['This field may not be null.'] }],
    [
      { ...NEW, studies: [STUDY, 'SD_NOTHERE0'] },
      { studies: ['Invalid pk "SD_NOTHERE0" - object does not exist.'] },
    ],
    [{ ...NEW, tags: ['a', ''] }, { tags: { 1: ['This field may not be blank.'] } }],
    [{ ...NEW, tags: [null] }, { tags: { 0: ['This field may not be null.'] } }],
    [
      { ...NEW, tags: ['x'.repeat(51)] },
      { tags: { 0: ['Ensure this field has no more than 50 characters.'] } },
    ],
    [{ ...NEW, tags: 'a' }, { tags: ['Expected a list of items but got type "str".'] }],
    [{ ...NEW, author: '' }, { author: ['This field may not be blank.'] }],
    [{ ...NEW, author: 'x'.repeat(101) }, { author: ['Ensure this field has no more than 100 characters.'] }],
    [{ ...NEW, is_major: 'perhaps' }, { is_major: ['Must be a valid boolean.'] }],
    [{ ...NEW, is_major: null }, { is_major: ['This field may not be null.'] }],
  ])('400 for %j (CR-14, CR-15)', async (fields, expected) => {
    expect(await post(fields)).toMatchObject({ code: 400, body: expected })
    expect((await fixture.call('GET', '/releases')).body.count).toBe(0)
  })
})

describe('a release that runs', () => {
  let id: string
  beforeEach(async () => {
    await fixture.register('one')
    id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
  })

  test('shows its tasks as objects, and what it waits for (CR-6, WK-22)', async () => {
    const { body } = await fixture.call('GET', `/releases/${id}`, undefined, { host: 'c.test' })
    const [task] = body.tasks
    expect(Object.keys(task).slice(0, TASK_FIELDS.length)).toEqual(TASK_FIELDS)
    expect(task).toMatchObject({
      state: 'running',
      progress: 0,
      release: `http://c.test/releases/${id}`,
      task_service: expect.stringMatching(/^http:\/\/c\.test\/task-services\/TS_/),
      service_name: 'one',
    })
    expect(Object.keys(body.waiting_for).toSorted()).toEqual(
      ['attempt', 'gives_up_at', 'last_error', 'next_try', 'since', 'what', 'whom'].toSorted(),
    )
    expect(body.waiting_for).toMatchObject({ whom: 'service', attempt: null, last_error: null })
  })

  test('PATCH and PUT change the description; what is fixed is 400 on its field, unless equal (RC-37)', async () => {
    const url = `/releases/${id}`
    expect(await fixture.call('PATCH', url, { description: 'why' })).toMatchObject({
      code: 200,
      body: { description: 'why', name: 'spring' },
    })
    for (const [field, value] of Object.entries({
      name: 'x',
      studies: [OTHER],
      is_major: true,
      tags: ['x'],
      author: 'x',
    })) {
      const { code, body } = await fixture.call('PATCH', url, { [field]: value, description: 'lost' })
      expect([code, Object.keys(body)]).toEqual([400, [field]])
    }
    expect(await fixture.call('PUT', url, { ...NEW, is_major: false, state: 'published' })).toMatchObject({
      code: 200,
      // A PUT keeps what it leaves out (CR-16).
      body: { description: 'why', state: 'running' },
    })
  })

  test('PUT needs the required fields, PATCH none; unknown ids are 404 before that (CR-16)', async () => {
    expect(await fixture.call('PUT', `/releases/${id}`, {})).toMatchObject({
      code: 400,
      body: { name: ['This field is required.'], studies: ['This field is required.'] },
    })
    expect((await fixture.call('PATCH', `/releases/${id}`, {})).code).toBe(200)
    expect((await fixture.call('PUT', '/releases/RE_NOTHERE0', {})).code).toBe(404)
  })

  test('publish from another state is 409, of an unknown one 404 (CR-21)', async () => {
    expect(await fixture.publish(id)).toMatchObject({
      code: 409,
      body: { detail: 'The release in state running may not be published.' },
    })
    expect(await fixture.publish('RE_NOTHERE0')).toMatchObject({ code: 404, body: { detail: 'Not found.' } })
  })

  test('published once: the second is 409', async () => {
    const [service] = fixture.services
    await fixture.report(service!.task(), { state: 'staged' })
    const codes = (await Promise.all([fixture.publish(id), fixture.publish(id)])).map((one) => one.code)
    expect(codes.toSorted()).toEqual([200, 409])
    await service!.asked('publish')
    expect(service!.actions().filter((action) => action === 'publish')).toHaveLength(1)
  })

  test('DELETE cancels; again, and after the end, it is 200 and changes nothing (CR-20)', async () => {
    expect(await fixture.cancel(id)).toMatchObject({ code: 200, body: { kf_id: id, state: 'canceling' } })
    await fixture.reaches(id, 'canceled')
    const before = await fixture.events(id)
    expect(await fixture.cancel(id)).toMatchObject({ code: 200, body: { state: 'canceled' } })
    expect(await fixture.events(id)).toEqual(before)
  })

  test('status_checks counts what is to be checked (CR-22)', async () => {
    expect(await fixture.call('POST', '/releases/status_checks')).toMatchObject({
      code: 200,
      body: { status: 'ok', message: '1 releases to check' },
    })
  })
})

test('DELETE of an unknown one is the only 404 without a word (CR-20)', async () => {
  expect(await fixture.cancel('RE_NOTHERE0')).toMatchObject({ code: 404, body: {} })
  expect((await fixture.cancel('RE_NOTHERE0')).body).toEqual({})
})

test('the list filters by state: an unknown one finds nothing, an empty one is ignored (CR-18)', async () => {
  const id = await fixture.issue()
  await fixture.reaches(id, 'staged')
  const count = async (query: string) => (await fixture.call('GET', `/releases?${query}`)).body.count
  expect([await count('state=staged'), await count('state=running'), await count('state=banana')]).toEqual([
    1, 0, 0,
  ])
  expect([await count('state='), await count('other=1')]).toEqual([1, 1])
})

test('the list filters by what author and name contain, and by study (CR-18)', async () => {
  const release = (await fixture.call('GET', `/releases/${await fixture.issue()}`)).body
  const count = async (query: Record<string, string>) =>
    (await fixture.call('GET', `/releases?${new URLSearchParams(query).toString()}`)).body.count
  const { author, name, studies } = release
  expect(await count({ author: author.toUpperCase(), name: name.slice(1), study: studies[0] })).toBe(1)
  expect(await count({ author: '', name: '', study: '' })).toBe(1)
  expect([
    await count({ author: '%' }),
    await count({ name: '_%' }),
    await count({ study: 'SD_NOTHERE0' }),
  ]).toEqual([0, 0, 0])
})
