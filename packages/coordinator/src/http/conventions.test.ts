import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'

let fixture: Fixture

/** One coordinator for a group of tests that do not get into each other's way: starting one takes longer than they. */
function once(prepare: () => Promise<void> = async () => undefined): void {
  beforeAll(async () => {
    fixture = await Fixture.start()
    await prepare()
  })
  afterAll(() => fixture.close())
}

const NEW = { name: 'spring', studies: [STUDY] }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('paths and methods', () => {
  once()

  test.each([
    ['POST', '/tasks'],
    ['DELETE', '/tasks/TA_00000001'],
    ['POST', '/tasks/TA_00000001'],
    ['PUT', '/releases'],
    ['DELETE', '/releases'],
    ['POST', '/releases/RE_00000001'],
    ['GET', '/releases/RE_00000001/publish'],
    ['GET', '/releases/status_checks'],
    ['DELETE', '/tasks/status_checks'],
    ['GET', '/task-services/health_checks'],
    ['GET', '/studies/sync'],
    ['PUT', '/releases/latest-published'],
    ['PATCH', '/releases/latest-published'],
    ['DELETE', '/releases/latest-published'],
    ['POST', '/releases/latest-published'],
    ['PUT', '/release-notes'],
    ['DELETE', '/release-notes'],
    ['POST', '/release-notes/RN_00000001'],
    ['POST', '/events/stream'],
    ['DELETE', '/events/stream'],
    ['POST', '/events'],
    ['PATCH', '/events/EV_00000001'],
    ['DELETE', '/events/EV_00000001'],
    ['POST', '/studies'],
    ['PUT', '/studies/SD_00000001'],
    ['POST', '/studies/SD_00000001/releases'],
    ['POST', '/'],
  ] as const)('%s %s is 405 and says what there is (CR-14, CR-26, CR-37, CR-39)', async (method, url) => {
    const { code, body, headers } = await fixture.call(method, url, method === 'GET' ? undefined : {})
    expect([code, body]).toEqual([405, { detail: `Method "${method}" not allowed.` }])
    expect(String(headers['allow']).split(', ')).not.toContain(method)
  })

  test.each(['/nothing', '/releases/a/b', '/releases/RE_1/publish/x', '/status', '/release'])(
    '%s is 404, and not in the words of an unknown id (WK-20)',
    async (url) => {
      const { code, body } = await fixture.call('GET', url)
      expect(code).toBe(404)
      expect(body.detail).not.toBe('Not found.')
    },
  )

  test.each(['/releases/', '/tasks/', '/studies/', '/events/', '/task-services/', '/release-notes/'])(
    '%s has a slash too many: 404 (CR-2)',
    async (url) => expect((await fixture.call('GET', url)).code).toBe(404),
  )

  test.each([
    '/releases/RE_NOTHERE0',
    '/tasks/TA_NOTHERE0',
    '/task-services/TS_NOTHERE0',
    '/events/EV_NOTHERE0',
    '/release-notes/RN_NOTHERE0',
    '/studies/SD_NOTHERE0',
    '/studies/SD_NOTHERE0/releases',
    `/studies/${STUDY}/releases/RE_NOTHERE0`,
    '/releases/x',
  ])('%s is an unknown id: 404 (ID-6)', async (url) => {
    expect(await fixture.call('GET', url)).toMatchObject({ code: 404, body: { detail: 'Not found.' } })
  })

  test('an address that is too long for any id is the caller’s fault', async () => {
    const { code } = await fixture.call('GET', `/releases/${'x'.repeat(300)}`)
    expect([404, 414]).toContain(code)
  })

  test('HEAD and OPTIONS are answered (CR-12)', async () => {
    expect((await fixture.call('HEAD', '/releases')).code).toBe(200)
    for (const url of ['/', '/releases', '/releases/RE_00000001', '/tasks/TA_1', '/releases/status_checks']) {
      const { code, body } = await fixture.call('OPTIONS', url)
      expect(code).toBe(200)
      expect(Object.keys(body)).toEqual(['name', 'description', 'renders', 'parses'])
    }
    expect((await fixture.call('OPTIONS', '/nothing')).code).toBe(404)
  })

  test('duplicate slashes count as one (SV-5)', async () => {
    expect((await fixture.call('GET', '//releases')).code).toBe(200)
  })
})

describe('formats (CR-3, CR-4)', () => {
  once()

  test('the suffix .json works, for lists, single ones, and writing', async () => {
    const id = await fixture.issue()
    expect((await fixture.call('GET', '/releases.json')).body.count).toBeGreaterThan(0)
    expect((await fixture.call('GET', `/releases/${id}.json`)).body.kf_id).toBe(id)
    expect((await fixture.call('PATCH', `/releases/${id}.json`, { description: 'x' })).body.description).toBe(
      'x',
    )
    expect((await fixture.call('GET', '/studies.json?limit=1')).body.results).toHaveLength(1)
    expect((await fixture.call('DELETE', '/tasks/TA_1.json')).code).toBe(405)
  })

  test.each([
    ['application/json', 200],
    ['*/*', 200],
    ['application/*', 200],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 200],
    ['text/html', 406],
    ['application/xml', 406],
    ['application/json;q=0', 406],
    ['text/plain, application/xml', 406],
  ])('Accept: %s is %s', async (accept, expected) => {
    const { code, body } = await fixture.call('GET', '/releases', undefined, { accept })
    expect(code).toBe(expected)
    if (expected === 406) expect(body.detail).toEqual(expect.any(String))
  })

  test('?format=json and the suffix are stronger than Accept', async () => {
    const xml = { accept: 'application/xml' }
    expect((await fixture.call('GET', '/releases?format=json', undefined, xml)).code).toBe(200)
    expect((await fixture.call('GET', '/releases.json', undefined, xml)).code).toBe(200)
  })

  test('metrics and probes take any Accept', async () => {
    for (const url of ['/metrics', '/livez', '/readyz'])
      expect((await fixture.call('GET', url, undefined, { accept: 'text/plain' })).code).toBe(200)
    expect((await fixture.call('GET', '/metrics')).body).toContain('release_coordinator_releases')
  })

  test('a form is a body like any other; a repeated field is a list, also of one', async () => {
    const one = await fixture.call('POST', '/releases', `name=spring&studies=${STUDY}&is_major=true`, FORM)
    expect(one).toMatchObject({ code: 201, body: { studies: [STUDY], is_major: true } })
    const form = `name=x&studies=${STUDY}&studies=SD_9PYZAHHE&tags=a&tags=b`
    const two = await fixture.call('POST', '/releases', form, FORM)
    expect(two.body).toMatchObject({ studies: [STUDY, 'SD_9PYZAHHE'], tags: ['a', 'b'] })
  })

  test.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonx'])(
    '%s is 415',
    async (type) => {
      const { code, body } = await fixture.call('POST', '/releases', '{}', { 'content-type': type })
      expect([code, body.detail]).toEqual([415, expect.stringContaining(type.split(';')[0] ?? '')])
    },
  )
})

describe('bodies that are none (CR-14)', () => {
  once()

  const post = (payload: string) =>
    fixture.call('POST', '/releases', payload, { 'content-type': 'application/json' })

  test.each(['{"a', '{', 'nonsense', '{"a":1,}'])('malformed JSON %j', async (payload) => {
    const { code, body } = await post(payload)
    expect([code, body]).toEqual([400, { detail: expect.stringMatching(/^JSON parse error - ./) }])
  })

  test.each([
    ['[]', 'list'],
    ['"text"', 'str'],
    ['5', 'int'],
    ['true', 'bool'],
  ])('%s is no object', async (payload, type) => {
    expect(await post(payload)).toMatchObject({
      code: 400,
      body: { non_field_errors: [`Invalid data. Expected a dictionary, but got ${type}.`] },
    })
  })

  test('an empty one has no fields', async () => {
    expect((await post('')).body).toEqual({
      name: ['This field is required.'],
      studies: ['This field is required.'],
    })
  })

  test('one that is too long is the sender’s fault, not ours', async () => {
    const { code, body } = await post(JSON.stringify({ ...NEW, description: 'x'.repeat(2_000_000) }))
    expect([code, body.detail]).toEqual([413, expect.any(String)])
  })
})

describe('pages (CR-10, CR-11)', () => {
  once(async () => {
    for (let index = 0; index < 12; index++) await fixture.issue({ name: `r${index}` })
  })

  const get = async (url: string) => (await fixture.call('GET', url, undefined, { host: 'c.test' })).body
  const names = (body: any) => body.results.map((release: any) => release.name)

  test('ten, newest first, with links to the others', async () => {
    const first = await get('/releases')
    expect(Object.keys(first)).toEqual(['count', 'next', 'previous', 'results'])
    expect([first.count, first.previous]).toEqual([12, null])
    expect(names(first)).toEqual(['r11', 'r10', 'r9', 'r8', 'r7', 'r6', 'r5', 'r4', 'r3', 'r2'])
    expect(first.next).toBe('http://c.test/releases?limit=10&offset=10')
    const second = await get(first.next.replace('http://c.test', ''))
    expect([names(second), second.next]).toEqual([['r1', 'r0'], null])
    expect(second.previous).toBe('http://c.test/releases?limit=10')
  })

  test('links keep the other parameters, and one that leads to the first page has no offset', async () => {
    const page = await get('/releases?state=&other=a%20b&limit=3&offset=2')
    expect(page.next).toBe('http://c.test/releases?state=&other=a+b&limit=3&offset=5')
    expect(page.previous).toBe('http://c.test/releases?state=&other=a+b&limit=3')
    expect((await get('/releases?limit=3&offset=6')).previous).toBe('http://c.test/releases?limit=3&offset=3')
  })

  test.each([
    ['limit=0', 10],
    ['limit=-1', 10],
    ['limit=x', 10],
    ['limit=', 10],
    ['limit=1.5', 10],
    ['limit=2', 2],
    ['limit=2&offset=-5', 2],
    ['limit=2&offset=x', 2],
    ['limit=100000', 12],
  ])('?%s gives %s', async (query, expected) => {
    const page = await get(`/releases?${query}`)
    expect(page.results).toHaveLength(expected)
    expect(page.results[0].name).toBe('r11')
  })

  test('a page beyond the end is empty, and leads back', async () => {
    const page = await get('/releases?offset=50')
    expect([page.count, page.results, page.next]).toEqual([12, [], null])
    expect(page.previous).toBe('http://c.test/releases?offset=40&limit=10')
  })

  test('a limit above 1,000 is cut to 1,000, in the links too', async () => {
    expect((await get('/releases?limit=5000&offset=1')).previous).toBe('http://c.test/releases?limit=1000')
  })

  test('the first duplicate slash leads nowhere else', async () => {
    expect((await get('//releases?limit=1')).next).toMatch(/^http:\/\/c\.test\//)
  })

  test('a Host header that is part of no address is no trouble', async () => {
    const { code, body } = await fixture.call('GET', '/releases?limit=1', undefined, { host: 'a b%' })
    expect([code, body.next]).toEqual([200, 'http://a b%/releases?limit=1&offset=1'])
  })
})

describe('the whole', () => {
  beforeEach(async () => {
    fixture = await Fixture.start()
  })
  afterEach(() => fixture.close())

  test('GET / is a map of absolute addresses (CR-1)', async () => {
    const { code, body } = await fixture.call('GET', '/', undefined, { host: 'coordinator.test:80' })
    expect([code, body]).toEqual([
      200,
      {
        tasks: 'http://coordinator.test:80/tasks',
        'task-services': 'http://coordinator.test:80/task-services',
        releases: 'http://coordinator.test:80/releases',
        'release-notes': 'http://coordinator.test:80/release-notes',
        events: 'http://coordinator.test:80/events',
        studies: 'http://coordinator.test:80/studies',
      },
    ])
  })

  test('links begin with PUBLIC_URL where it is set, its path included; X-Forwarded-* count for nothing (CR-6)', async () => {
    await fixture.issue()
    await fixture.issue()
    const forwarded = { host: 'inner', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' }
    const plain = await fixture.call('GET', '/releases?limit=1', undefined, forwarded)
    expect(plain.body.next).toBe('http://inner/releases?limit=1&offset=1')
    await fixture.restart({ PUBLIC_URL: 'https://releases.test/api/' })
    const { body } = await fixture.call('GET', '/releases?limit=1', undefined, forwarded)
    expect(body.next).toBe('https://releases.test/api/releases?limit=1&offset=1')
    expect((await fixture.call('GET', '/')).body.tasks).toBe('https://releases.test/api/tasks')
  })

  test('what a proxy says of the address counts where TRUST_PROXY names that proxy, and only there (CR-6)', async () => {
    await fixture.issue()
    await fixture.issue()
    const forwarded = { host: 'inner', 'x-forwarded-host': 'releases.test', 'x-forwarded-proto': 'https' }
    const next = async () => (await fixture.call('GET', '/releases?limit=1', undefined, forwarded)).body.next
    await fixture.restart({ TRUST_PROXY: '127.0.0.1,10.0.0.0/8' })
    expect(await next()).toBe('https://releases.test/releases?limit=1&offset=1')
    await fixture.restart({ TRUST_PROXY: '10.0.0.0/8' })
    expect(await next()).toBe('http://inner/releases?limit=1&offset=1')
  })

  test('a coordinator that stops is alive, but not ready (SV-20)', async () => {
    expect((await fixture.call('GET', '/readyz')).code).toBe(200)
    await fixture.coordinator.stop()
    expect((await fixture.call('GET', '/readyz')).code).toBe(503)
    expect((await fixture.call('GET', '/livez')).code).toBe(200)
  })

  test('the paths are described', async () => {
    const { body } = await fixture.call('GET', '/openapi.json')
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/releases', '/tasks/{id}']))
    expect(Object.keys(body.paths).filter((path) => path.endsWith('.json'))).toEqual([])
  })
})
