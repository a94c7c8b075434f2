import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { checking, COORDINATOR, openIssuer, person, sending, SERVICES } from './flaws/access.fixture.ts'
import {
  always,
  answers,
  cut,
  eventually,
  heldBy,
  latch,
  openCoordinator,
  openWith,
  STUDY,
  type WiredCoordinator,
} from './flaws/coordinator.fixture.ts'
import { openService, TASK } from './flaws/task-service.fixture.ts'

// Rules of docs/protocol.md that no other test names. All of it goes through real connections.

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: any
}

/** An object is sent as JSON, text as HTML. */
interface Said {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: object | string
}

/** A server that is no framework's: what it is asked it keeps whole, what it answers is what a test says. */
async function openSocket(
  answer: (asked: Asked) => Said | 'cut',
): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const one = { method, path: url, headers, body: text === '' ? undefined : JSON.parse(text) }
    asked.push(one)
    const said = answer(one)
    if (said === 'cut') return void request.socket.destroy()
    const { status = 200, headers: own = {}, body = {} } = said
    const isText = typeof body === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...own })
    response.end(isText ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

async function register(coordinator: WiredCoordinator, name: string, url: string): Promise<string> {
  const about = { name, description: 'a fake', author: 'test', url }
  const { code, body } = await coordinator.call('POST', '/task-services', about)
  expect([name, code, body]).toEqual([name, 201, expect.anything()])
  return body.kf_id
}

test('status_checks of tasks says how many run or publish, and asks those (CR-27)', async () => {
  const { coordinator, services } = await openWith(2)
  const checks = () => coordinator.call('POST', '/tasks/status_checks')
  const counted = async (count: number) =>
    expect(await checks()).toMatchObject({
      code: 200,
      body: { status: 'ok', message: `${count} task to check` },
    })
  await counted(0)
  const id = await coordinator.running()
  await counted(2)
  for (const service of services) await service.asked('get_status')
  await coordinator.report(services[0]!.task(), { state: 'staged' })
  await counted(1)
  await coordinator.report(services[1]!.task(), { state: 'staged' })
  await counted(0)
  await coordinator.publish(id)
  await coordinator.tasksReach(id, 'publishing')
  await counted(2)
  await coordinator.reportAll(services, 'published')
  await counted(0)
  expect(Object.keys((await checks()).body)).toEqual(['status', 'message'])
})

test.each([301, 302, 303, 307, 308])(
  'a redirect of an action with %d is not followed, it is a refusal (RC-6)',
  async (status) => {
    const elsewhere = await openSocket(({ body }) => ({ body: { ...body, state: 'pending' } }))
    const service = await openSocket(({ path, body }) =>
      path === '/status'
        ? { body: { name: 'moved' } }
        : body.action === 'initialize'
          ? { status, headers: { location: `${elsewhere.url}/tasks` } }
          : { body: { state: 'canceled' } },
    )
    const coordinator = await openCoordinator()
    await register(coordinator, 'moved', service.url)
    const release = await coordinator.reaches(await coordinator.issue(), 'failed')
    expect(release.tasks).toMatchObject([{ state: 'rejected' }])
    expect(release.reason).toContain(`answered ${status}`)
    expect(elsewhere.asked).toEqual([])
    const actions = service.asked.flatMap(({ body }) => body?.action ?? [])
    expect(actions).toEqual(['initialize', 'cancel'])
  },
)

test('an action waits REQUEST_TIMEOUT for its answer, and no longer (RC-6, RC-8)', async () => {
  const { coordinator, service } = await openWith(1)
  await coordinator.restart({ REQUEST_TIMEOUT: '300ms' })
  const hold = latch()
  service.script.initialize = [heldBy(hold, () => ({ body: {} }))]
  await coordinator.issue()
  // Still unanswered, it is asked after.
  await service.asked('get_status')
  hold.open()
})

test.each([400, 401, 403, 404, 409, 422])(
  'start answered with %d is final at once: sent once, nothing asked (RC-9)',
  async (status) => {
    const { coordinator, service } = await openWith(1)
    service.script.start = [answers(status, { message: 'not today' })]
    const release = await coordinator.reaches(await coordinator.issue(), 'failed')
    expect(release.reason).toContain(`answered ${status}: {"message":"not today"}`)
    expect(service.received.map(({ action }) => action)).toEqual(['initialize', 'start', 'cancel'])
  },
)

test('start answered with a wrong state is final at once (RC-9)', async () => {
  const { coordinator, service } = await openWith(1)
  service.script.start = [answers(200, { state: 'pending' })]
  const release = await coordinator.reaches(await coordinator.issue(), 'failed')
  expect(release.reason).toContain('wrong state "pending"')
  expect(service.received.map(({ action }) => action)).toEqual(['initialize', 'start', 'cancel'])
})

test.each([
  { status: 401, times: 1, ends: 'running', starts: 2 },
  { status: 403, times: 1, ends: 'running', starts: 2 },
  { status: 401, times: 9, ends: 'failed', starts: 2 },
  { status: 403, times: 9, ends: 'failed', starts: 2 },
])(
  'with a token, start answered $times times with $status is tried with one new token, then $ends (RC-9)',
  async ({ status, times, ends, starts }) => {
    const issuer = await openIssuer()
    const tokens: (string | undefined)[] = []
    let refused = 0
    const service = await openSocket(({ path, headers, body }) => {
      if (path === '/status') return { body: { name: 'strict' } }
      if (body.action !== 'start') return { body: {} }
      tokens.push(headers.authorization)
      return refused++ < times ? { status } : { body: { state: 'running' } }
    })
    const coordinator = await openCoordinator({ env: sending(issuer) })
    await register(coordinator, 'strict', service.url)
    const id = await coordinator.issue()
    await (ends === 'failed' ? coordinator.reaches(id, ends) : coordinator.tasksReach(id, ends))
    expect(tokens).toHaveLength(starts)
    expect(new Set(tokens).size).toBe(2)
    expect(issuer.count.tokens).toBe(2)
  },
)

test('the four warnings: nobody enabled, shared studies, no acknowledgement, partly published (RC-34)', async () => {
  const coordinator = await openCoordinator()
  const warnings = async (id: string) =>
    (await coordinator.events(id)).filter((event) => event.startsWith('warning: '))
  const empty = await coordinator.issue()
  await coordinator.reaches(empty, 'staged')
  expect(await warnings(empty)).toEqual([expect.stringMatching(/no .*enabled/i)])
  const [done, silent] = await coordinator.registerMany(2)
  const id = await coordinator.publishing([done!, silent!])
  const shared = expect.stringContaining(empty)
  expect(await warnings(id)).toEqual([shared])
  await coordinator.report(done!.task(), { state: 'published' })
  silent!.script.cancel = always(cut)
  await coordinator.restart({ ACTION_DEADLINE: '200ms' })
  await coordinator.cancel(id)
  const { partially_published: published } = await coordinator.reaches(id, 'canceled')
  expect(published).toEqual([done!.task()])
  const [, ...others] = await warnings(id)
  expect(others).toHaveLength(2)
  expect(others).toContainEqual(expect.stringContaining(`${silent!.id} has not acknowledged cancel`))
  expect(others).toContainEqual(expect.stringMatching(new RegExp(`partially published: ${done!.task()}$`)))
})

test('actions go out as JSON, without a token where there is none (SV-9)', async () => {
  const { url, asked } = await openSocket(({ path }) => ({ body: path === '/status' ? { name: 'x' } : {} }))
  const coordinator = await openCoordinator()
  await register(coordinator, 'x', url)
  const id = await coordinator.running()
  const actions = asked.filter(({ path }) => path === '/tasks')
  expect(actions.map(({ method, body }) => [method, body.action])).toEqual([
    ['POST', 'initialize'],
    ['POST', 'start'],
  ])
  for (const { headers, body } of actions) {
    expect(headers['content-type']).toMatch(/^application\/json\b/)
    expect(headers).not.toHaveProperty('authorization')
    expect(body).toMatchObject({ release_id: id, studies: [STUDY] })
  }
})

test('with a token every action carries it, /status does not, and AUTH=off changes nothing of it (SV-2, SV-9, AU-2)', async () => {
  const issuer = await openIssuer()
  const { url, asked } = await openSocket(({ path }) => ({ body: path === '/status' ? { name: 'x' } : {} }))
  const coordinator = await openCoordinator({ env: { AUTH: 'off', ...sending(issuer) } })
  await register(coordinator, 'x', url)
  await coordinator.running()
  await coordinator.call('POST', '/task-services/health_checks')
  const checks = () => asked.filter(({ path }) => path === '/status').length
  await expect.poll(checks, { timeout: 30_000 }).toBeGreaterThan(1)
  const actions = asked.filter(({ path }) => path === '/tasks')
  expect(actions).toHaveLength(2)
  for (const { headers } of actions) {
    const [scheme, token = ''] = headers.authorization?.split(' ') ?? []
    expect(scheme).toBe('Bearer')
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ aud: SERVICES })
  }
  for (const { path, headers } of asked)
    if (path === '/status') expect(headers).not.toHaveProperty('authorization')
})

test('whoever takes anything gets JSON, at both sides (SV-22)', async () => {
  const { coordinator } = await openWith(1)
  const service = await openService()
  await service.act('initialize')
  const paths = [
    ...['/', '/releases', '/tasks', '/task-services', '/events', '/studies', '/release-notes'].map(
      (path) => `${coordinator.url}${path}`,
    ),
    ...['/status', '/tasks', `/tasks/${TASK}`, `/tasks/${TASK}/events`].map(
      (path) => `${service.url}${path}`,
    ),
  ]
  for (const path of paths)
    for (const accept of ['*/*', 'application/json, */*;q=0.1']) {
      const response = await fetch(path, { headers: { accept } })
      expect([path, response.status]).toEqual([path, 200])
      expect(response.headers.get('content-type'), path).toMatch(/^application\/json\b/)
      expect(await response.json()).toBeTypeOf('object')
    }
})

test('a service that refused initialize refuses the start that follows too, with 404 (TS-9)', async () => {
  const service = await openService()
  for (const studies of ['SD_00000001', [7], ['RE_00000001']]) {
    expect((await service.act('initialize', { studies })).code).toBe(400)
    expect(await service.act('start')).toMatchObject({ code: 404, body: { code: 'TASK_NOT_FOUND' } })
  }
  expect((await service.call('GET', `/tasks/${TASK}`)).code).toBe(404)
})

// What follows is typed from the text of SV-4 and the table of SV-23, column by column.

const HTML = '<!doctype html><title>500 Internal Server Error</title>'

interface Existing {
  readonly url: string
  readonly asked: Asked[]
  /** The connection is cut at the next request of this action, before or after it is done. */
  lose: { readonly action: string; readonly isDone: boolean } | null
  isUp: boolean
  /** Ends the work of its only task, and says so where its kind does. */
  finish(coordinator: WiredCoordinator): Promise<void>
}

interface Kind {
  /** What `/status` answers, and `/` where it is anything. */
  readonly status: object
  readonly root?: object
  act(tasks: Map<string, string>, body: any, headers: IncomingHttpHeaders): Said
  readonly isReporting: boolean
  /** Takes the studies of the release, and not those of the request. */
  readonly isReading: boolean
}

const known = (state: string | undefined) => state !== undefined

/** Any action in any state, even unknown; every get_status is an error of its own. */
const oldReference: Kind = {
  status: { name: 'old reference', version: '1.0.0' },
  isReporting: true,
  isReading: false,
  act: (tasks, { action, task_id, release_id }) => {
    const states = { initialize: 'pending', start: 'running', publish: 'publishing', cancel: 'canceled' }
    const state = states[action as keyof typeof states]
    if (state === undefined) return { status: 500, body: HTML }
    tasks.set(task_id, state)
    return { body: { task_id, release_id, state, progress: 0 } }
  },
}

const snapshot: Kind = {
  status: { message: { name: 'snapshot', version: '1.2.0' } },
  root: { message: { name: 'snapshot', version: '1.2.0' } },
  isReporting: true,
  isReading: true,
  act: (tasks, { action, task_id, release_id }) => {
    const state = tasks.get(task_id)
    const say = (answered: string, stored = answered): Said => {
      tasks.set(task_id, stored)
      const date = '2024-01-01T00:00:00Z'
      return {
        body: {
          name: 'snapshot',
          task_id,
          release_id,
          state: answered,
          progress: null,
          date_submitted: date,
        },
      }
    }
    if (action === 'initialize' && !known(state)) return say('pending')
    if (action === 'start' && state === 'pending') return say('running')
    if (action === 'publish' && state === 'staged') return say('publishing')
    if (action === 'cancel' && known(state)) return say('cancelling', 'cancelled')
    if (action === 'get_status' && known(state)) return say(state)
    return { status: 400, body: { message: `${action} is not allowed` } }
  },
}

const reports: Kind = {
  status: { name: 'release reports', message: 'ok', version: '1.4.0' },
  isReporting: false,
  isReading: true,
  act: (tasks, { action, task_id, release_id }, { authorization = '' }) => {
    if (!authorization.startsWith('Bearer ')) return { status: 403, body: { message: 'no token' } }
    const state = tasks.get(task_id)
    const say = (next: string, more: object = { created_at: 1_704_067_200.123 }): Said => {
      tasks.set(task_id, next)
      return { body: { task_id, release_id, state: next, ...more } }
    }
    if (action === 'initialize') return say('initialized', {})
    if (action === 'start') return say('running')
    if (action === 'publish' && state === 'staged') return say('publishing')
    if (action === 'cancel' && ['initialized', 'running', 'staged'].includes(state ?? ''))
      return say('canceled')
    if (action !== 'get_status') return { status: 400, body: { message: `${action} is not allowed` } }
    return known(state) ? say(state) : { status: 404, body: { message: 'unknown' } }
  },
}

async function openExisting(kind: Kind): Promise<Existing> {
  const tasks = new Map<string, string>()
  const { url, asked } = await openSocket(({ method, path, headers, body }) => {
    if (!existing.isUp) return { status: 502, body: HTML }
    if (method === 'GET' && path === '/status') return { body: kind.status }
    if (method === 'GET' && path === '/' && kind.root) return { body: kind.root }
    if (method !== 'POST' || path !== '/tasks') return { status: 404, body: HTML }
    const { lose } = existing
    if (lose === null || lose.action !== body.action) return kind.act(tasks, body, headers)
    existing.lose = null
    if (lose.isDone) kind.act(tasks, body, headers)
    return 'cut'
  })
  const existing: Existing = {
    url,
    asked,
    lose: null,
    isUp: true,
    finish: async (coordinator) => {
      const [id = '', state = ''] = [...tasks].at(-1) ?? []
      const next = state === 'running' ? 'staged' : 'published'
      if (kind.isReading) {
        const release = asked.find(({ body }) => body?.task_id === id)?.body.release_id
        const answer = await fetch(`${coordinator.url}/releases/${release}`)
        expect(await answer.json()).toMatchObject({ studies: [STUDY] })
      }
      tasks.set(id, next)
      if (!kind.isReporting) return
      // With no token, and never again if this one is lost.
      const body = JSON.stringify({ state: next, progress: 100 })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${coordinator.url}/tasks/${id}`, { method: 'PATCH', headers, body })
      expect(answer.status).toBe(200)
    },
  }
  return existing
}

const actionsOf = ({ asked }: Existing) =>
  asked.flatMap(({ body }) => (body && body.action !== 'get_status' ? [body.action as string] : []))

/** The three, registered at a coordinator that checks tokens, sends its own and polls. */
async function openThree() {
  const issuer = await openIssuer()
  const services = [
    await openExisting(oldReference),
    await openExisting(snapshot),
    await openExisting(reports),
  ] as const
  const coordinator = await openCoordinator({
    env: {
      ...checking(issuer),
      ...sending(issuer),
      LEGACY_SERVICES: `${services[0].url},${services[1].url}`,
      POLL_INTERVAL: '20ms',
    },
  })
  coordinator.token = await issuer.token(person('ADMIN'), COORDINATOR)
  const names = ['old reference', 'snapshot', 'reports']
  const ids: string[] = []
  for (const [index, { url }] of services.entries()) ids.push(await register(coordinator, names[index]!, url))
  const finish = () => Promise.all(services.map((service) => service.finish(coordinator)))
  const states = async (id: string) => {
    const { tasks } = await coordinator.release(id)
    return names.map((name) => tasks.find((task: any) => task.service_name === name)?.state)
  }
  return { coordinator, services, ids, finish, states }
}

test('the three existing services are registered, and are healthy, whatever their /status looks like (SV-4)', async () => {
  const { coordinator, services, ids } = await openThree()
  const failures = (id: string) =>
    coordinator.call('GET', `/task-services/${id}`).then(({ body }) => body.last_ok_status as number)
  const check = async (isUp: boolean) => {
    for (const service of services) service.isUp = isUp
    await coordinator.call('POST', '/task-services/health_checks')
    for (const id of ids)
      await eventually(
        () => failures(id),
        (count) => count === (isUp ? 0 : 1),
      )
  }
  // A check that counts as failed first: only one that is taken for good then leads back to 0.
  await check(false)
  await check(true)
})

test('a release over the three existing services is published, each action told once (SV-23, SV-4)', async () => {
  const { coordinator, services, finish } = await openThree()
  const id = await coordinator.issue()
  await coordinator.tasksReach(id, 'running')
  await finish()
  await coordinator.reaches(id, 'staged')
  await coordinator.publish(id)
  await coordinator.tasksReach(id, 'publishing')
  await finish()
  expect(await coordinator.reaches(id, 'published')).toMatchObject({ version: '0.1.0', reason: null })
  for (const service of services) expect(actionsOf(service)).toEqual(['initialize', 'start', 'publish'])
  const { tasks } = await coordinator.moves(id)
  const way = ['waiting', 'initialized', 'running', 'staged', 'publishing', 'published']
  expect(tasks).toEqual([way, way, way])
  // What each was asked is what the table has, and nobody asked for the page of the snapshot task.
  const paths = new Set(services.flatMap(({ asked }) => asked.map(({ path }) => path)))
  expect([...paths].toSorted()).toEqual(['/status', '/tasks'])
})

test('a release over the three is canceled while it runs, and each has acknowledged (SV-23)', async () => {
  const { coordinator, services, states } = await openThree()
  const id = await coordinator.issue()
  await coordinator.tasksReach(id, 'running')
  await coordinator.cancel(id)
  await coordinator.reaches(id, 'canceled')
  expect(await states(id)).toEqual(['canceled', 'canceled', 'canceled'])
  for (const service of services) expect(actionsOf(service)).toEqual(['initialize', 'start', 'cancel'])
  expect((await coordinator.events(id)).filter((event) => event.startsWith('warning'))).toEqual([])
})

test('canceled while it publishes, the release ends, although the reports task refuses (SV-23, RC-10)', async () => {
  const { coordinator, services, finish, states } = await openThree()
  const id = await coordinator.issue()
  await coordinator.tasksReach(id, 'running')
  await finish()
  await coordinator.reaches(id, 'staged')
  await coordinator.publish(id)
  await coordinator.tasksReach(id, 'publishing')
  await coordinator.cancel(id)
  await coordinator.reaches(id, 'canceled')
  expect(await states(id)).toEqual(['canceled', 'canceled', 'canceled'])
  for (const service of services)
    expect(actionsOf(service)).toEqual(['initialize', 'start', 'publish', 'cancel'])
})

test.each([
  { action: 'initialize', isDone: true, told: ['initialize', 'start'] },
  { action: 'initialize', isDone: false, told: ['initialize', 'initialize', 'start'] },
  { action: 'start', isDone: true, told: ['initialize', 'start'] },
  { action: 'start', isDone: false, told: ['initialize', 'start', 'start'] },
])(
  'the connection is cut at $action, done: $isDone; the two that can be asked do it once (SV-23, RC-8)',
  async ({ action, isDone, told }) => {
    const { coordinator, services } = await openThree()
    const [first, ...others] = services
    for (const service of others) service.lose = { action, isDone }
    const id = await coordinator.issue()
    await coordinator.tasksReach(id, 'running')
    expect(actionsOf(first)).toEqual(['initialize', 'start'])
    for (const service of others) expect(actionsOf(service)).toEqual(told)
  },
)
