import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fixture, type FakeService } from '../coordinator.fixture.ts'

let fixture: Fixture
let service: FakeService & { readonly id: string }
let release: string

beforeEach(async () => {
  fixture = await Fixture.start()
  service = await fixture.register()
  release = await fixture.issue()
  await fixture.tasksReach(release, 'running')
})
afterEach(() => fixture.close())

const get = async (url: string) => (await fixture.call('GET', url, undefined, { host: 'c.test' })).body

test('fields in their order, links or null (CR-36)', async () => {
  const { results } = await get(`/events?task=${service.task()}`)
  const [newest] = results
  expect(Object.entries(newest)).toEqual([
    ['kf_id', expect.stringMatching(/^EV_[0-9A-HJKMNP-TV-Z]{8}$/)],
    ['event_type', 'info'],
    ['message', `task ${service.task()} changed from initialized to running`],
    ['release', `http://c.test/releases/${release}`],
    ['task_service', `http://c.test/task-services/${service.id}`],
    ['task', `http://c.test/tasks/${service.task()}`],
    ['created_at', expect.stringMatching(/\.\d{6}Z$/)],
    ['actor', 'coordinator'],
  ])
  expect(await get(`/events/${newest.kf_id}`)).toEqual(newest)
  const own = (await get(`/events?release=${release}`)).results.find((event: any) => event.task === null)
  expect(own).toMatchObject({ release: `http://c.test/releases/${release}`, task_service: null })
})

test('newest first; filters; an unknown id finds nothing; ?study is ignored (CR-9, CR-37)', async () => {
  const all = await get('/events?limit=1000')
  const told = all.results.map((event: any) => event.message.split(' ').at(-1))
  expect(told).toEqual(['running', 'running', 'initialized', 'initializing'])
  const count = async (query: string) => (await get(`/events?${query}`)).count
  expect(await count(`task_service=${service.id}`)).toBe(2)
  expect(await count(`release=${release}&task=${service.task()}`)).toBe(2)
  for (const field of ['release', 'task', 'task_service']) expect(await count(`${field}=XX_NOTHERE0`)).toBe(0)
  expect(await count('study=SD_NOTHERE0')).toBe(all.count)
  expect([await count('event_type=info'), await count('event_type=error')]).toEqual([all.count, 0])
  expect(await count('event_type=nonsense')).toBe(0)
})
