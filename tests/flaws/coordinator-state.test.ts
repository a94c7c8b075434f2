import { readConfig, serve } from '@release-task/coordinator'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  always,
  answers,
  eventually,
  heldBy,
  latch,
  nextMillisecond,
  openWith,
  STUDY,
  type Handler,
  type WiredCoordinator,
} from './coordinator.fixture.ts'

/** Does the work and reports its end before it answers. */
const reportsFirst =
  (coordinator: WiredCoordinator, state: string): Handler =>
  async (service, request) => {
    const answer = service.act(request)
    expect((await coordinator.report(request.task_id, { state, progress: 100 })).code).toBe(200)
    return answer
  }

test('F-01 staged before the answer to start: it stays staged, and a later publish goes on', async () => {
  const { coordinator, services, service } = await openWith(1)
  service.script.start = [reportsFirst(coordinator, 'staged')]
  const id = await coordinator.issue()
  await coordinator.reaches(id, 'staged')
  await coordinator.publish(id)
  // That publish is sent tells that the answer to start has been dealt with: one request at a time for each task.
  await coordinator.tasksReach(id, 'publishing')
  await coordinator.reportAll(services, 'published')
  expect(await coordinator.moves(id)).toEqual({
    release: ['waiting', 'initializing', 'running', 'staged', 'publishing', 'published'],
    tasks: [['waiting', 'initialized', 'running', 'staged', 'publishing', 'published']],
  })
})

test('F-02 published before the answer to publish: the task does not stay publishing', async () => {
  const { coordinator, services, service } = await openWith(1)
  const id = await coordinator.staged(services)
  service.script.publish = [reportsFirst(coordinator, 'published')]
  await coordinator.publish(id)
  await coordinator.reaches(id, 'published')
  // A coordinator that ends waits for what is under way, and stores it.
  await coordinator.restart()
  expect(await coordinator.taskStates(id, services)).toEqual(['published'])
  expect((await coordinator.call('POST', '/tasks/status_checks')).body.message).toBe('0 task to check')
})

test('F-03 a slow poll that answers running undoes no report that came meanwhile', async () => {
  const { coordinator, services, service } = await openWith(1)
  const id = await coordinator.running()
  const [first, second] = [latch(), latch()]
  const early: Handler = () => ({ body: { state: 'running', progress: 3 } })
  service.script.get_status = [heldBy(first, early), heldBy(second, early)]
  // A poll of the same millisecond as the move before it would be dropped for that alone.
  await nextMillisecond()
  await coordinator.call('POST', '/tasks/status_checks')
  await service.asked('get_status')
  await coordinator.report(service.task(), { progress: 40 })
  first.open()
  await nextMillisecond()
  // One question at a time: that a second one is asked tells that the first answer has been dealt with.
  await eventually(
    () => coordinator.call('POST', '/tasks/status_checks'),
    () => service.received.filter((one) => one.action === 'get_status').length === 2,
  )
  expect((await coordinator.release(id)).tasks[0]).toMatchObject({ state: 'running', progress: 40 })
  await coordinator.report(service.task(), { state: 'staged', progress: 100 })
  second.open()
  await coordinator.publish(id)
  await coordinator.tasksReach(id, 'publishing')
  await coordinator.reportAll(services, 'published')
  expect((await coordinator.release(id)).tasks[0]).toMatchObject({ state: 'published', progress: 100 })
})

test('F-04 an edit of a service while its /status hangs is not undone by the health check', async () => {
  const { coordinator, service } = await openWith(1)
  const hold = latch()
  service.holdStatus = hold.reached
  const seen = service.statusRequests.length
  await coordinator.call('POST', '/task-services/health_checks')
  await service.until(() => service.statusRequests.length > seen)
  const path = `/task-services/${service.id}`
  await coordinator.call('PATCH', path, { enabled: false, description: 'edited meanwhile' })
  service.status = { code: 500, body: '' }
  hold.open()
  const shown = await eventually(
    async () => (await coordinator.call('GET', path)).body,
    (body) => body.last_ok_status === 1,
  )
  expect(shown).toMatchObject({ enabled: false, description: 'edited meanwhile' })
})

test('F-05 two services that initialize at the same moment, many times: each task gets start once', async () => {
  const { coordinator, services } = await openWith(2)
  const ids = []
  for (let round = 0; round < 10; round++) {
    const hold = latch()
    for (const service of services) service.script.initialize = [heldBy(hold)]
    const before = services.map((service) => service.received.length)
    const id = await coordinator.issue()
    await Promise.all(
      services.map((service, index) => service.until(() => service.received.length > before[index]!)),
    )
    hold.open()
    await coordinator.tasksReach(id, 'running')
    ids.push(id)
  }
  // Whatever was to be sent twice is sent by now: publish comes after start for the same task.
  for (const id of ids) {
    const { tasks } = await coordinator.release(id)
    await Promise.all(tasks.map((task: any) => coordinator.report(task.kf_id, { state: 'staged' })))
    await coordinator.publish(id)
    await coordinator.tasksReach(id, 'publishing')
  }
  for (const service of services)
    for (const id of ids)
      expect(service.received.filter((one) => one.release_id === id).map((one) => one.action)).toEqual([
        'initialize',
        'start',
        'publish',
      ])
})

test('F-06 when the first of eight services answers, all tasks are there, and nobody is started', async () => {
  const { coordinator, services, service } = await openWith(8)
  const hold = latch()
  for (const one of services.slice(1)) one.script.initialize = [heldBy(hold)]
  const id = await coordinator.issue()
  await service.asked('initialize')
  expect((await coordinator.release(id)).tasks).toHaveLength(8)
  const seen = await eventually(
    () => coordinator.release(id),
    (release) => release.tasks.some((task: any) => task.state === 'initialized'),
  )
  expect(seen.state).toBe('initializing')
  expect(service.actions()).toEqual(['initialize'])
  hold.open()
  await coordinator.tasksReach(id, 'running')
  for (const one of services) expect(one.actions()).toEqual(['initialize', 'start'])
})

test('F-07 cancel while start is slow: no start after it, and nothing runs', async () => {
  const { coordinator, services, service } = await openWith(3)
  const hold = latch()
  service.script.start = [heldBy(hold)]
  const id = await coordinator.issue()
  await service.asked('start')
  await coordinator.cancel(id)
  hold.open()
  await coordinator.reaches(id, 'canceled')
  expect(await coordinator.taskStates(id, services)).toEqual(['canceled', 'canceled', 'canceled'])
  for (const one of services) expect(one.actions().at(-1)).toBe('cancel')
})

test('F-08 cancel while initialize is slow: the late answer does not undo it', async () => {
  const { coordinator, service } = await openWith(2)
  const hold = latch()
  service.script.initialize = [heldBy(hold)]
  const id = await coordinator.issue()
  await service.asked('initialize')
  await coordinator.cancel(id)
  hold.open()
  await coordinator.reaches(id, 'canceled')
  for (const moves of (await coordinator.moves(id)).tasks) expect(moves.at(-1)).toBe('canceled')
  expect((await coordinator.moves(id)).release.slice(-2)).toEqual(['canceling', 'canceled'])
  expect(service.actions()).toEqual(['initialize', 'cancel'])
})

test('F-09 two refusals, one after the release has ended: nothing leaves its terminal state', async () => {
  const { coordinator, services } = await openWith(2, { env: { ACTION_DEADLINE: '300ms' } })
  const [fast, slow] = [services[0]!, services[1]!]
  const hold = latch()
  fast.script.initialize = [answers(422)]
  slow.script.initialize = [heldBy(hold, answers(422))]
  const id = await coordinator.issue()
  await slow.asked('initialize')
  await coordinator.hurries(id, (release) => release.state === 'failed')
  const before = await coordinator.moves(id)
  hold.open()
  // cancel is sent on after the end of the release, and only once the refusal has been dealt with.
  await slow.asked('cancel')
  await eventually(
    () => coordinator.release(id),
    (release) => release.tasks.every((task: any) => task.waiting_for === null),
  )
  expect(await coordinator.moves(id)).toEqual(before)
  expect(before.release).toEqual(['waiting', 'initializing', 'canceling', 'failed'])
  expect(before.tasks.toSorted()).toEqual([
    ['waiting', 'canceled'],
    ['waiting', 'rejected'],
  ])
})

test('F-10 release checks and a cancel around a report of failed: it ends failed', async () => {
  const { coordinator, services, service } = await openWith(2)
  const id = await coordinator.running()
  const hold = latch()
  services[1]!.script.cancel = [heldBy(hold)]
  const checks = () => coordinator.call('POST', '/releases/status_checks')
  const [, report] = await Promise.all([
    checks(),
    coordinator.report(service.task(), { state: 'failed' }),
    checks(),
  ])
  expect(report.code).toBe(200)
  await checks()
  expect((await coordinator.cancel(id)).body.state).toBe('canceling')
  // What it will end as is stored, and not only known to the process that heard the report.
  await coordinator.crash()
  hold.open()
  await checks()
  await coordinator.reaches(id, 'failed')
  expect((await coordinator.moves(id)).release.slice(-2)).toEqual(['canceling', 'failed'])
})

test('F-11 versions of overlapping releases, created and published at the same time, are all different', async () => {
  const { coordinator, services } = await openWith(1)
  const ids = await Promise.all([1, 2, 3].map(() => coordinator.issue()))
  const versions = async () =>
    (await Promise.all(ids.map((id) => coordinator.release(id)))).map((one) => one.version).toSorted()
  expect(await versions()).toEqual(['0.0.0', '0.0.1', '0.0.2'])
  for (const id of ids) await coordinator.tasksReach(id, 'running')
  const tasks = (await coordinator.call('GET', '/tasks')).body.results
  const reportAll = (state: string) =>
    Promise.all(tasks.map((task: any) => coordinator.report(task.kf_id, { state })))
  await reportAll('staged')
  await Promise.all(ids.map((id) => coordinator.publish(id)))
  for (const id of ids) await coordinator.tasksReach(id, 'publishing')
  await reportAll('published')
  expect(await versions()).toEqual(['0.1.0', '0.2.0', '0.3.0'])
  expect(services[0]!.done).toHaveLength(9)
})

test('F-12 killed while the last report is stored: version and state are both old, or both new', async () => {
  const { coordinator, services, service } = await openWith(1)
  const id = await coordinator.publishing(services)
  const report = coordinator.report(service.task(), { state: 'published' }).catch(() => null)
  // Killed while the report is on its way: it may have arrived or not.
  await coordinator.crash()
  await report
  const { state, version } = await coordinator.release(id)
  expect([
    ['publishing', '0.0.0'],
    ['published', '0.1.0'],
  ]).toContainEqual([state, version])
  await coordinator.report(service.task(), { state: 'published' })
  expect(await coordinator.release(id)).toMatchObject({ state: 'published', version: '0.1.0' })
})

test('F-13 a poll that shows failed: each event tells one change that is really there', async () => {
  const { coordinator, service } = await openWith(2)
  const id = await coordinator.running()
  service.states.set(service.task(), 'failed')
  await coordinator.hurries(id, (release) => release.state === 'failed')
  const { release, tasks } = await coordinator.moves(id)
  expect(release).toEqual(['waiting', 'initializing', 'running', 'canceling', 'failed'])
  expect(tasks.toSorted()).toEqual([
    ['waiting', 'initialized', 'running', 'canceled'],
    ['waiting', 'initialized', 'running', 'failed'],
  ])
})

test('F-14 the queue is away when a release is created: it begins all the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flaws-'))
  const served = await serve(
    readConfig({
      PORT: '0',
      LOG_LEVEL: 'silent',
      DATABASE_SYNC: 'normal',
      DATABASE_URL: `sqlite:${join(folder, 'state.db')}`,
      // Nobody listens there.
      QUEUE_URL: 'redis://127.0.0.1:1',
    }),
  )
  onTestFinished(async () => {
    await served.close()
    rmSync(folder, { recursive: true })
  })
  const created = await fetch(`${served.url}/releases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'spring', studies: [STUDY] }),
  })
  const { kf_id: id } = (await created.json()) as { kf_id: string }
  expect(created.status).toBe(201)
  const look = async () =>
    ((await (await fetch(`${served.url}/releases/${id}`)).json()) as { state: string }).state
  await eventually(look, (state) => state === 'staged')
})

test('F-15 three services that are slow to start: all are told at once, and a crash loses none of it', async () => {
  const { coordinator, services } = await openWith(3)
  const hold = latch()
  // Each has done what it was asked, and its answer comes too late.
  for (const service of services)
    service.script.start = [
      async (_, request) => {
        service.act(request)
        await hold.reached
        return 'cut' as const
      },
    ]
  const id = await coordinator.issue()
  await Promise.all(services.map((service) => service.asked('start')))
  await coordinator.crash()
  hold.open()
  await coordinator.tasksReach(id, 'running')
  for (const service of services) expect(service.done).toEqual(['initialize', 'start'])
})

test('F-41 all services are disabled: staged at once, with a warning', async () => {
  const { coordinator, service } = await openWith(1)
  await coordinator.call('PATCH', `/task-services/${service.id}`, { enabled: false })
  const id = await coordinator.issue()
  expect((await coordinator.reaches(id, 'staged')).tasks).toEqual([])
  expect((await coordinator.events(id)).filter((event) => event.startsWith('warning'))).toHaveLength(1)
  expect(service.received).toEqual([])
})

test('F-42 a service with a task in a running release cannot be deleted; afterwards it can', async () => {
  const { coordinator, service } = await openWith(1)
  const id = await coordinator.running()
  const remove = () => coordinator.call('DELETE', `/task-services/${service.id}`)
  expect(await remove()).toMatchObject({ code: 409, body: { detail: expect.stringContaining(id) } })
  expect((await coordinator.release(id)).tasks).toHaveLength(1)
  await coordinator.cancel(id)
  await coordinator.reaches(id, 'canceled')
  expect((await remove()).code).toBe(204)
})

test('F-101 studies, name and is_major of a running and of a published release are fixed', async () => {
  const { coordinator, services } = await openWith(1)
  const id = await coordinator.running()
  const [other] = (await coordinator.call('GET', '/studies')).body.results
    .map((study: any) => study.kf_id)
    .filter((one: string) => one !== STUDY)
  const edits = { studies: [STUDY, other], name: 'another', is_major: true }
  const expectFixed = async () => {
    for (const [field, value] of Object.entries(edits))
      expect(await coordinator.call('PATCH', `/releases/${id}`, { [field]: value })).toMatchObject({
        code: 400,
        body: { [field]: [expect.any(String)] },
      })
  }
  await expectFixed()
  await coordinator.reportAll(services, 'staged')
  await coordinator.publish(id)
  await coordinator.tasksReach(id, 'publishing')
  await coordinator.reportAll(services, 'published')
  await expectFixed()
  expect((await coordinator.call('PATCH', `/releases/${id}`, { description: 'later' })).code).toBe(200)
  expect(await coordinator.release(id)).toMatchObject({
    name: 'spring',
    studies: [STUDY],
    is_major: false,
    description: 'later',
  })
  for (const { studies } of services[0]!.received) expect(studies).toEqual([STUDY])
})

test('F-102 a second release over the same studies is allowed, with a warning that names the first', async () => {
  const { coordinator, service } = await openWith(1)
  service.script.start = always(answers(200, { state: 'running' }))
  const one = await coordinator.running()
  const two = await coordinator.running()
  const warnings = async (id: string) =>
    (await coordinator.events(id)).filter((event) => event.startsWith('warning'))
  expect(await warnings(one)).toEqual([])
  expect(await warnings(two)).toEqual([expect.stringContaining(one)])
})
