import { attacks, isWrite, rawRequest, routesOf, spellingsOf, type Route } from '@release-task/auth/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually, STUDY, type FakeService } from '../coordinator.fixture.ts'
import { AuthFixture, bearer, CALLERS, OWN, SENT_OUT, type CallerName } from './auth.fixture.ts'

const MISSING = { detail: 'Authentication credentials were not provided.' }
const RELEASE_REFUSED = { detail: 'Not allowed' }
const ADMIN_NEEDED = { detail: 'Must be an admin' }
const DEVELOPER_NEEDED = { detail: 'Must be a developer' }

let fixture: AuthFixture
let service: FakeService & { readonly id: string }
/** Of a release that runs, with one task. */
let release: string
let task: string
let note: string

async function begin(env: Record<string, string> = {}): Promise<void> {
  fixture = await AuthFixture.start(env)
  service = await fixture.coordinator.register('one')
  release = await fixture.coordinator.issue()
  await fixture.coordinator.tasksReach(release, 'running')
  task = service.task()
  note = await noteOn(release)
}

async function noteOn(id: string): Promise<string> {
  const given = { description: 'a note', release: `/releases/${id}` }
  return (await fixture.coordinator.call('POST', '/release-notes', given)).body.kf_id
}

/** A body with which each write would do something. */
function bodyFor({ method, path }: Route): unknown {
  if (path.startsWith('/tasks')) return { progress: 77 }
  if (path.startsWith('/task-services'))
    return { name: 'changed', description: 'changed', author: 'changed', url: service.url }
  if (path.startsWith('/release-notes')) return { description: 'changed', release: `/releases/${release}` }
  if (path.startsWith('/releases'))
    return method === 'PATCH' ? { description: 'changed' } : { name: 'changed', studies: [STUDY] }
  return {}
}

function concrete(path: string): string {
  const ids: { readonly [resource: string]: string } = {
    tasks: task,
    releases: release,
    'release-notes': note,
    'task-services': service.id,
    studies: STUDY,
  }
  return path.replace(':id', ids[path.split('/')[1] ?? ''] ?? 'none').replace(':release', release)
}

function writes(): Route[] {
  const { app } = fixture.coordinator.coordinator
  return routesOf(app.printRoutes({ commonPrefix: false }))
    .filter(isWrite)
    .filter(isNoQuestion)
}

/** A POST of GraphQL is a read, and what it changes is asked of the routes here. */
const isNoQuestion = ({ path }: Route) => !/^\/graphql(\.json)?$/.test(path)

/** Nobody may, and everybody is told so: there is no such method (CR-14). */
const isNoWrite = ({ method, path }: Route) => method !== 'POST' && path.startsWith('/studies/sync')

/** Each request with what it was answered, so that one difference shows all that is wrong. */
async function askAll(routes: readonly Route[], authorization: readonly string[]) {
  const answers = routes.map(async (route) => {
    const body = bodyFor(route)
    const answer = await rawRequest(fixture.url, {
      ...route,
      path: concrete(route.path),
      authorization,
      body,
    })
    return [`${route.method} ${route.path}`, answer.status, answer.body] as const
  })
  return Promise.all(answers)
}

describe('what is not a token for this side', () => {
  beforeAll(() => begin())
  afterAll(() => fixture.close())

  test('the writes are those of the contract: none is left out of these tables', () => {
    const own = writes().filter(({ path }) => !path.endsWith('.json'))
    expect(own.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      'DELETE /release-notes/:id',
      'DELETE /releases/:id',
      'DELETE /releases/latest-published',
      'DELETE /releases/status_checks',
      'DELETE /studies/sync',
      'DELETE /task-services/:id',
      'DELETE /task-services/health_checks',
      'DELETE /tasks/status_checks',
      'PATCH /release-notes/:id',
      'PATCH /releases/:id',
      'PATCH /releases/latest-published',
      'PATCH /releases/status_checks',
      'PATCH /studies/sync',
      'PATCH /task-services/:id',
      'PATCH /task-services/health_checks',
      'PATCH /tasks/:id',
      'PATCH /tasks/status_checks',
      'POST /release-notes',
      'POST /releases',
      'POST /releases/:id/publish',
      'POST /releases/status_checks',
      'POST /studies/sync',
      'POST /task-services',
      'POST /task-services/health_checks',
      'POST /tasks/status_checks',
      'PUT /release-notes/:id',
      'PUT /releases/:id',
      'PUT /releases/latest-published',
      'PUT /releases/status_checks',
      'PUT /studies/sync',
      'PUT /task-services/:id',
      'PUT /task-services/health_checks',
      'PUT /tasks/:id',
      'PUT /tasks/status_checks',
    ])
    const { paths } = fixture.coordinator.coordinator.app.swagger() as unknown as {
      paths: Record<string, Record<string, unknown>>
    }
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        method: method.toUpperCase(),
        path: path.replace(/\{(\w+)\}/g, ':$1'),
      })),
    )
    expect(own).toEqual(expect.arrayContaining(documented.filter(isWrite)))
  })

  test('every attack on every write is 403 in the words of the contract, and changes nothing (AU-3, AU-5, AU-9)', async () => {
    const routes = writes().filter((route) => !isNoWrite(route))
    const expected = routes.map(({ method, path }) => [`${method} ${path}`, 403, MISSING])
    const before = fixture.dump()
    const polls = service.received.length
    const all = await attacks(fixture.issuer, OWN, SENT_OUT)
    expect(all.length).toBeGreaterThan(25)
    for (const { name, lines } of all) expect([name, await askAll(routes, lines)]).toEqual([name, expected])
    expect(fixture.dump()).toBe(before)
    expect(service.received.length).toBe(polls)
  })

  test('a route that has no write at all is 405 to everybody, and does nothing', async () => {
    const answers = await askAll(writes().filter(isNoWrite), [])
    expect(answers).toHaveLength(6)
    for (const [name, status] of answers) expect([name, status]).toEqual([name, 405])
  })

  test('USER: every write is 403 with the text of its resource (CR-14)', async () => {
    const textOf = (path: string) => {
      if (path.startsWith('/releases')) return RELEASE_REFUSED
      return /^\/(tasks|release-notes)/.test(path) ? ADMIN_NEEDED : DEVELOPER_NEEDED
    }
    const routes = writes().filter((route) => !isNoWrite(route))
    const before = fixture.dump()
    const { authorization = '' } = await fixture.headersOf('USER')
    expect(await askAll(routes, [authorization])).toEqual(
      routes.map(({ method, path }) => [`${method} ${path}`, 403, textOf(path)]),
    )
    expect(fixture.dump()).toBe(before)
  })

  test('no spelling of a path, and no other method, leads around the guard', async () => {
    const before = fixture.dump()
    for (const route of writes().filter((one) => !isNoWrite(one))) {
      for (const path of spellingsOf(concrete(route.path))) {
        const answer = await rawRequest(fixture.url, { ...route, path, body: bodyFor(route) })
        const seen = `${route.method} ${path} ${answer.status} ${answer.text}`
        // Either the guard, or nothing is there: a static part that is written otherwise is no route.
        if (answer.status === 404) expect(answer.body.detail, seen).toMatch(/^There is nothing at /)
        else if (/sync.*;x$/.test(path)) expect(answer.status, seen).toBe(405)
        else expect([answer.status, answer.body], seen).toEqual([403, MISSING])
      }
    }
    expect(fixture.dump()).toBe(before)
  })

  test.each([
    'publish',
    '%70ublish',
    'publis%68',
    'publish.json',
    'publish/',
    '/publish',
    'publish?_method=GET',
  ])('publish written as %s is 403 without a token (AU-7)', async (written) => {
    const path = `/releases/${release}/${written}`
    expect(await rawRequest(fixture.url, { method: 'POST', path, body: {} })).toMatchObject({
      status: 403,
      body: MISSING,
    })
  })

  test('HEAD and OPTIONS are open on every path and do nothing; no header makes a write of a GET (CR-12)', async () => {
    const before = fixture.dump()
    const { app } = fixture.coordinator.coordinator
    const paths = new Set(
      routesOf(app.printRoutes({ commonPrefix: false })).map(({ path }) => concrete(path)),
    )
    const override = { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE' }
    for (const path of [...paths].filter((one) => !one.startsWith('/audit'))) {
      // A stream would not end.
      for (const method of path.startsWith('/events/stream')
        ? ['HEAD', 'OPTIONS']
        : ['HEAD', 'OPTIONS', 'GET']) {
        const { status } = await rawRequest(fixture.url, { method, path, headers: override })
        expect(status, `${method} ${path}`).not.toBe(403)
      }
    }
    expect(fixture.dump()).toBe(before)
  })

  test('on GET a bad token is anonymous and reads; `/audit` stays closed (AU-3)', async () => {
    const reads = [
      '/',
      '/releases',
      `/releases/${release}`,
      `/tasks/${task}`,
      '/task-services',
      '/studies',
      '/events',
    ]
    for (const { name, lines: authorization } of await attacks(fixture.issuer, OWN, SENT_OUT)) {
      for (const path of reads)
        expect(
          (await rawRequest(fixture.url, { method: 'GET', path, authorization })).status,
          name + path,
        ).toBe(200)
      for (const path of ['/audit', '/audit.json', '//audit', '/%61udit', '/audit?format=jsonl'])
        expect(
          await rawRequest(fixture.url, { method: 'GET', path, authorization }),
          name + path,
        ).toMatchObject({
          status: 403,
          body: MISSING,
        })
    }
  })

  test('the same requests with a good token are taken: the table refuses for the token alone', async () => {
    const headers = await fixture.headersOf('ADMIN')
    const answer = await fixture.coordinator.call('PATCH', `/tasks/${task}`, { progress: 77 }, headers)
    expect(answer).toMatchObject({ code: 200, body: { progress: 77 } })
  })
})

describe('who may do what (AU-7, AU-8)', () => {
  const NAMES = Object.keys(CALLERS) as CallerName[]
  /** Released to be published, one for each caller: without a service a release is staged at once (RC-3). */
  const staged = new Map<CallerName, string>()

  beforeAll(async () => {
    fixture = await AuthFixture.start()
    for (const name of NAMES) staged.set(name, await fixture.coordinator.issue({ name: 'to be published' }))
    for (const id of staged.values()) await fixture.coordinator.reaches(id, 'staged')
    service = await fixture.coordinator.register('one')
    release = await fixture.coordinator.issue()
    await fixture.coordinator.tasksReach(release, 'running')
    task = service.task()
  })
  afterAll(() => fixture.close())

  const [N, R, A, D] = [MISSING, RELEASE_REFUSED, ADMIN_NEEDED, DEVELOPER_NEEDED]
  type Wanted = number | { readonly detail: string }
  type Row = readonly [
    permission: string,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS',
    ...Wanted[],
  ]
  /** Typed by hand: the code when it is allowed, the body of the 403 when it is not. */
  const MATRIX: readonly Row[] = [
    //                                anonymous USER DEV ADMIN machine admin machine
    ['probe', 'OPTIONS', /*          */ 200, 200, 200, 200, 200, 200],
    ['read', 'GET', /*               */ 200, 200, 200, 200, 200, 200],
    ['release.create', 'POST', /*    */ N, R, 201, 201, R, 201],
    ['release.edit', 'PATCH', /*     */ N, R, R, 200, R, 200],
    ['release.publish', 'POST', /*   */ N, R, R, 200, R, 200],
    ['release.check', 'POST', /*     */ N, R, R, 200, 200, 200],
    ['note.write', 'POST', /*        */ N, A, A, 201, A, 201],
    ['task.report', 'PATCH', /*      */ N, A, A, 200, 200, 200],
    ['task.create', 'POST', /*       */ N, A, A, 405, A, 405],
    ['task.check', 'POST', /*        */ N, A, A, 200, 200, 200],
    ['service.write', 'PATCH', /*    */ N, D, 200, 200, D, 200],
    ['service.check', 'POST', /*     */ N, D, D, 200, 200, 200],
    ['study.sync', 'POST', /*        */ N, D, 200, 200, D, 200],
    ['event.write', 'POST', /*       */ N, R, R, 405, R, 405],
    ['audit.read', 'GET', /*         */ N, A, A, 200, A, 200],
    ['release.cancel', 'DELETE', /*  */ N, R, R, 200, R, 200],
  ]

  function requestFor(permission: string, caller: CallerName): readonly [path: string, body?: unknown] {
    const requests: { readonly [permission: string]: readonly [path: string, body?: unknown] } = {
      probe: ['/releases'],
      read: ['/releases'],
      'release.create': ['/releases', { name: `by ${caller}`, studies: [STUDY] }],
      'release.edit': [`/releases/${release}`, { description: `by ${caller}` }],
      'release.publish': [`/releases/${staged.get(caller)}/publish`, {}],
      'release.check': ['/releases/status_checks', {}],
      'note.write': ['/release-notes', { description: 'x', release: `/releases/${release}` }],
      'task.report': [`/tasks/${task}`, { progress: 10 }],
      'task.create': ['/tasks', {}],
      'task.check': ['/tasks/status_checks', {}],
      'service.write': [`/task-services/${service.id}`, { description: `by ${caller}` }],
      'service.check': ['/task-services/health_checks', {}],
      'study.sync': ['/studies/sync', {}],
      'event.write': ['/events', { message: 'forged' }],
      'audit.read': ['/audit'],
      'release.cancel': [`/releases/${release}`],
    }
    return requests[permission] ?? ['/nowhere']
  }

  describe.each(MATRIX.map(([permission, method, ...wanted]) => ({ permission, method, wanted })))(
    '$permission',
    ({ permission, method, wanted }) => {
      test.each(NAMES.map((caller, column) => ({ caller, expected: wanted[column]! })))(
        '$caller: $expected',
        async ({ caller, expected }) => {
          const [path, body] = requestFor(permission, caller)
          const answer = await fixture.coordinator.call(method, path, body, await fixture.headersOf(caller))
          if (typeof expected === 'number') expect(answer.code, JSON.stringify(answer.body)).toBe(expected)
          else expect(answer).toMatchObject({ code: 403, body: expected })
        },
      )
    },
  )
})

describe('a DEV releases the studies of its groups, and nobody signs for another (AU-7, F-59)', () => {
  const FOREIGN = 'SD_9PYZAHHE'
  beforeAll(async () => {
    fixture = await AuthFixture.start()
    const { body } = await fixture.coordinator.call('GET', '/studies')
    const ids = body.results.map((study: { kf_id: string }) => study.kf_id)
    foreign = ids.find((id: string) => id !== STUDY) ?? FOREIGN
  })
  afterAll(() => fixture.close())
  let foreign: string

  const post = async (body: unknown, headers: Record<string, string> = {}, caller: CallerName = 'DEV') =>
    fixture.coordinator.call('POST', '/releases', body, { ...(await fixture.headersOf(caller)), ...headers })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  test('its own, once or repeated, as a list or as the one value of a form: 201', async () => {
    expect(await post({ name: 'x', studies: [STUDY] })).toMatchObject({
      code: 201,
      body: { studies: [STUDY] },
    })
    expect(await post({ name: 'x', studies: [STUDY, STUDY] })).toMatchObject({
      code: 201,
      body: { studies: [STUDY] },
    })
    expect(await post(`name=x&studies=${STUDY}`, form)).toMatchObject({
      code: 201,
      body: { studies: [STUDY] },
    })
    const repeated = await post(`name=x&studies=${STUDY}&studies=${STUDY}`, form)
    expect(repeated).toMatchObject({ code: 201, body: { studies: [STUDY] } })
  })

  test('anything else is 403 or no release at all, however it is written', async () => {
    const before = fixture.dump()
    const name = 'x'
    const refused: readonly unknown[] = [
      { name, studies: [foreign] },
      { name, studies: [STUDY, foreign] },
      { name, studies: [foreign, STUDY] },
      { name, studies: foreign },
      { name, studies: [] },
      { name },
      { name, studies: [[STUDY, foreign]] },
      { name, studies: { 0: foreign, length: 1 } },
      { name, studies: null },
      { name, studies: ['constructor'] },
      { name, studies: ['__proto__'] },
      [{ name, studies: [STUDY] }],
      `{"name":"x","studies":["${STUDY}"],"studies":["${foreign}"]}`,
      `{"name":"x","__proto__":{"studies":["${foreign}"]}}`,
      `{"name":"x","constructor":{"prototype":{"studies":["${foreign}"]}}}`,
    ]
    for (const body of refused) {
      const answer = await post(body, { 'content-type': 'application/json' })
      expect(answer, JSON.stringify(body)).toMatchObject({ code: 403, body: RELEASE_REFUSED })
    }
    for (const body of [
      `name=x&studies=${foreign}`,
      `name=x&studies=${STUDY}&studies=${foreign}`,
      `name=x&studies=${STUDY},${foreign}`,
      'name=x',
    ])
      expect(await post(body, form), body).toMatchObject({ code: 403, body: RELEASE_REFUSED })
    // Studies that are only its own beside what is no study: the shape is wrong, and nothing is released.
    for (const studies of [[STUDY, [foreign]], [STUDY, { id: foreign }], [STUDY, null], STUDY])
      expect((await post({ name, studies })).code, JSON.stringify(studies)).toBe(400)
    expect(await post(`name=x&studies=${STUDY}&studies[]=${foreign}`, form)).toMatchObject({
      body: { studies: [STUDY] },
    })
    expect(fixture.dump().split(foreign).length).toBe(before.split(foreign).length)
  })

  test('a DEV without groups releases nothing', async () => {
    const headers = bearer(await fixture.issuer.token({ ...CALLERS.DEV, studies: [] }, OWN))
    expect(await post({ name: 'x', studies: [STUDY] }, headers)).toMatchObject({
      code: 403,
      body: RELEASE_REFUSED,
    })
  })

  test('the author is whoever the token says, whatever the body says (CR-17)', async () => {
    const authorOf = async (caller: CallerName, body: object) =>
      (await post({ name: 'x', studies: [STUDY], ...body }, {}, caller)).body.author
    expect(await authorOf('DEV', { author: 'Ada' })).toBe('Dora')
    expect(await authorOf('ADMIN', {})).toBe('Ada')
    expect(await authorOf('admin machine', { author: 'Ada' })).toBe('operator')
  })

  test('an edit cannot change the author either, not even before the release begins (RC-37)', async () => {
    await fixture.coordinator.coordinator.stop()
    const { body } = await post({ name: 'x', studies: [STUDY] })
    for (const method of ['PATCH', 'PUT'] as const) {
      const change = { name: 'x', studies: [STUDY], author: 'Mallory' }
      const answer = await fixture.coordinator.call(method, `/releases/${body.kf_id}`, change)
      expect(answer).toMatchObject({ code: 400, body: { author: [expect.any(String)] } })
      expect(await fixture.coordinator.release(body.kf_id)).toMatchObject({
        author: 'Dora',
        state: 'waiting',
      })
      expect(
        await fixture.coordinator.call(method, `/releases/${body.kf_id}`, { ...change, author: 'Dora' }),
      ).toMatchObject({ code: 200 })
    }
  })
})

describe('AUTH_READS=required', () => {
  afterEach(() => fixture.close())

  test('closes every read but the probes, and OPTIONS stays open', async () => {
    await begin({ AUTH_READS: 'required' })
    const { app } = fixture.coordinator.coordinator
    // GraphQL says so at each field (graphql/roles.test.ts).
    const routes = routesOf(app.printRoutes({ commonPrefix: false })).filter(isNoQuestion)
    const all = routes.filter(({ method }) => method === 'GET')
    const user = [(await fixture.headersOf('USER'))['authorization'] ?? '']
    for (const { path } of all) {
      const asked = concrete(path)
      const open = /^\/(livez|readyz|sign-in|me|releases\/latest-published)(\.json)?$/.test(asked)
      const answer = await rawRequest(fixture.url, { method: 'GET', path: asked })
      expect(answer.status === 403, `${asked} ${answer.status}`).toBe(!open)
      if (!open) expect(answer.body).toEqual(MISSING)
      for (const spelling of spellingsOf(asked).slice(1)) {
        const { status } = await rawRequest(fixture.url, { method: 'GET', path: spelling })
        if (!open) expect([403, 404], spelling).toContain(status)
      }
      // Not GET: a stream would not end.
      const { status } = await rawRequest(fixture.url, { method: 'HEAD', path: asked, authorization: user })
      expect(status === 403, `${asked} as USER`).toBe(asked.startsWith('/audit'))
      expect((await rawRequest(fixture.url, { method: 'OPTIONS', path: asked })).status).not.toBe(403)
    }
  })
})

describe('keys (AU-5, F-56)', () => {
  beforeEach(() => begin())
  afterEach(() => fixture.close())

  const report = async (headers: Record<string, string>) =>
    (await fixture.coordinator.call('PATCH', `/tasks/${task}`, { progress: 5 }, headers)).code

  test('a new key works at once and without a restart; the old one until it is gone', async () => {
    const old = await fixture.headersOf('ADMIN')
    expect(await report(old)).toBe(200)
    await fixture.issuer.rotate()
    expect(await report(old)).toBe(200)
    expect(await report(await fixture.headersOf('ADMIN'))).toBe(200)
    expect(await report(old)).toBe(403)
  })

  test.each(['error', 'html', 'cut', 'refusing', 'redirect'] as const)(
    'with a key endpoint that answers %s the last good keys go on working, and an unknown one is 403, never 500',
    async (behaviour) => {
      const known = await fixture.headersOf('ADMIN')
      expect(await report(known)).toBe(200)
      fixture.issuer.keys(behaviour)
      await fixture.issuer.rotate()
      expect(await report(await fixture.headersOf('ADMIN'))).toBe(403)
      expect(await report(known)).toBe(200)
      expect((await fixture.coordinator.call('GET', '/releases', undefined, known)).code).toBe(200)
    },
  )
})

test('keys that were never read: writes are 403 and reads go on, until the endpoint is back', async () => {
  fixture = await AuthFixture.start()
  fixture.issuer.keys('error')
  const headers = await fixture.headersOf('ADMIN')
  const write = async () =>
    (await fixture.coordinator.call('POST', '/releases/status_checks', {}, headers)).code
  expect(await write()).toBe(403)
  expect((await fixture.coordinator.call('GET', '/releases', undefined, headers)).code).toBe(200)
  fixture.issuer.keys('good')
  await eventually(write, (code) => code === 200)
  await fixture.close()
})
