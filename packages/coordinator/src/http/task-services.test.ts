import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually, Fixture, latch } from '../coordinator.fixture.ts'

let fixture: Fixture

beforeEach(async () => {
  fixture = await Fixture.start()
})
afterEach(() => fixture.close())

const about = (url: string, fields: object = {}) => ({
  name: 'n',
  description: 'd',
  author: 'a',
  url,
  ...fields,
})
const post = (fields: unknown) => fixture.call('POST', '/task-services', fields)

test('POST is 201 with the fields of the contract in their order (CR-28, CR-32)', async () => {
  const service = await fixture.fake()
  const { code, body } = await post(about(service.url, { last_ok_status: 9, kf_id: 'TS_MINE0000' }))
  expect(code).toBe(201)
  expect(Object.entries(body)).toEqual([
    ['kf_id', expect.stringMatching(/^TS_[0-9A-HJKMNP-TV-Z]{8}$/)],
    ['name', 'n'],
    ['description', 'd'],
    ['last_ok_status', 0],
    ['author', 'a'],
    ['health_status', 'ok'],
    ['url', service.url],
    ['created_at', expect.stringMatching(/\.\d{6}Z$/)],
    ['enabled', true],
    ['deadlines', { accept: null, silence: null, total: null }],
    ['version', '1'],
  ])
  // A registration carries no token, and follows no redirect (SV-2, CR-29).
  expect(service.statusRequests[0]).not.toHaveProperty('authorization')
  expect(await fixture.call('GET', `/task-services/${body.kf_id}`)).toMatchObject({ code: 200, body })
})

test.each([
  [{}, ['name', 'description', 'author', 'url'], 'This field is required.'],
  [about('x', { name: '' }), ['name'], 'This field may not be blank.'],
  [about('x', { name: 'x'.repeat(101) }), ['name'], 'Ensure this field has no more than 100 characters.'],
  [
    about('x', { description: 'x'.repeat(501) }),
    ['description'],
    'Ensure this field has no more than 500 characters.',
  ],
  [about('x', { author: null }), ['author'], 'This field may not be null.'],
  [about(`http://${'x'.repeat(200)}`), ['url'], 'Ensure this field has no more than 200 characters.'],
  [about('http://127.0.0.1:1', { enabled: 'x' }), ['enabled'], 'Must be a valid boolean.'],
  [about('ftp://127.0.0.1'), ['url'], 'Enter a valid URL.'],
  [about('127.0.0.1:8282'), ['url'], 'Enter a valid URL.'],
  [about('http://'), ['url'], 'Enter a valid URL.'],
])('400 for %j (CR-14, CR-29)', async (fields, names, message) => {
  const { code, body } = await post(fields)
  expect([code, body]).toEqual([400, Object.fromEntries(names.map((name) => [name, [message]]))])
  expect((await fixture.call('GET', '/task-services')).body.count).toBe(0)
})

describe('the call at registration (SV-3, CR-29)', () => {
  const UNEXPECTED = 'did not return the expected /status response'

  test.each([
    [200, 'no such word', `${UNEXPECTED}: no 'name' in body`],
    [201, '{"name":"x"}', `${UNEXPECTED}: response did not return with 200`],
    [302, '{"name":"x"}', `${UNEXPECTED}: response did not return with 200`],
  ])('an answer %s %s', async (code, body, why) => {
    const service = await fixture.fake()
    service.status = { code, body, headers: { location: '/elsewhere' } }
    expect(await post(about(service.url))).toMatchObject({
      code: 400,
      body: { url: [`${service.url} ${why}`] },
    })
    expect(service.statusRequests).toHaveLength(1)
  })

  test.each([400, 404, 500, 503])('a status %s counts as not reached', async (code) => {
    const service = await fixture.fake()
    service.status = { code, body: '{"name":"x"}' }
    const { body } = await post(about(service.url))
    expect(body.url[0]).toMatch(new RegExp(`^could not reach ${service.url}: `))
  })

  test('nobody there: the reason is a generic word, not what the system says', async () => {
    const service = await fixture.fake()
    await service.close()
    const { code, body } = await post(about(service.url))
    expect([code, body]).toEqual([400, { url: [`could not reach ${service.url}: no connection`] }])
  })

  test('a body that is not JSON passes: only the word is looked for', async () => {
    const service = await fixture.fake()
    service.status = { code: 200, body: 'my name is service' }
    expect((await post(about(service.url))).code).toBe(201)
  })

  test('a slash at the end stays, and leads to //status (SV-5)', async () => {
    const service = await fixture.fake()
    const { code, body } = await post(about(`${service.url}/`))
    expect([code, body.url]).toEqual([201, `${service.url}/`])
    expect(service.statusRequests[0]?.['url']).toBe('//status')
  })
})

describe('an address is registered once', () => {
  test('by POST, PUT and PATCH; its own address again is fine (CR-29, F-54)', async () => {
    const [one, two] = [await fixture.register(), await fixture.register()]
    const refused = { code: 400, body: { url: [expect.stringContaining('registered already')] } }
    const calls = one.statusRequests.length
    expect(await post(about(one.url))).toMatchObject(refused)
    // Nor is it called for that.
    expect(one.statusRequests).toHaveLength(calls)
    expect(await fixture.call('PATCH', `/task-services/${two.id}`, { url: one.url })).toMatchObject(refused)
    expect(await fixture.call('PUT', `/task-services/${two.id}`, about(one.url))).toMatchObject(refused)
    expect((await fixture.call('PATCH', `/task-services/${two.id}`, { url: two.url })).code).toBe(200)
  })

  test('also by two at the same time, whose address is called meanwhile', async () => {
    const service = await fixture.fake()
    const results = await Promise.all([post(about(service.url)), post(about(service.url))])
    expect(results.map((one) => one.code).toSorted()).toEqual([201, 400])
    const [one, two] = [await fixture.register(), await fixture.register()]
    const free = await fixture.fake()
    const moved = await Promise.all(
      [one, two].map(({ id }) => fixture.call('PATCH', `/task-services/${id}`, { url: free.url })),
    )
    expect(moved.map((answer) => answer.code).toSorted()).toEqual([200, 400])
  })
})

describe('PUT and PATCH (CR-16, CR-32)', () => {
  test('PATCH changes what it names and calls nobody without a url', async () => {
    const { id, ...service } = await fixture.register()
    const calls = service.statusRequests.length
    expect(await fixture.call('PATCH', `/task-services/${id}`, { enabled: false })).toMatchObject({
      code: 200,
      body: { enabled: false, description: 'a fake' },
    })
    expect(service.statusRequests).toHaveLength(calls)
    expect((await fixture.call('PATCH', `/task-services/${id}`, {})).body.enabled).toBe(false)
  })

  test('PUT needs the required fields and keeps the optional one', async () => {
    const { id, url } = await fixture.register()
    await fixture.call('PATCH', `/task-services/${id}`, { enabled: false })
    expect((await fixture.call('PUT', `/task-services/${id}`, { name: 'x' })).body).toEqual({
      description: ['This field is required.'],
      author: ['This field is required.'],
      url: ['This field is required.'],
    })
    expect((await fixture.call('PUT', `/task-services/${id}`, about(url))).body).toMatchObject({
      name: 'n',
      enabled: false,
    })
  })

  test('an unknown one is 404', async () => {
    expect((await fixture.call('PATCH', '/task-services/TS_NOTHERE0', {})).code).toBe(404)
    expect((await fixture.call('DELETE', '/task-services/TS_NOTHERE0')).code).toBe(404)
  })

  test('an edit while a health check hangs is not undone by it (F-04)', async () => {
    const service = await fixture.register()
    const hold = latch()
    const before = service.statusRequests.length
    service.status = { code: 500, body: '' }
    service.holdStatus = hold.reached
    await fixture.call('POST', '/task-services/health_checks')
    await service.until(() => service.statusRequests.length > before)
    await fixture.call('PATCH', `/task-services/${service.id}`, { name: 'renamed', enabled: false })
    hold.open()
    const seen = await eventually(
      async () => (await fixture.call('GET', `/task-services/${service.id}`)).body,
      (shown) => shown.last_ok_status === 1,
    )
    expect(seen).toMatchObject({ name: 'renamed', enabled: false })
    service.status = { code: 399, body: '' }
    await fixture.call('POST', '/task-services/health_checks')
    await eventually(
      async () => (await fixture.call('GET', `/task-services/${service.id}`)).body,
      (shown) => shown.last_ok_status === 0,
    )
  })
})

describe('DELETE (RC-35, CR-32)', () => {
  test('204 without a body; a second one is 404', async () => {
    const { id } = await fixture.register()
    const { code, body } = await fixture.call('DELETE', `/task-services/${id}`)
    expect([code, body]).toEqual([204, ''])
    expect((await fixture.call('DELETE', `/task-services/${id}`)).code).toBe(404)
    expect((await fixture.call('GET', '/task-services')).body.count).toBe(0)
  })

  test('409 while a release with its task has not ended; then its tasks go, and events keep a null link', async () => {
    const service = await fixture.register()
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    expect(await fixture.call('DELETE', `/task-services/${service.id}`)).toMatchObject({
      code: 409,
      body: { detail: expect.stringContaining(id) },
    })
    await fixture.cancel(id)
    await fixture.reaches(id, 'canceled')
    const before = (await fixture.call('GET', `/events?release=${id}`)).body.count
    expect((await fixture.call('DELETE', `/task-services/${service.id}`)).code).toBe(204)
    expect((await fixture.release(id)).tasks).toEqual([])
    const { count, results } = (await fixture.call('GET', `/events?release=${id}`)).body
    expect(count).toBe(before)
    expect(results.every((event: any) => event.task_service === null && event.task === null)).toBe(true)
  })
})

test('the list filters by enabled; garbage is ignored (CR-31)', async () => {
  const [one] = [await fixture.register(), await fixture.register()]
  await fixture.call('PATCH', `/task-services/${one.id}`, { enabled: false })
  const count = async (query: string) => (await fixture.call('GET', `/task-services?${query}`)).body.count
  expect([await count('enabled=True'), await count('enabled=False')]).toEqual([1, 1])
  for (const garbage of ['perhaps', '', 'toString', '__proto__', 'constructor'])
    expect(await count(`enabled=${garbage}`)).toBe(2)
})

test('health_checks asks every service once, enabled or not; from the fourth failure it is down (CR-33, RC-36)', async () => {
  const [one, two] = [await fixture.register(), await fixture.register()]
  await fixture.call('PATCH', `/task-services/${two.id}`, { enabled: false })
  one.status = { code: 400, body: '' }
  const check = async (failures: number) => {
    expect(await fixture.call('POST', '/task-services/health_checks')).toMatchObject({
      code: 200,
      body: { status: 'ok' },
    })
    return eventually(
      async () => (await fixture.call('GET', `/task-services/${one.id}`)).body,
      (shown) => shown.last_ok_status === failures,
    )
  }
  const before = two.statusRequests.length
  for (const failures of [1, 2, 3]) expect((await check(failures)).health_status).toBe('ok')
  expect((await check(4)).health_status).toBe('down')
  one.status = { code: 302, body: '' }
  expect((await check(0)).health_status).toBe('ok')
  await two.until(() => two.statusRequests.length === before + 5)
})

test('version is what the service last said: at its registration, then at health checks (CR-28, SV-4)', async () => {
  const service = await fixture.fake()
  const says = (body: unknown) => (service.status = { code: 200, body: JSON.stringify(body) })
  says({ name: 'n', version: '1.0.0' })
  const { body } = await post(about(service.url, { version: 'mine' }))
  expect(body.version).toBe('1.0.0')
  const checked = async (wanted: string) => {
    await fixture.call('POST', '/task-services/health_checks')
    const read = async () => (await fixture.call('GET', `/task-services/${body.kf_id}`)).body
    expect((await eventually(read, ({ version }) => version === wanted)).version).toBe(wanted)
  }
  says({ message: { name: 'n', version: '1.1.0' } })
  await checked('1.1.0')
  // Who says nothing of it has not lost it.
  const asked = service.statusRequests.length
  says({ version: 7 })
  await fixture.call('POST', '/task-services/health_checks')
  await service.until(() => service.statusRequests.length > asked)
  await checked('1.1.0')
  says({ name: 'n', version: 'x'.repeat(300) })
  await checked('x'.repeat(100))
})

test('addresses that are never called, and private ones where that is set, are like nobody there (CR-29, CR-30)', async () => {
  const refused = async (url: string) => {
    const { code, body } = await post(about(url))
    expect([code, body]).toEqual([400, { url: [`could not reach ${url}: no connection`] }])
  }
  for (const host of ['169.254.169.254', '[::ffff:a9fe:a9fe]', '2852039166', '0.0.0.0', '[fe80::1]', '[::]'])
    await refused(`http://${host}:1`)
  const service = await fixture.register()
  await fixture.restart({ PRIVATE_ADDRESSES: 'refuse' })
  const calls = service.statusRequests.length
  await refused((await fixture.fake()).url)
  // Nor is one that was registered before.
  await fixture.call('POST', '/task-services/health_checks')
  await eventually(
    async () => (await fixture.call('GET', `/task-services/${service.id}`)).body,
    (shown) => shown.last_ok_status > 0,
  )
  expect(service.statusRequests).toHaveLength(calls)
})

test('texts that no database keeps are refused by name (CR-15)', async () => {
  const { url } = await fixture.fake()
  expect((await post(about(url, { name: 'a\0b', description: 'x\ud800', author: '\udfff\0' }))).body).toEqual(
    {
      name: ['Null characters are not allowed.'],
      description: ['Surrogate characters are not allowed: U+D800.'],
      author: ['Null characters are not allowed.'],
    },
  )
  expect((await post(about(url, { name: '💣' }))).code).toBe(201)
})
