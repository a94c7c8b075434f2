import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fixture, nextMillisecond, STUDY } from '../coordinator.fixture.ts'

const OTHER = 'SD_9PYZAHHE'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const HOST = { host: 'c.test' }

let fixture: Fixture
/** Over STUDY alone, and over both. */
let release: string
let both: string

beforeAll(async () => {
  fixture = await Fixture.start()
  release = await fixture.issue()
  both = await fixture.issue({ studies: [STUDY, OTHER] })
})
afterAll(() => fixture.close())

const get = async (url: string) => (await fixture.call('GET', url, undefined, HOST)).body
const post = (fields: unknown) => fixture.call('POST', '/release-notes', fields, HOST)
const toRelease = (id = release) => `/releases/${id}`
const toStudy = (id = STUDY) => `http://elsewhere.test/studies/${id}`

async function write(fields: object = {}): Promise<any> {
  const { code, body } = await post({ description: 'text', release: toRelease(), ...fields })
  if (code !== 201) throw new Error(`Not written: ${JSON.stringify(body)}`)
  return body
}

describe('POST', () => {
  test('201 with the fields of the contract in their order (CR-34, CR-35)', async () => {
    const { code, body } = await post({
      description: ' why ',
      release: toRelease(),
      study: toStudy(),
      author: 'me',
    })
    expect([code, Object.entries(body)]).toEqual([
      201,
      [
        ['kf_id', expect.stringMatching(/^RN_[0-9A-HJKMNP-TV-Z]{8}$/)],
        ['description', 'why'],
        ['author', 'me'],
        ['created_at', expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)],
        ['release', `http://c.test/releases/${release}`],
        ['study', `http://c.test/studies/${STUDY}`],
      ],
    ])
    expect(await get(`/release-notes/${body.kf_id}`)).toEqual(body)
  })

  test('author and study need not be given; read-only and unknown fields are ignored (CR-8, CR-34)', async () => {
    const body = await write({ kf_id: 'RN_MINE0000', created_at: '2000-01-01T00:00:00Z', x: 1 })
    expect(body).toMatchObject({ author: 'admin', study: null })
    expect(body.kf_id).not.toBe('RN_MINE0000')
    expect(body.created_at).not.toMatch(/^2000/)
  })

  test('a form is a body like any other; an empty study is none (CR-4)', async () => {
    const form = new URLSearchParams({ description: 'a b', release: toRelease(), study: '' }).toString()
    expect(await fixture.call('POST', '/release-notes', form, FORM)).toMatchObject({
      code: 201,
      body: { description: 'a b', study: null },
    })
    expect((await fixture.call('POST', '/release-notes', '<a/>', { 'content-type': 'text/xml' })).code).toBe(
      415,
    )
  })

  test.each([
    ['http://anywhere.test:8080/releases/ID'],
    ['https://c.test/releases/ID?x=1#y'],
    ['/releases/ID'],
    ['http://c.test/releases/ID.json'],
  ])('a link may be %s (CR-7)', async (form) => {
    const body = await write({ release: form.replace('ID', release) })
    expect(body.release).toBe(`http://c.test/releases/${release}`)
  })

  const blank = ['This field may not be blank.']
  const unmatched = ['Invalid hyperlink - No URL match.']
  const notThere = ['Invalid hyperlink - Object does not exist.']
  const notNull = ['This field may not be null.']
  test.each([
    [{}, { description: ['This field is required.'], release: ['This field is required.'] }],
    [{ description: '', release: toRelease('RE_1') }, { description: blank }],
    [{ description: null }, { description: notNull, release: ['This field is required.'] }],
    [
      { description: 'x'.repeat(5001), release: '/' },
      { description: ['Ensure this field has no more than 5000 characters.'], release: unmatched },
    ],
    [{ author: '' }, { author: blank }],
    [{ author: null }, { author: notNull }],
    [{ author: 'x'.repeat(101) }, { author: ['Ensure this field has no more than 100 characters.'] }],
    [{ release: null }, { release: notNull }],
    [{ release: '' }, { release: notNull }],
    [{ release: 'RELEASE' }, { release: unmatched }],
    [{ release: 'http://' }, { release: unmatched }],
    [{ release: '/releases/' }, { release: unmatched }],
    [{ release: '/releases/RELEASE/publish' }, { release: unmatched }],
    [{ release: '/studies/RELEASE' }, { release: unmatched }],
    [{ release: 5 }, { release: ['Incorrect type. Expected URL string, received int.'] }],
    [
      { release: ['/releases/RELEASE'] },
      { release: ['Incorrect type. Expected URL string, received list.'] },
    ],
    [{ release: '/releases/RE_NOTHERE0' }, { release: notThere }],
    [{ study: STUDY }, { study: unmatched }],
    [{ study: '/studies/SD_NOTHERE0' }, { study: notThere }],
    [
      { release: '/releases/RE_NOTHERE0', study: '/studies/SD_NOTHERE0' },
      { release: notThere, study: notThere },
    ],
    [
      { study: `/studies/${OTHER}` },
      { study: [expect.stringMatching(/^Study SD_9PYZAHHE is not a study of release RE_.{8}\.$/)] },
    ],
  ])('400 for %j (CR-7, CR-14, CR-15, F-58)', async (fields: object, expected) => {
    const isWhole = 'description' in fields || Object.keys(fields).length === 0
    const whole = isWhole ? fields : { description: 'text', release: toRelease(), ...fields }
    const before = (await get('/release-notes')).count
    const body = JSON.parse(JSON.stringify(whole).replaceAll('RELEASE', release))
    expect(await post(body)).toMatchObject({ code: 400, body: expected })
    expect((await get('/release-notes')).count).toBe(before)
  })
})

describe('PUT, PATCH, DELETE', () => {
  test('PATCH changes what it gives, PUT needs what is required and keeps the rest (CR-16, CR-35)', async () => {
    const note = await write({ author: 'me', study: toStudy() })
    const url = `/release-notes/${note.kf_id}`
    expect(await fixture.call('PATCH', url, { description: 'new' }, HOST)).toEqual({
      code: 200,
      body: { ...note, description: 'new' },
      headers: expect.anything(),
    })
    expect(await fixture.call('PUT', url, { description: 'x' })).toMatchObject({
      code: 400,
      body: { release: ['This field is required.'] },
    })
    const put = await fixture.call('PUT', url, { description: 'x', release: note.release }, HOST)
    expect([put.code, put.body]).toEqual([200, { ...note, description: 'x' }])
    expect((await fixture.call('PATCH', url, {}, HOST)).body).toEqual(put.body)
    expect(await get(url)).toEqual(put.body)
  })

  test('release and study may change, and fit each other afterwards (CR-34)', async () => {
    const note = await write({ release: toRelease(both), study: toStudy(OTHER) })
    const patch = (fields: object) => fixture.call('PATCH', `/release-notes/${note.kf_id}`, fields, HOST)
    const foreign = { code: 400, body: { study: [expect.stringContaining(`${OTHER} is not a study of`)] } }
    expect(await patch({ release: toRelease(), description: 'lost' })).toMatchObject(foreign)
    expect(await get(`/release-notes/${note.kf_id}`)).toEqual(note)
    expect(await patch({ release: toRelease(), study: toStudy() })).toMatchObject({
      code: 200,
      body: { release: `http://c.test/releases/${release}`, study: `http://c.test/studies/${STUDY}` },
    })
    expect(await patch({ study: toStudy(OTHER) })).toMatchObject(foreign)
    expect(await patch({ study: null })).toMatchObject({ code: 200, body: { study: null } })
    expect(await patch({ release: null })).toMatchObject({
      code: 400,
      body: { release: ['This field may not be null.'] },
    })
  })

  test('two that change different fields at once are both stored', async () => {
    const note = await write()
    const url = `/release-notes/${note.kf_id}`
    const changes = Array.from({ length: 8 }, (_, index) =>
      fixture.call('PATCH', url, index % 2 ? { author: 'you' } : { description: 'new' }),
    )
    for (const { code } of await Promise.all(changes)) expect(code).toBe(200)
    expect(await get(url)).toMatchObject({ author: 'you', description: 'new' })
  })

  test('DELETE is 204 without a body; afterwards it is unknown, whatever is asked (CR-35)', async () => {
    const { kf_id } = await write()
    const url = `/release-notes/${kf_id}`
    expect(await fixture.call('DELETE', url)).toMatchObject({ code: 204, body: '' })
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const)
      expect(await fixture.call(method, url, method === 'GET' ? undefined : {})).toMatchObject({
        code: 404,
        body: { detail: 'Not found.' },
      })
  })

  test('who changed it is in the trail (CR-44)', async () => {
    const { kf_id } = await write()
    await fixture.call('PATCH', `/release-notes/${kf_id}`, { description: 'new' })
    await fixture.call('DELETE', `/release-notes/${kf_id}`)
    const { results } = await get(`/audit?subject=${kf_id}`)
    expect(results.map((one: any) => [one.action, one.detail.method])).toEqual([
      ['note.write', 'DELETE'],
      ['note.write', 'PATCH'],
      ['note.write', 'POST'],
    ])
  })
})

describe('lists', () => {
  let mine: string[]
  let of: string
  beforeAll(async () => {
    of = await fixture.issue({ studies: [STUDY, OTHER] })
    mine = []
    for (const study of [null, toStudy(), toStudy(OTHER)]) {
      mine.unshift((await write({ release: toRelease(of), author: 'lister', study })).kf_id)
      await nextMillisecond()
    }
  })
  const ids = async (query: string) =>
    (await get(`/release-notes?${query}`)).results.map((note: any) => note.kf_id)

  test('newest first, in pages (CR-9 to CR-11)', async () => {
    const page = await get(`/release-notes?author=lister&limit=2`)
    expect([page.count, page.previous]).toEqual([3, null])
    expect(page.results.map((note: any) => note.kf_id)).toEqual(mine.slice(0, 2))
    expect(page.next).toBe('http://c.test/release-notes?author=lister&limit=2&offset=2')
    expect(await ids('author=lister&limit=2&offset=2')).toEqual(mine.slice(2))
  })

  test('filters by author, release and study; an empty one is none (CR-35)', async () => {
    expect(await ids('author=liste')).toEqual([])
    expect(await ids(`release=${of}`)).toEqual(mine)
    expect(await ids(`release=${of}&study=${STUDY}`)).toEqual([mine[1]])
    expect(await ids(`release=${of}&study=`)).toEqual(mine)
  })

  test('an unknown release or study is no choice (CR-14, CR-35)', async () => {
    const told = ['Select a valid choice. That choice is not one of the available choices.']
    expect(await fixture.call('GET', '/release-notes?release=RE_NOTHERE0&study=x')).toMatchObject({
      code: 400,
      body: { release: told, study: told },
    })
    expect((await fixture.call('GET', `/release-notes?release=${of}&study=x`)).body).toEqual({ study: told })
  })

  test('a release shows its notes, newest first, wherever it is shown (CR-17)', async () => {
    const shown = async (found: any) => {
      for (const note of found.notes) expect(await get(`/release-notes/${note.kf_id}`)).toEqual(note)
      return found.notes.map((note: any) => note.kf_id)
    }
    expect(await shown(await get(`/releases/${of}`))).toEqual(mine)
    const listed = (await get('/releases')).results.find((one: any) => one.kf_id === of)
    expect(await shown(listed)).toEqual(mine)
    const ofStudy = (await get(`/studies/${OTHER}/releases`)).results.find((one: any) => one.kf_id === of)
    expect(await shown(ofStudy)).toEqual(mine)
    expect(await shown(await get(`/studies/${OTHER}/releases/${of}`))).toEqual(mine)
    expect(await shown((await fixture.call('PATCH', `/releases/${of}`, {}, HOST)).body)).toEqual(mine)
  })
})

describe('conventions', () => {
  test('HEAD, OPTIONS, 405 (CR-12, CR-14)', async () => {
    const { kf_id } = await write()
    for (const url of ['/release-notes', `/release-notes/${kf_id}`, `/release-notes/${kf_id}.json`]) {
      expect(await fixture.call('HEAD', url)).toMatchObject({ code: 200, body: '' })
      const { code, body } = await fixture.call('OPTIONS', url)
      expect([code, Object.keys(body)]).toEqual([200, ['name', 'description', 'renders', 'parses']])
    }
    expect(await fixture.call('DELETE', '/release-notes')).toMatchObject({
      code: 405,
      body: { detail: 'Method "DELETE" not allowed.' },
      headers: { allow: 'GET, HEAD, OPTIONS, POST' },
    })
  })

  test('a body that is no object, and one that is no JSON (CR-14)', async () => {
    expect((await post([])).body).toEqual({
      non_field_errors: ['Invalid data. Expected a dictionary, but got list.'],
    })
    expect(await post('{')).toMatchObject({ code: 415 })
    const json = { 'content-type': 'application/json' }
    expect((await fixture.call('POST', '/release-notes', '{', json)).body.detail).toMatch(/^JSON parse error/)
  })

  test('with PUBLIC_URL its own links are taken again, with their path or without (CR-6, CR-7)', async () => {
    const own = await Fixture.start({ env: { PUBLIC_URL: 'https://releases.test/api' } })
    try {
      const to = await own.issue()
      for (const link of [`https://releases.test/api/releases/${to}`, `/releases/${to}`]) {
        const { code, body } = await own.call('POST', '/release-notes', { description: 'x', release: link })
        expect([code, body.release]).toEqual([201, `https://releases.test/api/releases/${to}`])
      }
    } finally {
      await own.close()
    }
  })
})
