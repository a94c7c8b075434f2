import { readConfig } from '@release-task/coordinator'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openCoordinator, openWith, STUDY } from './coordinator.fixture.ts'

test('F-99 settings are checked, an id that is taken is drawn again, and there are no admin pages', async () => {
  const { requestTimeout } = readConfig({ DJANGO_SETTINGS_MODULE: 'coordinator.settings.testing' })
  expect(requestTimeout).toBe(15_000)
  for (const wrong of [{ AUTH: 'false' }, { REQUEST_TIMEOUT: '0.1' }, { PRIVATE_ADDRESSES: 'no' }])
    expect(() => readConfig(wrong)).toThrow(Object.keys(wrong)[0])
  const random = Math.random
  // An id takes eight draws, and something else may draw meanwhile: the second service meets the first one's id.
  let same = Number.POSITIVE_INFINITY
  const spy = vi.spyOn(Math, 'random').mockImplementation(() => (same-- > 0 ? 0.5 : random()))
  onTestFinished(() => spy.mockRestore())
  const coordinator = await openCoordinator()
  const first = await coordinator.register('first')
  const { name, url } = await coordinator.fake('second')
  same = 100
  const second = await coordinator.call('POST', '/task-services', {
    name,
    url,
    description: 'x',
    author: 'x',
  })
  expect(second.code).toBe(201)
  expect(second.body.kf_id).not.toBe(first.id)
  const shown = (await coordinator.call('GET', `/task-services/${first.id}`)).body
  expect(shown).toMatchObject({ name: 'first', url: first.url })
  for (const path of ['/django-rq/', '/admin/', '/swagger/', '/redoc/'])
    expect((await coordinator.call('GET', path)).code).toBe(404)
})

test('F-100 codes, links and progress are what the protocol says', async () => {
  const { coordinator, service } = await openWith(1)
  const body = { name: 'x', studies: [STUDY] }
  const created = await coordinator.call('POST', '/releases', body)
  expect(created).toMatchObject({ code: 201, body: { state: 'waiting', tasks: [], studies: [STUDY] } })
  const id: string = created.body.kf_id
  await coordinator.tasksReach(id, 'running')
  const task = (await coordinator.call('GET', `/tasks/${service.task()}`)).body
  expect([task.release, task.task_service]).toEqual([
    `${coordinator.url}/releases/${id}`,
    `${coordinator.url}/task-services/${service.id}`,
  ])
  expect(await coordinator.report(service.task(), { progress: '50%' })).toMatchObject({
    code: 400,
    body: { progress: ['A valid integer is required.'] },
  })
  const note = (release: string) => coordinator.call('POST', '/release-notes', { description: 'x', release })
  expect((await note(id)).body).toEqual({ release: ['Invalid hyperlink - No URL match.'] })
  const noted = await note(`/releases/${id}`)
  expect(noted.code).toBe(201)
  expect((await coordinator.call('DELETE', `/release-notes/${noted.body.kf_id}`)).code).toBe(204)
  expect((await coordinator.cancel(id)).code).toBe(200)
  await coordinator.reaches(id, 'canceled')
  expect((await coordinator.call('DELETE', `/task-services/${service.id}`)).code).toBe(204)
  // There is no such filter, and it is ignored.
  const events = async (query: string) => (await coordinator.call('GET', `/events${query}`)).body.count
  expect(await events('?study=SD_UNKNOWN0')).toBe(await events(''))
})
