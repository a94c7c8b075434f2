import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestIssuer, type TestIssuer } from '@release-task/auth/testing'
import { answers, eventually, Fixture, latch, type FakeService } from '../coordinator.fixture.ts'
import { bearer, CALLERS, OWN, settings } from './auth.fixture.ts'
import { isSameAddress } from './legacy.ts'

const MISSING = { detail: 'Authentication credentials were not provided.' }

let issuer: TestIssuer
let fixture: Fixture
/** Sends no token, and is listed. */
let legacy: FakeService
let stranger: FakeService
let release: string
let task: string

/** The services listen before the coordinator starts: their addresses are among its settings. */
async function begin(listed: (url: string) => string, env: Record<string, string> = {}): Promise<void> {
  issuer = await startTestIssuer('ES256')
  const headers = bearer(await issuer.token(CALLERS.ADMIN, OWN))
  const late: Record<string, string> = {}
  fixture = new Fixture({ headers, env: late })
  legacy = await fixture.fake('legacy')
  stranger = await fixture.fake('stranger')
  Object.assign(late, settings(issuer), { LEGACY_SERVICES: listed(legacy.url) }, env)
  await fixture.live()
  for (const { name, url } of [legacy, stranger])
    await fixture.call('POST', '/task-services', { name, description: 'a fake', author: 'x', url })
  release = await fixture.issue()
  await fixture.tasksReach(release, 'running')
  task = legacy.task()
}

async function end(): Promise<void> {
  await fixture.close()
  await issuer[Symbol.asyncDispose]()
}

interface Sender {
  readonly from?: string
  readonly authorization?: string
  readonly method?: 'PATCH' | 'PUT'
}

/** A report as the services of old send it: without a token. */
async function hint(
  body: object,
  { from = '127.0.0.1', authorization, method = 'PATCH' }: Sender = {},
  id = task,
) {
  const response = await fixture.coordinator.app.inject({
    method,
    url: `/tasks/${id}`,
    remoteAddress: from,
    headers: authorization === undefined ? {} : { authorization },
    payload: body,
  })
  return { code: response.statusCode, body: unhurried(response.json()) }
}

/** Without what counts down. */
const unhurried = (body: any) => ({ ...body, ...('deadlines' in body ? { deadlines: null } : {}) })
const shown = async (id = task) => unhurried((await fixture.call('GET', `/tasks/${id}`)).body)
const questions = (service: FakeService) =>
  service.received.filter(({ action }) => action === 'get_status').length
const unable = () =>
  (legacy.script.get_status = Array.from({ length: 1000 }, () => answers(500, 'Internal Server Error')))

describe('a service of LEGACY_SERVICES (AU-10)', () => {
  beforeEach(() => begin((url) => url))
  afterEach(end)

  test.each(['PATCH', 'PUT'] as const)(
    '%s: the service is asked, and what it answers is stored',
    async (method) => {
      legacy.states.set(task, 'staged')
      expect(await hint({ state: 'failed' }, { method })).toMatchObject({
        code: 200,
        body: { state: 'staged' },
      })
      expect(questions(legacy)).toBe(1)
      expect(await shown()).toMatchObject({ state: 'staged', progress: 100 })
      expect((await fixture.events(release)).filter((event) => event.startsWith('warning'))).toEqual([])
    },
  )

  test('a hint that the service does not confirm changes nothing', async () => {
    const before = await shown()
    for (const body of [
      { state: 'staged' },
      { state: 'failed' },
      { state: 'canceled' },
      { progress: 90 },
      { message: 'x' },
    ])
      expect(await hint(body)).toEqual({ code: 200, body: before })
    expect(questions(legacy)).toBe(5)
    expect(await shown()).toEqual(before)
  })

  test('a state that is no word is 400, as of everybody', async () =>
    expect(await hint({ state: 'banana' })).toMatchObject({
      code: 400,
      body: { state: [expect.any(String)] },
    }))

  test('where it answers 500, its own address is believed, and an event says so', async () => {
    unable()
    expect(await hint({ state: 'staged' })).toMatchObject({ code: 200, body: { state: 'staged' } })
    expect(await fixture.events(release)).toContain(
      `warning: report of task ${task} believed without a token: its service cannot answer get_status`,
    )
    const { body } = await fixture.call('GET', `/events?task=${task}&limit=100`)
    expect(body.results.find((event: any) => event.event_type === 'warning').actor).toBe('anonymous')
  })

  test.each(['::ffff:127.0.0.1'])('its address may be written %s', async (from) => {
    unable()
    expect(await hint({ state: 'staged' }, { from })).toMatchObject({ body: { state: 'staged' } })
  })

  test.each(['127.0.0.2', '10.0.0.1', '::1', '::ffff:10.0.0.1', 'fe80::1'])(
    'where it answers 500, %s is not believed',
    async (from) => {
      unable()
      const before = await shown()
      expect(await hint({ state: 'staged' }, { from })).toEqual({ code: 200, body: before })
      expect(await fixture.events(release)).not.toEqual(
        expect.arrayContaining([expect.stringContaining('believed')]),
      )
    },
  )

  test.each([
    ['404', answers(404, { message: 'unknown task' })],
    ['400', answers(400, { message: 'unknown task' })],
    ['403', answers(403, { message: 'no token' })],
    ['200 that is not JSON', answers(200, 'staged')],
    ['200 without a state', answers(200, {})],
    ['302', answers(302, { state: 'staged' })],
    ['a cut connection', () => 'cut' as const],
  ])('where it answers %s, nobody is believed and nothing ends', async (_, answer) => {
    legacy.script.get_status = [answer]
    const before = await shown()
    expect(await hint({ state: 'staged' })).toEqual({ code: 200, body: before })
    expect(await shown()).toEqual(before)
  })

  test('a believed report is judged as every other: what contradicts is 409 and kept', async () => {
    unable()
    expect(await hint({ state: 'published' })).toMatchObject({
      code: 409,
      body: { detail: expect.any(String) },
    })
    expect(await shown()).toMatchObject({ state: 'running' })
    const events = await fixture.events(release)
    expect(events).toEqual(
      expect.arrayContaining([expect.stringMatching(/^warning: report of task .* refused/)]),
    )
    expect(events).not.toEqual(expect.arrayContaining([expect.stringContaining('believed')]))
  })

  test('it may not say anything of a task of another service', async () => {
    const other = stranger.task()
    expect(await hint({ state: 'staged' }, {}, other)).toEqual({ code: 403, body: MISSING })
    expect(await hint({ state: 'staged' }, {}, 'TA_NOTHERE0')).toEqual({ code: 403, body: MISSING })
    expect(questions(stranger)).toBe(0)
  })

  test('a token that is not accepted stays 403, so that its sender gets another; so does one of a USER', async () => {
    legacy.states.set(task, 'staged')
    expect(await hint({ state: 'staged' }, { authorization: 'Bearer bad' })).toEqual({
      code: 403,
      body: MISSING,
    })
    const { authorization } = bearer(await issuer.token(CALLERS.USER, OWN))
    expect(await hint({ state: 'staged' }, { authorization })).toMatchObject({ code: 403 })
    expect(questions(legacy)).toBe(0)
  })

  test('nothing but a report is let through', async () => {
    const { app } = fixture.coordinator
    for (const [method, url] of [
      ['POST', '/tasks'],
      ['POST', '/tasks/status_checks'],
      ['PATCH', '/tasks/status_checks'],
      ['DELETE', `/tasks/${task}`],
      ['PATCH', `/releases/${release}`],
      ['POST', `/releases/${release}/publish`],
      ['DELETE', `/releases/${release}`],
    ] as const)
      expect((await app.inject({ method, url, payload: {} })).statusCode, `${method} ${url}`).toBe(403)
  })

  test('hints that come while the service is asked are not lost', async () => {
    const answer = latch()
    legacy.script.get_status = [
      async (service, request) => {
        await answer.reached
        return service.act(request)
      },
    ]
    const first = hint({ progress: 1 })
    await legacy.asked('get_status')
    const others = Array.from({ length: 20 }, () => hint({ state: 'staged' }))
    answer.open()
    legacy.states.set(task, 'staged')
    expect((await Promise.all([first, ...others])).map(({ code }) => code)).toEqual(Array(21).fill(200))
    expect(await shown()).toMatchObject({ state: 'staged' })
  })

  test('an answer that the task has outrun is asked for again: such a service reports but once', async () => {
    legacy.script.get_status = [
      async (service, request) => {
        // Something else is heard of the task while the service is asked, and it goes on.
        await fixture.report(task, { progress: 50 })
        service.states.set(task, 'staged')
        return { body: { task_id: request.task_id, state: 'running' } }
      },
    ]
    expect(await hint({ state: 'staged' })).toMatchObject({ code: 200, body: { state: 'staged' } })
    expect(questions(legacy)).toBe(2)
  })

  test('a release over a service that answers every get_status with 500 and one with a token ends published', async () => {
    unable()
    await hint({ state: 'staged' })
    await fixture.report(stranger.task(), { state: 'staged' })
    await fixture.reaches(release, 'staged')
    await fixture.publish(release)
    await fixture.tasksReach(release, 'publishing')
    await hint({ state: 'published' })
    await fixture.report(stranger.task(), { state: 'published' })
    const published = await fixture.reaches(release, 'published')
    expect(published.version).toBe('0.1.0')
    expect((await fixture.events(release)).filter((event) => event.includes('believed'))).toHaveLength(2)
  })
})

test('a service that is not listed is 403, and is not asked', async () => {
  await begin(() => 'http://somewhere.example')
  expect(await hint({ state: 'staged' })).toEqual({ code: 403, body: MISSING })
  expect(questions(legacy)).toBe(0)
  await end()
})

test.each([
  ['a name for its address', (url: string) => url.replace('127.0.0.1', 'LocalHost')],
  ['a slash at its end', (url: string) => `${url}/`],
])('a listed address with %s', async (_, listed) => {
  await begin(listed)
  const named = listed(legacy.url)
  const { results } = (await fixture.call('GET', '/task-services')).body
  const { kf_id } = results.find((one: any) => one.name === 'legacy')
  if (named.includes('Host'))
    await fixture.call('PATCH', `/task-services/${kf_id}`, { url: named.toLowerCase() })
  unable()
  expect(await hint({ state: 'staged' })).toMatchObject({ code: 200, body: { state: 'staged' } })
  await end()
})

test.each([
  ['http://a.example', 'http://A.example:80/', true],
  ['https://a.example/x', 'https://a.example:443/x//', true],
  ['http://a.example', 'https://a.example', false],
  ['http://a.example', 'http://a.example:8080', false],
  ['http://a.example', 'http://b.example', false],
  ['http://a.example/x', 'http://a.example/X', false],
  ['http://a.example', 'http://a.example/?x', false],
  ['http://a.example', 'http://me@a.example', false],
  ['nonsense', 'nonsense', false],
])('%s and %s are one address: %s', (one, other, same) => expect(isSameAddress(one, other)).toBe(same))

test('polls that a service answers with 500 for ever only warn: its reports end the release (RC-16)', async () => {
  await begin((url) => url)
  unable()
  const missMany = async () => {
    const before = questions(legacy)
    const poll = async () => {
      await fixture.call('POST', '/tasks/status_checks')
      return questions(legacy)
    }
    await eventually(poll, (count) => count > before + 5)
  }
  await missMany()
  expect(await fixture.release(release)).toMatchObject({ state: 'running', reason: null })
  await hint({ state: 'staged' })
  await fixture.report(stranger.task(), { state: 'staged' })
  await fixture.reaches(release, 'staged')
  await fixture.publish(release)
  await fixture.tasksReach(release, 'publishing')
  await missMany()
  await hint({ state: 'published' })
  await fixture.report(stranger.task(), { state: 'published' })
  await fixture.reaches(release, 'published')
  await end()
})
