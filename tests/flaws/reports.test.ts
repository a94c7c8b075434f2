import { expect, test } from 'vitest'
import { openWith } from './coordinator.fixture.ts'

test('F-45 a PATCH stores known states only, moves no task elsewhere, and no task is made by hand', async () => {
  const { coordinator, services, service } = await openWith(2)
  const id = await coordinator.running()
  const path = `/tasks/${service.task()}`
  const before = (await coordinator.call('GET', path)).body
  expect(await coordinator.call('PATCH', path, { state: 'banana' })).toMatchObject({
    code: 400,
    body: { state: [expect.stringContaining('running')] },
  })
  const other = await coordinator.running({ name: 'another' })
  const moved = { release: `/releases/${other}`, task_service: `/task-services/${services[1]!.id}` }
  expect((await coordinator.call('PATCH', path, { ...moved, progress: 5 })).body).toMatchObject({
    release: before.release,
    task_service: before.task_service,
    progress: 5,
  })
  const made = { state: 'waiting', release: `/releases/${id}`, task_service: `/task-services/${service.id}` }
  expect((await coordinator.call('POST', '/tasks', made)).code).toBe(405)
  await coordinator.call('PATCH', path, { state: 'staged' })
  expect(await coordinator.events(id)).toContain(`info: task ${before.kf_id} changed from running to staged`)
  expect((await coordinator.release(id)).tasks).toHaveLength(2)
})

test('F-46 repeated and late reports: 200 without effect, or 409 with nothing saved; never 500', async () => {
  const { coordinator, services, service } = await openWith(2)
  const id = await coordinator.running()
  const [task, last] = [services[0]!.task(), services[1]!.task()]
  // Two last tasks that report at once.
  expect((await coordinator.reportAll(services, 'staged')).map(({ code }) => code)).toEqual([200, 200])
  expect((await coordinator.release(id)).state).toBe('staged')
  expect((await coordinator.report(task, { state: 'staged' })).code).toBe(200)
  expect((await coordinator.report(task, { progress: 99 })).body).toMatchObject({ progress: 99 })
  await coordinator.publish(id)
  await coordinator.tasksReach(id, 'publishing')
  await coordinator.reportAll(services, 'published')
  for (const one of [task, last])
    expect((await coordinator.report(one, { state: 'published' })).code).toBe(200)
  expect((await coordinator.release(id)).state).toBe('published')
  const canceled = await coordinator.running()
  await coordinator.cancel(canceled)
  await coordinator.reaches(canceled, 'canceled')
  expect(await coordinator.report(service.task(), { state: 'staged' })).toMatchObject({
    code: 409,
    body: { detail: expect.stringMatching(/canceled.*staged/) },
  })
  expect(await coordinator.taskStates(canceled, services)).toEqual(['canceled', 'canceled'])
})

test('F-47 PUT of staged on the last task takes the release along, as PATCH does', async () => {
  const { coordinator, service } = await openWith(1)
  const id = await coordinator.running()
  const put = await coordinator.call('PUT', `/tasks/${service.task()}`, { state: 'staged' })
  expect(put).toMatchObject({ code: 200, body: { state: 'staged' } })
  expect((await coordinator.release(id)).state).toBe('staged')
})

test('F-48 failed on a published release is 409, and nobody is canceled', async () => {
  const { coordinator, services, service } = await openWith(2)
  const id = await coordinator.publishing(services)
  await coordinator.reportAll(services, 'published')
  expect((await coordinator.report(service.task(), { state: 'failed' })).code).toBe(409)
  expect((await coordinator.report(service.task(), { progress: 1 })).code).toBe(409)
  expect(await coordinator.release(id)).toMatchObject({ state: 'published', version: '0.1.0' })
  expect(await coordinator.taskStates(id, services)).toEqual(['published', 'published'])
  for (const one of services) expect(one.actions()).not.toContain('cancel')
})
