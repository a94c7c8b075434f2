import { sign, signingKey } from '@release-task/auth/testing'
import { readConfig } from '@release-task/coordinator'
import { readConfig as readServiceConfig } from '@release-task/task-service'
import { expect, test } from 'vitest'
import {
  bearer,
  checking,
  COORDINATOR,
  machine,
  openChecking,
  openIssuer,
  openServer,
  person,
  sending,
} from './access.fixture.ts'
import {
  always,
  answers,
  eventually,
  openCoordinator,
  openWith,
  STUDY,
  type FakeService,
  type WiredCoordinator,
} from './coordinator.fixture.ts'

/** How many rows a list has. */
const count = async (coordinator: WiredCoordinator, path: string) =>
  (await coordinator.call('GET', path)).body.count as number

// Empty, and not left away: then the fixture would send its own.
const NOBODY = { authorization: '' }
const NO_TOKEN = { detail: 'Authentication credentials were not provided.' }

test('F-26 the token endpoint is away: nothing dies, and the release goes on when it is back', async () => {
  const issuer = await openIssuer()
  const { coordinator, service } = await openWith(1, { env: sending(issuer) })
  issuer.tokens('error')
  const id = await coordinator.issue()
  await issuer.arrived('tokens', 1)
  const waiting = await eventually(
    () => coordinator.release(id),
    (release) => release.waiting_for?.last_error != null,
  )
  expect(waiting).toMatchObject({ state: 'initializing', tasks: [{ state: 'waiting' }] })
  expect(service.received).toEqual([])
  // Health is asked without a token, and goes on.
  service.status = { code: 500, body: '' }
  await coordinator.call('POST', '/task-services/health_checks')
  await eventually(
    async () => (await coordinator.call('GET', `/task-services/${service.id}`)).body,
    (body) => body.last_ok_status === 1,
  )
  issuer.tokens('good')
  await coordinator.tasksReach(id, 'running')
  expect(service.actions()).toEqual(['initialize', 'start'])
})

test('F-27 a token is used for its own life, and replaced once when it is refused', async () => {
  const issuer = await openIssuer()
  issuer.lifeSeconds = 1
  const { coordinator, service } = await openWith(1, { env: sending(issuer) })
  const id = await coordinator.running()
  const first = issuer.count.tokens
  await coordinator.hurries(id, () => issuer.count.tokens > first)
  issuer.lifeSeconds = 3600
  await coordinator.restart()
  const before = issuer.count.tokens
  service.script.start = [answers(403)]
  await coordinator.running()
  expect(issuer.count.tokens - before).toBe(2)
  expect(service.done.slice(-2)).toEqual(['initialize', 'start'])
})

test('F-28 settings of the original without a scheme or a switch: understood, or refused by name at the start', () => {
  const shipped = { AUTH0_DOMAIN: 'kids-first.auth0.com' }
  expect(readConfig({ ...shipped, AUTH: 'off' }).authIssuer).toBe('https://kids-first.auth0.com')
  // Whoever names an issuer and no AUTH believes that callers are checked.
  expect(() => readConfig(shipped)).toThrow(/AUTH_ISSUER.*AUTH is neither on nor off/)
  expect(() => readConfig({ AUTH: 'on', AUTH_ISSUER: 'kids-first.auth0.com' })).toThrow(/AUTH_ISSUER/)
})

test('F-29 the token that a service is sent is worth nothing at the coordinator', async () => {
  const { issuer, coordinator } = await openChecking()
  await coordinator.restart(sending(issuer))
  const { url, received } = await openServer(() => ({ json: { name: 'curious', state: 'pending' } }))
  const service = { name: 'curious', description: 'collects', author: 'a DEV', url }
  expect((await coordinator.call('POST', '/task-services', service)).code).toBe(201)
  // The first call, before anything was released: a DEV can have it made.
  expect(received[0]!.headers.authorization).toBeUndefined()
  await coordinator.issue()
  const sent = await eventually(
    async () => received.find((request) => request.url === '/tasks')?.headers.authorization,
    (token) => token !== undefined,
  )
  expect(sent).toMatch(/^Bearer /)
  const call = await coordinator.call('POST', '/releases', {}, { authorization: sent! })
  expect([call.code, call.body]).toEqual([403, NO_TOKEN])
  // The settings that would make it worth something are refused.
  const same = { ...checking(issuer), ...sending(issuer), AUTH_TOKEN_AUDIENCE: COORDINATOR }
  expect(() => readConfig(same)).toThrow(/AUTH_TOKEN_AUDIENCE is AUTH_AUDIENCE/)
})

test('F-43 a PATCH with a good token needs no cookie and no CSRF header', async () => {
  const { coordinator, as } = await openChecking()
  const service = await coordinator.register()
  await coordinator.running()
  const reported = await coordinator.call(
    'PATCH',
    `/tasks/${service.task()}`,
    { progress: 5 },
    await as(machine()),
  )
  expect(reported).toMatchObject({ code: 200, body: { progress: 5 } })
})

test('F-44 services that send no token: asked back where they are listed, believed only where they cannot answer', async () => {
  const { coordinator, as } = await openChecking()
  const [snapshot, reference, other] = await coordinator.registerMany(3)
  await coordinator.restart({ LEGACY_SERVICES: `${snapshot!.url},${reference!.url}` })
  const id = await coordinator.running()
  const services = [snapshot!, reference!, other!]
  const report = async (service: FakeService, body: object) =>
    (await coordinator.call('PATCH', `/tasks/${service.task()}`, body, NOBODY)).code
  const [first, second, third] = services.map((service) => service.task())
  // One that answers get_status is asked, whatever was said in its name.
  expect(await report(snapshot!, { state: 'failed' })).toBe(200)
  expect(await coordinator.taskStates(id, services)).toEqual(['running', 'running', 'running'])
  snapshot!.states.set(first!, 'staged')
  expect(await report(snapshot!, { state: 'staged' })).toBe(200)
  // One that answers 500 to every get_status is believed, with an event.
  reference!.script.get_status = always(answers(500, 'Internal Server Error'))
  expect(await report(reference!, { state: 'staged' })).toBe(200)
  expect(await coordinator.events(id)).toContainEqual(
    expect.stringMatching(new RegExp(`^warning: .*${second} believed without a token`)),
  )
  // One that is not listed needs its token.
  expect(await report(other!, { state: 'staged' })).toBe(403)
  expect(await coordinator.taskStates(id, services)).toEqual(['staged', 'staged', 'running'])
  await coordinator.call('PATCH', `/tasks/${third}`, { state: 'staged' }, await as(machine()))
  await coordinator.reaches(id, 'staged')
})

/** Who may, typed by hand from AU-7: nobody, USER, DEV of no study of the release, DEV of it, ADMIN, machine. */
const MATRIX = `
  POST   /releases                    | - - - D A -
  PATCH  /releases/RE_00000000        | - - - - A -
  DELETE /releases/RE_00000000        | - - - - A -
  POST   /releases/RE_00000000/publish| - - - - A -
  POST   /releases/status_checks      | - - - - A M
  PATCH  /tasks/TA_00000000           | - - - - A M
  PUT    /tasks/TA_00000000           | - - - - A M
  POST   /tasks                       | - - - - A -
  DELETE /tasks/TA_00000000           | - - - - A -
  POST   /tasks/status_checks         | - - - - A M
  POST   /task-services               | - - d D A -
  PATCH  /task-services/TS_00000000   | - - d D A -
  DELETE /task-services/TS_00000000   | - - d D A -
  POST   /task-services/health_checks | - - - - A M
  POST   /release-notes               | - - - - A -
  PATCH  /release-notes/RN_00000000   | - - - - A -
  DELETE /release-notes/RN_00000000   | - - - - A -
  POST   /events                      | - - - - A -
  DELETE /events/EV_00000000          | - - - - A -
  POST   /studies/sync                | - - d D A -
  GET    /audit                       | - - - - A -
  GET    /releases                    | n U d D A M
  OPTIONS /releases                   | n U d D A M
`

test('F-50 one policy: who may what is the table of AU-7, in every cell', async () => {
  const { coordinator, as } = await openChecking()
  const callers = [
    NOBODY,
    await as(person('USER', [STUDY])),
    await as(person('DEV', ['SD_00000000'])),
    await as(person('DEV', [STUDY])),
    await as(person('ADMIN')),
    await as(machine()),
  ]
  const rows = MATRIX.trim()
    .split('\n')
    .map((line) => line.split('|').map((part) => part.trim()))
  const shown: string[] = []
  for (const [request = '', cells = ''] of rows) {
    const [method = '', path = ''] = request.split(/\s+/)
    const marks = cells.split(' ')
    const codes: number[] = []
    for (const headers of callers) {
      const body = ['GET', 'OPTIONS'].includes(method) ? undefined : { studies: [STUDY] }
      codes.push((await coordinator.call(method, path, body, headers)).code)
    }
    shown.push(`${request} | ${marks.map((mark, index) => (codes[index] === 403 ? '-' : mark)).join(' ')}`)
    // Where the table says no, and the answer was anything else.
    for (const [index, mark] of marks.entries())
      if (mark === '-') expect(codes[index], `${request} by caller ${index}`).toBe(403)
  }
  expect(shown).toEqual(rows.map(([request, cells]) => `${request} | ${cells}`))
})

test('F-49 publish: 403 for a USER and a DEV, 409 unless staged, 404 where there is no such release', async () => {
  const { coordinator, as } = await openChecking()
  const service = await coordinator.register()
  const id = await coordinator.running()
  const publish = (headers?: Record<string, string>, which = id) =>
    coordinator.call('POST', `/releases/${which}/publish`, undefined, headers)
  expect(await publish()).toMatchObject({
    code: 409,
    body: { detail: 'The release in state running may not be published.' },
  })
  await coordinator.report(service.task(), { state: 'staged' })
  for (const role of ['USER', 'DEV'] as const)
    expect((await publish(await as(person(role, [STUDY])))).code).toBe(403)
  expect((await publish(NOBODY)).code).toBe(403)
  expect((await coordinator.release(id)).state).toBe('staged')
  expect(await publish()).toMatchObject({ code: 200, body: { message: 'publishing' } })
  expect((await publish()).code).toBe(409)
  expect(await publish(undefined, 'RE_00000000')).toMatchObject({ code: 404, body: { detail: 'Not found.' } })
})

test('F-51 nobody creates, edits or deletes events', async () => {
  const { coordinator, as } = await openChecking()
  await coordinator.reaches(await coordinator.issue(), 'staged')
  const before = (await coordinator.call('GET', '/events?limit=1000')).body
  const path = `/events/${before.results[0].kf_id}`
  const body = { event_type: 'info', message: 'forged' }
  for (const [headers, code] of [
    [NOBODY, 403],
    [await as(person('USER')), 403],
    [await as(machine()), 403],
    [undefined, 405],
  ] as const) {
    expect((await coordinator.call('POST', '/events', body, headers)).code).toBe(code)
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      expect((await coordinator.call(method, path, body, headers)).code).toBe(code)
  }
  expect((await coordinator.call('GET', '/events?limit=1000')).body).toEqual(before)
})

test('F-52 syncs and checks by nobody are 403, and nothing is asked', async () => {
  const { url, received } = await openServer(() => ({ json: { results: [], total: 0, _links: {} } }))
  const { coordinator } = await openChecking({ DATASERVICE_URL: url })
  const service = await coordinator.register()
  await coordinator.running()
  const [seen, asked, checked] = [received.length, service.received.length, service.statusRequests.length]
  for (const path of [
    '/studies/sync',
    '/tasks/status_checks',
    '/releases/status_checks',
    '/task-services/health_checks',
  ])
    expect(await coordinator.call('POST', path, undefined, NOBODY)).toMatchObject({
      code: 403,
      body: NO_TOKEN,
    })
  // These do what was refused to nobody, so that they come after whatever the others had caused.
  await coordinator.call('POST', '/tasks/status_checks')
  await service.asked('get_status')
  await coordinator.call('POST', '/task-services/health_checks')
  await service.until(() => service.statusRequests.length > checked)
  expect([received.length - seen, service.received.length - asked]).toEqual([0, 1])
  expect(service.statusRequests.length - checked).toBe(1)
})

test('F-53 where reads need a token, single ones need it as lists do', async () => {
  const { coordinator, as } = await openChecking({ AUTH_READS: 'required' })
  const service = await coordinator.register()
  const id = await coordinator.running()
  const event = (await coordinator.call('GET', '/events')).body.results[0].kf_id
  for (const path of [
    '/releases',
    `/releases/${id}`,
    `/releases/${id}.json`,
    '/tasks',
    `/tasks/${service.task()}`,
    '/task-services',
    `/task-services/${service.id}`,
    '/events',
    `/events/${event}`,
    '/studies',
    `/studies/${STUDY}`,
    `/studies/${STUDY}/releases`,
    `/studies/${STUDY}/releases/${id}`,
  ]) {
    expect((await coordinator.call('GET', path, undefined, NOBODY)).code, path).toBe(403)
    expect((await coordinator.call('GET', path, undefined, await as(person('USER')))).code, path).toBe(200)
  }
  const query = `{ release(id: "${btoa(`ReleaseNode:${id}`)}") { tasks { edges { node { id } } } } allEvents { edges { node { id } } } }`
  const { body } = await coordinator.call('POST', '/graphql', { query }, NOBODY)
  expect(body.data).toEqual({ release: null, allEvents: null })
  expect((await coordinator.call('POST', '/graphql', { query }, await as(person('USER')))).body).toEqual({
    data: expect.objectContaining({ release: { tasks: { edges: [expect.anything()] } } }),
  })
})

test('F-54 registration tells nothing of other hosts, follows no redirect, and takes an address once', async () => {
  const coordinator = await openCoordinator()
  const register = (url: string) =>
    coordinator.call('POST', '/task-services', { name: 'x', description: 'x', author: 'x', url })
  const closed = await register('http://127.0.0.1:1')
  expect(closed).toMatchObject({
    code: 400,
    body: { url: ['could not reach http://127.0.0.1:1: no connection'] },
  })
  const metadata = await register('http://169.254.169.254')
  expect(metadata).toMatchObject({
    code: 400,
    body: { url: ['could not reach http://169.254.169.254: no connection'] },
  })
  const inside = await openServer(() => ({ json: { name: 'secret' } }))
  const outside = await openServer(() => ({ status: 302, headers: { location: `${inside.url}/status` } }))
  expect((await register(outside.url)).body.url[0]).toContain('response did not return with 200')
  expect(inside.received).toEqual([])
  expect((await register(inside.url)).code).toBe(201)
  expect((await register(inside.url)).code).toBe(400)
  expect(await count(coordinator, '/task-services')).toBe(1)
  await coordinator.restart({ PRIVATE_ADDRESSES: 'refuse' })
  const other = await openServer(() => ({ json: { name: 'other' } }))
  expect((await register(other.url)).body.url[0]).toContain('no connection')
  expect(other.received).toEqual([])
})

test('F-55 audience, issuer and key are checked, and a machine is no ADMIN unless its client is listed', async () => {
  const { issuer, coordinator, as } = await openChecking()
  const stranger = await signingKey()
  const claims = { sub: 'x', gty: 'client-credentials', iss: issuer.issuer, aud: COORDINATOR }
  const exp = Math.floor(Date.now() / 1000) + 60
  const refused = {
    'for another API': bearer(await issuer.token(person('ADMIN'), 'https://other.test')),
    'of another issuer': await as(person('ADMIN'), { iss: 'https://other.test/' }),
    'of a key that the issuer does not have': bearer(await sign(stranger, { ...claims, exp })),
    'under a known name by another key': bearer(
      await sign(stranger, { ...claims, exp }, { kid: issuer.key.kid }),
    ),
  }
  for (const [what, headers] of Object.entries(refused))
    expect(await coordinator.call('POST', '/tasks/status_checks', {}, headers), what).toMatchObject({
      code: 403,
      body: NO_TOKEN,
    })
  const create = (headers: Record<string, string>) =>
    coordinator.call('POST', '/releases', { name: 'x', studies: [STUDY] }, headers)
  const anyMachine = await as(machine('somebody'))
  expect(await create(anyMachine)).toMatchObject({ code: 403, body: { detail: 'Not allowed' } })
  expect((await coordinator.call('POST', '/tasks/status_checks', {}, anyMachine)).code).toBe(200)
  await coordinator.restart({ AUTH_ADMIN_CLIENTS: 'somebody' })
  expect((await create(anyMachine)).code).toBe(201)
})

test('F-56 the key endpoint is away: never 500, and known keys go on', async () => {
  const { issuer, coordinator } = await openChecking()
  const check = () => coordinator.call('POST', '/tasks/status_checks')
  for (const fault of ['error', 'html', 'cut'] as const) {
    issuer.keys(fault)
    await coordinator.restart()
    // No keys yet: the caller is nobody, who may read.
    expect((await coordinator.call('GET', '/releases')).code).toBe(200)
    expect(await check()).toMatchObject({ code: 403, body: NO_TOKEN })
  }
  issuer.keys('good')
  await coordinator.restart()
  expect((await check()).code).toBe(200)
  issuer.keys('error')
  expect((await check()).code).toBe(200)
})

test('F-57 no profile makes anybody ADMIN, and open to others it is by two settings only', async () => {
  const debug = {
    DJANGO_SETTINGS_MODULE: 'coordinator.settings.testing',
    DEBUG: '1',
    NODE_ENV: 'development',
  }
  const { coordinator } = await openChecking(debug)
  const body = { name: 'x', studies: [STUDY] }
  expect((await coordinator.call('POST', '/releases', body, NOBODY)).code).toBe(403)
  for (const read of [readConfig, readServiceConfig]) {
    expect(() => read({ ...debug, HOST: '0.0.0.0' })).toThrow(/AUTH=on/)
    expect(() => read({ ...debug, HOST: '0.0.0.0', AUTH: 'off' })).toThrow(/AUTH_OFF_PUBLIC=yes/)
    expect(read({ HOST: '0.0.0.0', AUTH: 'off', AUTH_OFF_PUBLIC: 'yes' }).auth).toBe('off')
  }
})

test('F-58 a release without studies, without a name or over an unknown study is 400, and nothing is left of it', async () => {
  const { coordinator } = await openWith(1)
  const create = (body: object) => coordinator.call('POST', '/releases', body)
  expect((await create({ name: 'x', studies: [] })).body).toEqual({
    studies: ['Must have at least one study'],
  })
  expect((await create({ name: '', studies: [STUDY] })).body).toEqual({
    name: ['This field may not be blank.'],
  })
  const unknown = 'Invalid pk "SD_00000000" - object does not exist.'
  expect(await create({ name: 'x', studies: [STUDY, 'SD_00000000'] })).toMatchObject({
    code: 400,
    body: { studies: [unknown] },
  })
  expect([await count(coordinator, '/releases'), await count(coordinator, '/events')]).toEqual([0, 0])
  const id = await coordinator.issue()
  expect((await coordinator.release(id)).version).toBe('0.0.0')
  // The kind of an id counts.
  expect((await coordinator.call('GET', `/tasks/${id}`)).code).toBe(404)
  const [other] = (await coordinator.call('GET', '/studies')).body.results
    .map((study: any) => study.kf_id)
    .filter((one: string) => one !== STUDY)
  const note = (fields: object) => coordinator.call('POST', '/release-notes', { description: 'x', ...fields })
  const release = `/releases/${id}`
  expect(await note({ release: null })).toMatchObject({
    code: 400,
    body: { release: ['This field may not be null.'] },
  })
  expect(await note({ release, study: `/studies/${other}` })).toMatchObject({
    code: 400,
    body: { study: [expect.any(String)] },
  })
  expect(await count(coordinator, '/release-notes')).toBe(0)
  expect((await note({ release, study: `/studies/${STUDY}` })).code).toBe(201)
})

test('F-59 the author is who the token says, whatever the body says', async () => {
  const { coordinator, as } = await openChecking()
  const body = { name: 'x', studies: [STUDY], author: 'somebody else' }
  const by = async (headers?: Record<string, string>) =>
    (await coordinator.call('POST', '/releases', body, headers)).body.author
  expect(await by()).toBe('the ADMIN')
  expect(await by(await as(person('DEV', [STUDY])))).toBe('the DEV')
  await coordinator.restart({ AUTH_ADMIN_CLIENTS: 'a-service' })
  expect(await by(await as(machine()))).toBe('a-service')
  const release = `/releases/${(await coordinator.call('GET', '/releases')).body.results[0].kf_id}`
  const note = { description: 'x', author: 'somebody else', release }
  expect((await coordinator.call('POST', '/release-notes', note)).body.author).toBe('the ADMIN')
})

test('F-61 pages of other origins read answers only where the origin is in the settings', async () => {
  const coordinator = await openCoordinator({ env: { CORS_ORIGINS: 'https://ours.example' } })
  const allowed = async (origin: string, method = 'GET') => {
    const headers = { origin, 'access-control-request-method': 'POST' }
    const answer = await coordinator.call(method, '/releases', undefined, headers)
    return [answer.headers['access-control-allow-origin'], answer.headers['access-control-allow-credentials']]
  }
  for (const method of ['GET', 'OPTIONS']) {
    expect(await allowed('https://ours.example', method)).toEqual(['https://ours.example', undefined])
    for (const other of ['https://anybody.netlify.app', 'https://ours.example.evil.example', 'null'])
      expect(await allowed(other, method)).toEqual([undefined, undefined])
  }
})
