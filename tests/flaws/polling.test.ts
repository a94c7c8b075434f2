import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answers, cut, eventually, heldBy, latch, nextMillisecond, openWith } from './coordinator.fixture.ts'

test('F-30 nobody calls the check endpoints: polls, health checks and deadlines happen by themselves', async () => {
  const env = { POLL_INTERVAL: '20ms', HEALTH_INTERVAL: '20ms' }
  const { coordinator, service } = await openWith(1, { env })
  const id = await coordinator.running()
  service.states.set(service.task(), 'staged')
  await coordinator.reaches(id, 'staged')
  service.status = { code: 500, body: '' }
  const shown = async () => (await coordinator.call('GET', `/task-services/${service.id}`)).body
  await eventually(shown, (body) => body.last_ok_status > 0)
  await coordinator.restart({ TASK_TIMEOUT: '1ms' })
  const late = await coordinator.issue()
  expect((await coordinator.reaches(late, 'canceled')).reason).toContain('not been heard of')
})

test('F-31 a task that is silent for too long: its release ends, and the service is told', async () => {
  const { coordinator, services, service } = await openWith(1, { env: { TASK_TIMEOUT: '1ms' } })
  const id = await coordinator.issue()
  await coordinator.hurries(id, ({ state }) => state === 'canceled')
  expect((await coordinator.moves(id)).release.slice(-3)).toEqual(['running', 'canceling', 'canceled'])
  expect(await coordinator.taskStates(id, services)).toEqual(['canceled'])
  expect(service.actions().at(-1)).toBe('cancel')
})

test('F-32 progress alone puts the end of the patience off; nothing that others send does', async () => {
  const { coordinator, service } = await openWith(1)
  const id = await coordinator.running()
  const givesUpAt = async () => Date.parse((await coordinator.release(id)).tasks[0].waiting_for.gives_up_at)
  const before = await givesUpAt()
  await nextMillisecond()
  await coordinator.report(service.task(), { progress: 10 })
  const after = await givesUpAt()
  expect(after).toBeGreaterThan(before)
  const event = { message: 'still there', release: `/releases/${id}`, task: `/tasks/${service.task()}` }
  expect((await coordinator.call('POST', '/events', event)).code).toBe(405)
  expect(await givesUpAt()).toBe(after)
})

test('F-33 a running task without any event is looked at like every other', async () => {
  const { coordinator, services, service } = await openWith(1)
  const id = await coordinator.running()
  const task = { state: 'running', release: `/releases/${id}`, task_service: `/task-services/${service.id}` }
  expect((await coordinator.call('POST', '/tasks', task)).code).toBe(405)
  // What the original's POST made, no request makes here: a row without events.
  const database = new DatabaseSync(join(coordinator.folder, 'state.db'))
  database.exec('DELETE FROM events')
  database.close()
  service.states.set(service.task(), 'staged')
  await coordinator.hurries(id, ({ state }) => state === 'staged')
  expect(await coordinator.taskStates(id, services)).toEqual(['staged'])
})

test('F-34 one failed poll of any kind changes nothing; the next good one counts', async () => {
  const { coordinator, service } = await openWith(1, { env: { REQUEST_TIMEOUT: '200ms' } })
  const id = await coordinator.running()
  const hold = latch()
  service.script.get_status = [answers(500), answers(400), cut, heldBy(hold)]
  await coordinator.hurries(id, () => service.script.get_status?.length === 0)
  hold.open()
  expect(await coordinator.release(id)).toMatchObject({ state: 'running', tasks: [{ state: 'running' }] })
  expect((await coordinator.events(id)).filter((event) => !event.startsWith('info'))).toEqual([])
  service.states.set(service.task(), 'staged')
  await coordinator.hurries(id, ({ state }) => state === 'staged')
})

test('F-35 a poll that shows failed: stored as failed, its release fails, and it is told no cancel', async () => {
  const { coordinator, services, service } = await openWith(2)
  const id = await coordinator.running()
  service.states.set(service.task(), 'failed')
  const release = await coordinator.hurries(id, ({ state }) => state === 'failed')
  expect(await coordinator.taskStates(id, services)).toEqual(['failed', 'canceled'])
  expect(release.reason).toContain('failed')
  expect(service.actions()).toEqual(['initialize', 'start'])
  expect(services[1]!.actions()).toEqual(['initialize', 'start', 'cancel'])
})

test('F-36 polls that show another state than expected: staged while publishing is old news, published while running fails', async () => {
  const { coordinator, services, service } = await openWith(1)
  const one = await coordinator.publishing(services)
  service.script.get_status = [answers(200, { state: 'staged', progress: 7 })]
  await coordinator.hurries(one, () => service.script.get_status?.length === 0)
  expect(await coordinator.taskStates(one, services)).toEqual(['publishing'])
  service.states.set(service.task(), 'published')
  await coordinator.hurries(one, ({ state }) => state === 'published')
  expect((await coordinator.moves(one)).tasks[0]?.slice(-3)).toEqual(['staged', 'publishing', 'published'])
  const two = await coordinator.running()
  service.states.set(service.task(), 'published')
  await coordinator.hurries(two, ({ state }) => state === 'failed')
  expect(await coordinator.events(two)).toContainEqual(
    expect.stringMatching(/^error: .* shows published, and was never told to publish/),
  )
})

test('F-37 progress as "37.5%", null, less than 0 or more than 100', async () => {
  const { coordinator, service } = await openWith(1)
  const id = await coordinator.running()
  const progress = async () => (await coordinator.release(id)).tasks[0].progress
  const polled = (value: unknown) => answers(200, { state: 'running', progress: value })
  service.script.get_status = [polled('37.5%')]
  await coordinator.hurries(id, ({ tasks }) => tasks[0].progress === 37)
  service.script.get_status = [polled(null), polled('soon'), polled('38%')]
  await coordinator.hurries(id, ({ tasks }) => {
    expect(tasks[0].progress).toBeGreaterThanOrEqual(37)
    return tasks[0].progress === 38
  })
  for (const [sent, stored] of [
    [-5, 0],
    [400, 100],
  ]) {
    expect((await coordinator.report(service.task(), { progress: sent })).code).toBe(200)
    expect(await progress()).toBe(stored)
  }
  for (const wrong of ['50%', null])
    expect((await coordinator.report(service.task(), { progress: wrong })).code).toBe(400)
})

test('F-38 a coordinator that is killed in every phase goes on by itself', async () => {
  const { coordinator, services, service } = await openWith(1)
  /** Killed before the answer to an action, which the service has taken. */
  const dieDuring = async (action: 'initialize' | 'start' | 'publish' | 'cancel') => {
    await service.asked(action)
    await coordinator.crash()
    holds[action].open()
  }
  const holds = { initialize: latch(), start: latch(), publish: latch(), cancel: latch() }
  for (const [action, hold] of Object.entries(holds)) {
    service.script[action as keyof typeof holds] = [
      async (self, request) => {
        self.act(request)
        await hold.reached
        return 'cut' as const
      },
    ]
  }
  const id = await coordinator.issue()
  await dieDuring('initialize')
  await dieDuring('start')
  await coordinator.tasksReach(id, 'running')
  await coordinator.reportAll(services, 'staged')
  await coordinator.crash()
  await coordinator.publish(id)
  await dieDuring('publish')
  await coordinator.tasksReach(id, 'publishing')
  await coordinator.reportAll(services, 'published')
  expect((await coordinator.release(id)).state).toBe('published')
  const canceled = await coordinator.running()
  await coordinator.cancel(canceled)
  await dieDuring('cancel')
  await coordinator.reaches(canceled, 'canceled')
})

test('F-39 a service that is down after four failed checks joins a release with a warning', async () => {
  const { coordinator, service } = await openWith(1)
  service.status = { code: 500, body: '' }
  const check = async () => {
    await coordinator.call('POST', '/task-services/health_checks')
    return (await coordinator.call('GET', `/task-services/${service.id}`)).body
  }
  const down = await eventually(check, (body) => body.health_status === 'down')
  expect(down.last_ok_status).toBeGreaterThan(3)
  const id = await coordinator.running()
  expect(await coordinator.events(id)).toContainEqual(
    expect.stringMatching(new RegExp(`^warning: task service ${service.id} is down`)),
  )
})

test('F-40 a hundred requests for polls, while one has no answer yet, are one question', async () => {
  const { coordinator, service } = await openWith(1)
  const id = await coordinator.running()
  const hold = latch()
  service.script.get_status = [heldBy(hold, answers(200, { state: 'staged' }))]
  await nextMillisecond()
  const checks = () => coordinator.call('POST', '/tasks/status_checks')
  await checks()
  await service.asked('get_status')
  await Promise.all(Array.from({ length: 100 }, checks))
  // A second question of those would have been sent before this health check.
  const seen = service.statusRequests.length
  await coordinator.call('POST', '/task-services/health_checks')
  await service.until(() => service.statusRequests.length > seen)
  hold.open()
  await coordinator.reaches(id, 'staged')
  expect(service.received.filter((one) => one.action === 'get_status')).toHaveLength(1)
})
