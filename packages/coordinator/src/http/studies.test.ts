import { afterEach, describe, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'
import { CoordinatorError } from '../errors.ts'
import type { ListedStudy } from '../study-store.ts'

let fixture: Fixture

afterEach(() => fixture.close())

const get = async (url: string) => (await fixture.call('GET', url, undefined, { host: 'c.test' })).body
const study = (id: ListedStudy['id'], fields: Partial<ListedStudy> = {}): ListedStudy => ({
  id,
  name: id,
  visible: true,
  createdAt: null,
  ...fields,
})

test('fields in their order; null before the newest, dates with microseconds and Z (CR-5, CR-9, CR-38)', async () => {
  const listed = [
    study('SD_0000000A', { createdAt: '2023-03-14T09:26:53+00:00' }),
    study('SD_0000000B', { createdAt: '2024-03-14T09:26:53.123456+00:00', visible: false }),
    study('SD_0000000C'),
    study('SD_0000000D', { createdAt: '2024-01-01T02:00:00.5+02:00' }),
  ]
  fixture = await Fixture.start({ studySource: async () => listed })
  const { count, results } = await get('/studies')
  expect(count).toBe(4)
  expect(results.map((one: any) => [one.kf_id, one.created_at])).toEqual([
    ['SD_0000000C', null],
    ['SD_0000000B', '2024-03-14T09:26:53.123456Z'],
    ['SD_0000000D', '2024-01-01T00:00:00.500000Z'],
    ['SD_0000000A', '2023-03-14T09:26:53.000000Z'],
  ])
  expect(Object.entries(await get('/studies/SD_0000000B'))).toEqual([
    ['kf_id', 'SD_0000000B'],
    ['name', 'SD_0000000B'],
    ['version', null],
    ['visible', false],
    ['last_pub_version', null],
    ['last_pub_date', null],
    ['deleted', false],
    ['created_at', '2024-03-14T09:26:53.123456Z'],
  ])
})

test('versions are those of the newest release in any state, and of the newest published one (CR-38)', async () => {
  fixture = await Fixture.start()
  const published = await fixture.issue()
  await fixture.reaches(published, 'staged')
  await fixture.publish(published)
  const { created_at } = await fixture.release(published)
  const newer = await fixture.issue()
  expect(await get(`/studies/${STUDY}`)).toMatchObject({
    version: '0.1.1',
    last_pub_version: '0.1.0',
    last_pub_date: created_at,
  })
  expect((await get(`/studies/${STUDY}/releases`)).results.map((one: any) => one.kf_id)).toEqual([
    newer,
    published,
  ])
  expect((await get(`/studies/${STUDY}/releases?limit=1`)).next).toBe(
    `http://c.test/studies/${STUDY}/releases?limit=1&offset=1`,
  )
  expect((await get(`/studies/${STUDY}/releases/${newer}`)).kf_id).toBe(newer)
  expect((await get('/studies/SD_9PYZAHHE/releases')).count).toBe(0)
  expect((await fixture.call('GET', `/studies/SD_9PYZAHHE/releases/${newer}`)).code).toBe(404)
})

describe('POST /studies/sync (CR-40)', () => {
  let listed: ListedStudy[] = []
  let trouble: Error | null = null
  const begin = async () => {
    listed = [study('SD_0000000A'), study('SD_0000000B')]
    trouble = null
    fixture = await Fixture.start({
      studySource: async () => {
        if (trouble) throw trouble
        return listed
      },
    })
  }
  const sync = (query = '') => fixture.call('POST', `/studies/sync${query}`)

  test('done: what was new and what was deleted, in this order', async () => {
    await begin()
    listed = [study('SD_0000000A'), study('SD_0000000C')]
    const { code, body } = await sync()
    expect([code, Object.entries(body)]).toEqual([
      200,
      [
        ['status', 'ok'],
        ['new', 1],
        ['deleted', 1],
        ['message', 'Synchronized with dataservice'],
      ],
    ])
    expect((await get('/studies/SD_0000000B')).deleted).toBe(true)
  })

  test('without a source: zeros', async () => {
    fixture = await Fixture.start({ studySource: null })
    expect((await sync()).body).toEqual({
      status: 'ok',
      new: 0,
      deleted: 0,
      message: 'Synchronized with dataservice',
    })
  })

  test.each([
    [404, 404],
    [503, 503],
    [301, 502],
    [null, 502],
  ])('a Data Service that answered %s: %s, and one shape for all', async (status, expected) => {
    await begin()
    trouble = new CoordinatorError('DATASERVICE_ANSWER', 'x', status === null ? {} : { status })
    expect(await sync()).toMatchObject({
      code: expected,
      body: { status: 'error', message: 'There was an error getting studies from the dataservice' },
    })
  })

  test('more than half would go: 409 of the same shape, unless it is forced', async () => {
    await begin()
    listed = []
    const { code, body } = await sync()
    expect([code, body]).toEqual([409, { status: 'error', message: expect.stringContaining('2 of 2') }])
    expect((await sync('?force=1')).code).toBe(409)
    expect((await sync('?force=true')).body).toMatchObject({ new: 0, deleted: 2 })
  })
})
