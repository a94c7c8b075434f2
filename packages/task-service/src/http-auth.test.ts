import {
  attacks,
  isWrite,
  rawRequest,
  routesOf,
  spellingsOf,
  startTestIssuer,
  type MachineSubject,
  type Route,
  type TestIssuer,
  type UserSubject,
} from '@release-task/auth/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { RELEASE, startFixture, TASK, type Fixture } from './service.fixture.ts'

const OWN = 'task-services'
const SENT_OUT = 'coordinator'
const NOT_KNOWN = { message: 'Authentication credentials were not provided.', code: 'NOT_PERMITTED' }
const NOT_ALLOWED = { message: 'Not allowed', code: 'NOT_PERMITTED' }
const ADMIN_NEEDED = { message: 'Must be an admin', code: 'NOT_PERMITTED' }

const CALLERS = {
  anonymous: null,
  USER: { kind: 'user', id: 'u-user', role: 'USER' },
  DEV: { kind: 'user', id: 'u-dev', role: 'DEV' },
  ADMIN: { kind: 'user', id: 'u-admin', role: 'ADMIN' },
  machine: { kind: 'machine', client: 'the-coordinator' },
  'admin machine': { kind: 'machine', client: 'operator' },
} as const satisfies { readonly [name: string]: UserSubject | MachineSubject | null }
type CallerName = keyof typeof CALLERS
const NAMES = Object.keys(CALLERS) as CallerName[]

let issuer: TestIssuer
let fixture: Fixture
let url: string

async function begin(env: Record<string, string> = {}): Promise<void> {
  issuer = await startTestIssuer()
  fixture = await startFixture({
    env: {
      AUTH: 'on',
      AUTH_ISSUER: issuer.issuer,
      AUTH_AUDIENCE: OWN,
      AUTH_ADMIN_CLIENTS: 'operator',
      AUTH_CLIENT_ID: 'a-service',
      AUTH_CLIENT_SECRET: 'secret',
      AUTH_TOKEN_AUDIENCE: SENT_OUT,
      RATE_LIMIT: '0',
      ...env,
    },
  })
  url = await fixture.service.app.listen({ host: '127.0.0.1', port: 0 })
  // Waits to be started, so that every write could do something.
  expect(await act('initialize')).toMatchObject({ status: 200 })
}

async function end(): Promise<void> {
  await fixture.close()
  await issuer[Symbol.asyncDispose]()
}

async function headerOf(caller: CallerName): Promise<string[]> {
  const subject = CALLERS[caller]
  return subject ? [`Bearer ${await issuer.token(subject, OWN)}`] : []
}

const bodyOf = (action: string, task = TASK) => ({ action, task_id: task, release_id: RELEASE })

async function act(
  action: string,
  { caller = 'machine', task = TASK }: { caller?: CallerName; task?: string } = {},
) {
  const authorization = await headerOf(caller)
  return rawRequest(url, { method: 'POST', path: '/tasks', authorization, body: bodyOf(action, task) })
}

function routes(): Route[] {
  return routesOf(fixture.service.app.printRoutes({ commonPrefix: false }))
}

const writes = () => routes().filter(isWrite)
const concrete = (path: string) => path.replace(':id', TASK)

/** Every row of every table. */
async function dump(): Promise<unknown> {
  const task = await fixture.task()
  return [task, await fixture.events(), (await fixture.get('/tasks')).body]
}

describe('what is not a token for this side', () => {
  beforeAll(() => begin())
  afterAll(end)

  test('the writes are these, and all of them are documented', async () => {
    const names = writes().map(({ method, path }) => `${method} ${path}`)
    expect(names.toSorted()).toEqual(['POST /tasks', 'POST /tasks/:id/give-up', 'POST /tasks/:id/retry'])
    const { paths } = (await fixture.get('/openapi.json')).body
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map(
        (method) => `${method.toUpperCase()} ${path.replace('{id}', ':id')}`,
      ),
    )
    expect(documented.filter((name) => !name.startsWith('GET ')).toSorted()).toEqual(names.toSorted())
  })

  test('every attack on every write is 403 with the body of SV-14, and changes nothing (SV-13, AU-3, AU-5, AU-9)', async () => {
    const before = await dump()
    const all = await attacks(issuer, OWN, SENT_OUT)
    expect(all.length).toBeGreaterThan(25)
    for (const { name, lines: authorization } of all)
      for (const { method, path } of writes())
        for (const action of path === '/tasks' ? ['start', 'cancel', 'get_status', 'nonsense'] : ['none']) {
          const body = path === '/tasks' ? bodyOf(action) : undefined
          const answer = await rawRequest(url, { method, path: concrete(path), authorization, body })
          expect([name, path, action, answer.status, answer.body]).toEqual([
            name,
            path,
            action,
            403,
            NOT_KNOWN,
          ])
        }
    expect(await dump()).toEqual(before)
  })

  test('no spelling of a path leads around the guard', async () => {
    const before = await dump()
    for (const { method, path } of writes())
      for (const spelling of spellingsOf(concrete(path))) {
        const body = path === '/tasks' ? bodyOf('start') : undefined
        const { status, body: answer } = await rawRequest(url, { method, path: spelling, body })
        if (status === 404) expect(answer, spelling).toMatchObject({ code: 'PATH_NOT_FOUND' })
        else expect([status, answer], spelling).toEqual([403, NOT_KNOWN])
      }
    expect(await dump()).toEqual(before)
  })

  test.each(['%72etry', 'retr%79', '/retry', 'retry?x=1'])('retry written as %s is 403', async (written) => {
    const path = `/tasks/${TASK}/${written}`
    expect(await rawRequest(url, { method: 'POST', path })).toMatchObject({ status: 403, body: NOT_KNOWN })
  })

  test.each(['PUT', 'PATCH', 'DELETE'])(
    '%s of anything does nothing, also with a method in a header',
    async (method) => {
      const before = await dump()
      for (const path of ['/tasks', `/tasks/${TASK}`, `/tasks/${TASK}/retry`, '/status'])
        expect([403, 404, 405]).toContain(
          (await rawRequest(url, { method, path, body: bodyOf('start') })).status,
        )
      const headers = { 'x-http-method-override': 'POST' }
      await rawRequest(url, { method: 'GET', path: `/tasks/${TASK}/give-up`, headers })
      expect(await dump()).toEqual(before)
    },
  )

  test('reads, HEAD and OPTIONS stay open with every one of them (AU-3)', async () => {
    const paths = routes().filter(({ method, path }) => method === 'GET' && !path.includes('events'))
    for (const { name, lines: authorization } of await attacks(issuer, OWN, SENT_OUT))
      for (const { path } of paths) {
        for (const method of ['GET', 'HEAD'])
          expect(
            (await rawRequest(url, { method, path: concrete(path), authorization })).status,
            name + path,
          ).toBe(200)
        const options = await rawRequest(url, { method: 'OPTIONS', path: concrete(path), authorization })
        expect(options.status).not.toBe(403)
      }
  })

  test('the same request with a good token is taken', async () =>
    expect(await act('get_status')).toMatchObject({ status: 200, body: { state: 'pending' } }))
})

describe('who may do what (AU-7, AU-8, SV-19)', () => {
  beforeEach(() => begin())
  afterEach(end)

  type Wanted = number | { readonly message: string }
  const [N, R, A] = [NOT_KNOWN, NOT_ALLOWED, ADMIN_NEEDED]
  /** Typed by hand: the code when it is allowed, the body of the 403 when it is not. */
  const MATRIX: readonly (readonly [name: string, method: string, path: string, ...Wanted[]])[] = [
    //                                                 anonymous USER DEV ADMIN machine admin machine
    ['probe', 'GET', '/status', /*                     */ 200, 200, 200, 200, 200, 200],
    ['read', 'GET', `/tasks/${TASK}`, /*               */ 200, 200, 200, 200, 200, 200],
    ['action.send', 'POST', '/tasks', /*               */ N, R, R, R, 200, 200],
    // Nothing waits to be tried again, but who may learns that from the state.
    ['action.decide', 'POST', `/tasks/${TASK}/retry`, /* */ N, A, A, 400, A, 400],
  ]

  test.each(MATRIX.map(([name, method, path, ...wanted]) => ({ name, method, path, wanted })))(
    '$name',
    async ({ method, path, wanted }) => {
      for (const [column, caller] of NAMES.entries()) {
        const authorization = await headerOf(caller)
        const body = path === '/tasks' ? bodyOf('get_status') : undefined
        const answer = await rawRequest(url, { method, path, authorization, body })
        const expected = wanted[column]!
        // Not even a 400 may be about how the request is written.
        expect(answer.body.code).not.toBe('INPUT_INVALID')
        if (typeof expected === 'number') expect([caller, answer.status]).toEqual([caller, expected])
        else expect([caller, answer.status, answer.body]).toEqual([caller, 403, expected])
      }
    },
  )

  test('give up: ADMIN and an admin machine, nobody else', async () => {
    const path = `/tasks/${TASK}/give-up`
    for (const caller of ['anonymous', 'USER', 'DEV', 'machine'] as const) {
      const { status } = await rawRequest(url, {
        method: 'POST',
        path,
        authorization: await headerOf(caller),
      })
      expect([caller, status]).toEqual([caller, 403])
    }
    expect((await fixture.task()).state).toBe('pending')
    const answer = await rawRequest(url, { method: 'POST', path, authorization: await headerOf('ADMIN') })
    expect(answer).toMatchObject({ status: 200, body: { state: 'failed' } })
  })
})

test('AUTH_READS=required closes every read but the probes (SV-21)', async () => {
  await begin({ AUTH_READS: 'required' })
  const user = await headerOf('USER')
  for (const { path } of routes().filter(({ method }) => method === 'GET')) {
    const open = ['/status', '/livez', '/readyz'].includes(path)
    for (const method of ['GET', 'HEAD']) {
      const asked = concrete(path)
      const answer = await rawRequest(url, { method, path: asked })
      expect([path, answer.status]).toEqual([path, open ? 200 : 403])
      if (!open && method === 'GET') expect(answer.body).toEqual(NOT_KNOWN)
    }
    for (const spelling of spellingsOf(concrete(path)))
      if (!open)
        expect([403, 404], spelling).toContain(
          (await rawRequest(url, { method: 'GET', path: spelling })).status,
        )
    const known = await rawRequest(url, { method: 'HEAD', path: concrete(path), authorization: user })
    expect([path, known.status]).toEqual([path, 200])
    expect((await rawRequest(url, { method: 'OPTIONS', path: concrete(path) })).status).not.toBe(403)
  }
  await end()
})

describe('keys (AU-5, F-93)', () => {
  beforeEach(() => begin())
  afterEach(end)

  const status = async (authorization: string[]) =>
    (await rawRequest(url, { method: 'POST', path: '/tasks', authorization, body: bodyOf('get_status') }))
      .status

  test('a new key works at once and without a restart; the old one until it is gone', async () => {
    const old = await headerOf('machine')
    await issuer.rotate()
    expect(await status(old)).toBe(200)
    expect(await status(await headerOf('machine'))).toBe(200)
    expect(await status(old)).toBe(403)
  })

  test('one fetch of the keys serves many requests', async () => {
    const token = await headerOf('machine')
    expect(await Promise.all(Array.from({ length: 20 }, () => status(token)))).toEqual(Array(20).fill(200))
    expect(issuer.count.keys).toBe(1)
  })

  test.each(['error', 'html', 'cut', 'refusing', 'redirect'] as const)(
    'with a key endpoint that answers %s the last good keys go on working',
    async (behaviour) => {
      const known = await headerOf('machine')
      issuer.keys(behaviour)
      await issuer.rotate()
      expect(await status(await headerOf('machine'))).toBe(403)
      expect(await status(known)).toBe(200)
    },
  )
})
