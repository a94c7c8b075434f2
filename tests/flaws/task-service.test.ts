import { listen } from '@release-task/http'
import { PermanentError } from '@release-task/task-service'
import { expect, onTestFinished, test } from 'vitest'
import { startFixture } from '../../packages/task-service/src/service.fixture.ts'
import { checking, machine, openIssuer, openServer, SERVICES } from './access.fixture.ts'
import { answers, latch as coordinatorLatch, openCoordinator, openWith } from './coordinator.fixture.ts'
import {
  eventually,
  latch,
  openBeside,
  openService,
  RELEASE,
  stopped,
  TASK,
  type WiredService,
} from './task-service.fixture.ts'

/** Initialized and started. */
async function start(service: WiredService): Promise<void> {
  expect((await service.act('initialize')).code).toBe(200)
  expect((await service.act('start')).code).toBe(200)
}

const becomes = (service: WiredService, state: string) =>
  eventually(async () => (await service.state()) === state)

test('F-68 get_status is 200 with the task, and 404 for one that is not known', async () => {
  const { service } = await openBeside()
  expect(await service.act('get_status')).toMatchObject({
    code: 404,
    body: { code: 'TASK_NOT_FOUND', message: expect.stringContaining(TASK) },
  })
  await service.act('initialize')
  expect(await service.act('get_status', { studies: undefined })).toMatchObject({
    code: 200,
    body: { task_id: TASK, release_id: RELEASE, state: 'pending', progress: 0 },
  })
})

test('F-69 the state survives a restart, and a poll after staging shows staged (TS-5)', async () => {
  const { service } = await openBeside()
  await start(service)
  await becomes(service, 'staged')
  await service.restart()
  expect(await service.state()).toBe('staged')
  expect((await service.act('publish')).body.state).toBe('publishing')
})

test('F-70 actions in any order: unknown tasks are not made, and a canceled one does not run again', async () => {
  const runs: string[] = []
  const stage = ({ id }: { id: string }) => void runs.push(id)
  const { service } = await openBeside({ task: { stage } })
  for (const action of ['start', 'publish']) expect((await service.act(action)).code).toBe(404)
  expect((await service.call('GET', `/tasks/${TASK}`)).code).toBe(404)
  await service.act('initialize')
  expect((await service.act('publish')).code).toBe(400)
  expect((await service.act('cancel')).body.state).toBe('canceled')
  for (const action of ['start', 'initialize', 'publish'])
    expect(await service.act(action)).toMatchObject({
      code: 400,
      body: { message: expect.stringMatching(new RegExp(`${action}.*canceled`)) },
    })
  const other = { task_id: 'TA_00000002' }
  expect((await service.act('cancel', other)).code).toBe(404)
  expect((await service.act('initialize', other)).code).toBe(400)
  expect(await service.state()).toBe('canceled')
  expect(runs).toEqual([])
})

test('F-71 cancel after start: the work is told to stop, and staged is never reported', async () => {
  const [began, discarded] = [latch(), latch<string>()]
  const { service, coordinator } = await openBeside({
    task: {
      // It does not look at the signal in time: it finishes all the same.
      stage: async ({ signal }) => {
        began.open()
        await stopped(signal)
      },
      discard: ({ from }) => discarded.open(from),
    },
  })
  await start(service)
  await began.reached
  expect((await service.act('cancel')).body.state).toBe('canceled')
  expect(await discarded.reached).toBe('running')
  await eventually(async () => (await service.task()).cleanup === 'done')
  expect(coordinator.states()).toEqual([])
  expect(await service.state()).toBe('canceled')
})

test('F-72 the coordinator is away while the task finishes: the report is kept, sent later, and says who sends it', async () => {
  const issuer = await openIssuer()
  const env = {
    AUTH_TOKEN_URL: issuer.tokenUrl,
    AUTH_CLIENT_ID: 'a-service',
    AUTH_CLIENT_SECRET: 'secret',
    AUTH_TOKEN_AUDIENCE: 'https://coordinator.test',
  }
  const { service, coordinator } = await openBeside({ env })
  await coordinator.close()
  await start(service)
  await eventually(async () => ((await service.task()).report?.failures ?? 0) > 0)
  expect(await service.task()).toMatchObject({ state: 'staged', waiting_for: { whom: 'coordinator' } })
  await service.restart()
  coordinator.answers.push({ status: 503 })
  await coordinator.start()
  await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
  expect(coordinator.states()).toEqual(['staged', 'staged'])
  for (const { headers } of coordinator.reports) expect(headers['authorization']).toMatch(/^Bearer \S+$/)
})

test('F-73 an exception that trying again cannot help: failed, reported with its cause', async () => {
  const stage = () => {
    throw new PermanentError('no such study')
  }
  const { service, coordinator } = await openBeside({ task: { stage } })
  await start(service)
  await coordinator.until(() => coordinator.shown.get(TASK) === 'failed')
  expect(coordinator.reports.at(-1)?.body).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('no such study'),
  })
  expect((await service.task()).last_error.message).toContain('no such study')
})

test('F-74 a second start, while it works and after: the same answer, and the work is done once', async () => {
  let runs = 0
  const end = latch()
  const stage = async () => {
    runs++
    await end.reached
  }
  const { service } = await openBeside({ task: { stage } })
  await service.act('initialize')
  const first = await service.act('start')
  expect(first.body.state).toBe('running')
  expect(await service.act('start')).toMatchObject({ code: 200, body: { state: 'running' } })
  end.open()
  await becomes(service, 'staged')
  expect(await service.act('start')).toMatchObject({ code: 200, body: { state: 'running' } })
  expect([await service.state(), runs]).toEqual(['staged', 1])
})

test('F-76 a token is asked for, answers are whole, errors are JSON, and the studies of the request are used (SV-11)', async () => {
  const issuer = await openIssuer()
  const used: string[][] = []
  const stage = ({ studies }: { studies: readonly string[] }) => void used.push([...studies])
  const { service, coordinator } = await openBeside({
    task: { stage },
    env: { ...checking(issuer), AUTH_AUDIENCE: SERVICES },
  })
  const body = { action: 'initialize', task_id: TASK, release_id: RELEASE, studies: ['SD_REQUEST0'] }
  expect(await service.call('POST', '/tasks', body)).toMatchObject({
    code: 403,
    body: { message: expect.any(String), code: 'NOT_PERMITTED' },
  })
  const headers = { authorization: `Bearer ${await issuer.token(machine(), SERVICES)}` }
  expect(await service.call('POST', '/tasks', body, headers)).toEqual({
    code: 200,
    body: {
      name: 'example',
      kf_id: TASK,
      task_id: TASK,
      release_id: RELEASE,
      state: 'pending',
      progress: 0,
      date_submitted: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    },
  })
  await service.call('POST', '/tasks', { ...body, action: 'start' }, headers)
  await coordinator.until(() => coordinator.shown.get(TASK) === 'staged')
  expect(used).toEqual([['SD_REQUEST0']])
  for (const [path, code] of [
    ['/nowhere', 404],
    ['/tasks/TA_00000009', 404],
  ] as const)
    expect(await service.call('GET', path)).toMatchObject({ code, body: { message: expect.any(String) } })
})

test('F-77 cancelling and cancelled of a service are canceled here, and ours says canceled', async () => {
  const { coordinator, service } = await openWith(1)
  service.script.cancel = [answers(200, { state: 'cancelling' })]
  const one = await coordinator.running()
  await coordinator.cancel(one)
  await coordinator.reaches(one, 'canceled')
  expect(service.actions().filter((action) => action === 'cancel')).toHaveLength(1)
  const two = await coordinator.running()
  service.states.set(service.task(), 'cancelled')
  await coordinator.hurries(two, ({ state }) => state === 'canceled')
  expect(await coordinator.taskStates(two, [service])).toEqual(['canceled'])
  const ours = (await openBeside()).service
  await ours.act('initialize')
  expect([(await ours.act('cancel')).body.state, await ours.state()]).toEqual(['canceled', 'canceled'])
})

test('F-78 both directions with tokens: a whole release, and without them nothing', async () => {
  const issuer = await openIssuer()
  const audience = 'https://coordinator.test'
  const outgoing = (client: string, to: string) => ({
    AUTH_CLIENT_ID: client,
    AUTH_CLIENT_SECRET: 'secret',
    AUTH_TOKEN_AUDIENCE: to,
  })
  const coordinator = await openCoordinator({
    env: { ...checking(issuer), ...outgoing('coordinator', SERVICES) },
  })
  const admin = { kind: 'user', id: 'auth0|1', role: 'ADMIN' } as const
  coordinator.token = await issuer.token(admin, audience)
  const service = await openService({
    env: {
      ...checking(issuer),
      AUTH_AUDIENCE: SERVICES,
      ...outgoing('example', audience),
      COORDINATOR_API: coordinator.url,
    },
  })
  const about = { name: 'example', description: 'ours', author: 'test', url: service.url }
  expect((await coordinator.call('POST', '/task-services', about)).code).toBe(201)
  const id = await coordinator.issue()
  const { tasks } = await coordinator.reaches(id, 'staged')
  await coordinator.publish(id)
  await coordinator.reaches(id, 'published')
  const without = { authorization: '' }
  const report = { state: 'failed' }
  expect((await coordinator.call('PATCH', `/tasks/${tasks[0].kf_id}`, report, without)).code).toBe(403)
  const cancel = { action: 'cancel', task_id: tasks[0].kf_id, release_id: id }
  expect((await service.call('POST', '/tasks', cancel)).code).toBe(403)
  expect((await coordinator.release(id)).state).toBe('published')
})

test('F-79 what is reported is stored before, and a refused report is not taken for delivered', async () => {
  const { service, coordinator } = await openBeside()
  const hold = latch()
  coordinator.hold = hold.reached
  coordinator.answers.push({ status: 403, body: { detail: 'Not allowed' } })
  await start(service)
  await coordinator.until(() => coordinator.states().includes('staged'))
  // The report is on its way and has no answer yet.
  expect(await service.state()).toBe('staged')
  hold.open()
  await eventually(async () => (await service.task()).report?.failures > 0)
  expect((await service.task()).report).toMatchObject({ state: 'staged', delivered: false })
})

test('F-80 a failure of the storage is reported', async () => {
  const stage = () => {
    throw new Error('the bucket does not answer')
  }
  const { service, coordinator } = await openBeside({ task: { stage }, env: { STAGE_RETRY_FOR: '1ms' } })
  await start(service)
  await coordinator.until(() => coordinator.shown.get(TASK) === 'failed')
  expect(coordinator.reports.at(-1)?.body.message).toContain('the bucket does not answer')
  expect(await service.state()).toBe('failed')
})

test('F-81 cancel stops the work, and neither its end nor its error changes the state afterwards', async () => {
  for (const ending of ['done', 'error']) {
    const began = latch()
    const { service, coordinator } = await openBeside({
      task: {
        stage: async ({ signal }) => {
          began.open()
          await stopped(signal)
          if (ending === 'error') throw new Error('the cache is gone')
        },
      },
    })
    await start(service)
    await began.reached
    await service.act('cancel')
    await eventually(async () => (await service.task()).cleanup === 'done')
    expect(await service.task()).toMatchObject({ state: 'canceled', last_error: null })
    expect(coordinator.states()).toEqual([])
  }
})

test('F-82 a restart between initialize and start: start works', async () => {
  const { service } = await openBeside()
  await service.act('initialize')
  await service.restart()
  expect((await service.act('start')).body.state).toBe('running')
  await becomes(service, 'staged')
})

test('F-84 actions at the same moment: all are answered in full, and the work is done once', async () => {
  let runs = 0
  const { service } = await openBeside({ task: { stage: () => void runs++ } })
  const all = (action: string) => Promise.all(Array.from({ length: 10 }, () => service.act(action)))
  for (const { code, body } of await all('initialize'))
    expect([code, body.state, body.kf_id]).toEqual([200, 'pending', TASK])
  for (const { code, body } of await all('start')) expect([code, body.state]).toEqual([200, 'running'])
  await becomes(service, 'staged')
  expect(runs).toBe(1)
})

test('F-85 the store is unreachable: 503, at once', async () => {
  const fixture = await startFixture()
  onTestFinished(() => fixture.close())
  const url = await listen(fixture.service.app, { host: '127.0.0.1', port: 0, auth: null })
  await fixture.database.close()
  const body = JSON.stringify({ action: 'get_status', task_id: TASK, release_id: RELEASE })
  for (const [path, init] of [
    ['/tasks', { method: 'POST', body, headers: { 'content-type': 'application/json' } }],
    ['/status', {}],
  ] as const) {
    const response = await fetch(`${url}${path}`, init)
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      503,
      'STORE_UNAVAILABLE',
    ])
  }
})

test('F-86 an unknown task is 404, /status is flat, progress is a number, malformed JSON is 400', async () => {
  const { service } = await openBeside()
  expect((await service.act('publish')).code).toBe(404)
  expect(await service.call('GET', '/status')).toEqual({
    code: 200,
    body: { name: 'example', message: 'ready', version: '1.0.0' },
  })
  expect((await service.act('initialize')).body.progress).toBe(0)
  expect(await service.call('POST', '/tasks', '{"action":')).toMatchObject({
    code: 400,
    body: { message: expect.any(String), code: 'INPUT_INVALID' },
  })
})

test('F-87 ours answers initialize with pending and every field; initialized of others is a yes', async () => {
  const { service } = await openBeside()
  const { body } = await service.act('initialize')
  expect(body.state).toBe('pending')
  expect(Object.keys(body)).toEqual(
    expect.arrayContaining(['name', 'kf_id', 'task_id', 'progress', 'date_submitted']),
  )
  const other = await openWith(1)
  other.service.script.initialize = [answers(200, { task_id: 'x', state: 'initialized' })]
  await other.coordinator.running()
})

test('F-88 start of an unknown id is 404 and makes nothing', async () => {
  const { service } = await openBeside()
  expect((await service.act('start')).code).toBe(404)
  expect((await service.act('get_status')).code).toBe(404)
  expect((await service.call('GET', '/tasks')).body).toEqual({ count: 0, results: [] })
})

test('F-89 initialize twice is the same answer; of a task that has begun it is 400, and changes nothing', async () => {
  const { service } = await openBeside()
  const first = await service.act('initialize')
  expect(await service.act('initialize')).toEqual(first)
  expect((await service.act('initialize', { release_id: 'RE_00000002' })).code).toBe(400)
  await service.act('start')
  await becomes(service, 'staged')
  expect((await service.act('initialize')).code).toBe(400)
  expect(await service.task()).toMatchObject({ state: 'staged', release_id: RELEASE })
})

test('F-90 the coordinator answers 500 while the task reads from it: tried again, then failed and reported', async () => {
  const heard: string[] = []
  const coordinator = await openServer(({ method, url }) => {
    heard.push(`${method} ${url}`)
    return method === 'PATCH' ? {} : { status: 500 }
  })
  const service = await openService({
    task: { stage: async (task) => void (await task.coordinator.release()) },
    env: { COORDINATOR_API: coordinator.url, STAGE_RETRY_FOR: '1ms' },
  })
  await start(service)
  await eventually(async () => (await service.state()) === 'failed')
  await eventually(() => heard.includes(`PATCH /tasks/${TASK}`))
  expect(heard.filter((one) => one === `GET /releases/${RELEASE}`).length).toBeGreaterThan(1)
  expect((await service.task()).last_error.message).toContain('answered 500')
})

test('F-91 nobody polls: a release of ours is staged and published by its own reports', async () => {
  const coordinator = await openCoordinator({ env: { POLL_INTERVAL: '0' } })
  const service = await openService({ env: { COORDINATOR_API: coordinator.url } })
  const about = { name: 'example', description: 'ours', author: 'test', url: service.url }
  await coordinator.call('POST', '/task-services', about)
  const id = await coordinator.issue()
  await coordinator.reaches(id, 'staged')
  await coordinator.publish(id)
  await coordinator.reaches(id, 'published')
})

test('F-92 audiences that differ: the first action is refused with 403, and that is no yes', async () => {
  const issuer = await openIssuer()
  const env = {
    AUTH_TOKEN_URL: issuer.tokenUrl,
    AUTH_CLIENT_ID: 'coordinator',
    AUTH_CLIENT_SECRET: 'secret',
    AUTH_TOKEN_AUDIENCE: SERVICES,
  }
  const coordinator = await openCoordinator({ env })
  const register = async (audience: string) => {
    const service = await openService({
      env: { ...checking(issuer), AUTH_AUDIENCE: audience, COORDINATOR_API: coordinator.url },
    })
    const about = { name: audience, description: 'ours', author: 'test', url: service.url }
    return (await coordinator.call('POST', '/task-services', about)).body.kf_id
  }
  const other = await register('https://other.test')
  const release = await coordinator.reaches(await coordinator.issue(), 'failed')
  expect(release.tasks[0].state).toBe('rejected')
  expect(release.reason).toContain('answered 403')
  await coordinator.call('PATCH', `/task-services/${other}`, { enabled: false })
  await register(SERVICES)
  await coordinator.reaches(await coordinator.issue(), 'staged')
})

test('F-93 keys are read once for many calls, by their names; a token without sub is no 500', async () => {
  const issuer = await openIssuer()
  const { service } = await openBeside({ env: { ...checking(issuer), AUTH_AUDIENCE: SERVICES } })
  const headers = { authorization: `Bearer ${await issuer.token(machine(), SERVICES)}` }
  const body = { action: 'get_status', task_id: TASK, release_id: RELEASE }
  const ask = async (how: Record<string, string>) => (await service.call('POST', '/tasks', body, how)).code
  const codes = await Promise.all(Array.from({ length: 20 }, () => ask(headers)))
  expect([new Set(codes), issuer.count.keys]).toEqual([new Set([404]), 1])
  const nameless = await issuer.token(machine(), SERVICES, { sub: undefined, azp: undefined })
  expect(await ask({ authorization: `Bearer ${nameless}` })).toBe(404)
  await issuer.rotate()
  const renewed = { authorization: `Bearer ${await issuer.token(machine(), SERVICES)}` }
  expect([await ask(renewed), issuer.count.keys]).toEqual([404, 2])
  issuer.kid = 'another'
  expect(await ask({ authorization: `Bearer ${await issuer.token(machine(), SERVICES)}` })).toBe(403)
})

test('F-94 the raised version is there as soon as the last task is published, and not before (RC-30)', async () => {
  const { coordinator, services } = await openWith(2)
  const id = await coordinator.publishing(services)
  const version = async () => (await coordinator.release(id)).version
  await coordinator.report(services[0]!.task(), { state: 'published' })
  expect(await version()).toBe('0.0.0')
  await coordinator.report(services[1]!.task(), { state: 'published' })
  expect(await version()).toBe('0.1.0')
})

test('F-95 a second cancel is answered as the first one, also while publishing', async () => {
  const began = coordinatorLatch()
  const publish = async ({ signal }: { signal: AbortSignal }) => {
    began.open()
    await stopped(signal)
  }
  const { service } = await openBeside({ task: { publish } })
  await start(service)
  await becomes(service, 'staged')
  await service.act('publish')
  await began.reached
  const first = await service.act('cancel')
  expect(first).toMatchObject({ code: 200, body: { state: 'canceled' } })
  expect(await service.act('cancel')).toEqual(first)
})

test('F-96 ids that are not text are 400, and the message names the field; a second start works once', async () => {
  let runs = 0
  const { service } = await openBeside({ task: { stage: () => void runs++ } })
  for (const [field, value] of [
    ['task_id', 7],
    ['task_id', null],
    ['task_id', ['TA_00000001']],
    ['release_id', {}],
    ['release_id', true],
    ['studies', [1]],
  ] as const)
    expect(await service.act('initialize', { [field]: value })).toMatchObject({
      code: 400,
      body: { code: 'INPUT_INVALID', message: expect.stringContaining(field) },
    })
  await start(service)
  await becomes(service, 'staged')
  expect((await service.act('start')).body.state).toBe('running')
  expect([await service.state(), runs]).toEqual(['staged', 1])
})
