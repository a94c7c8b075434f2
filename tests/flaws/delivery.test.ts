import { expect, test } from 'vitest'
import {
  always,
  answers,
  cut,
  latch,
  openWith,
  type Handler,
  type WiredCoordinator,
} from './coordinator.fixture.ts'

/** The reasons that a release was given for what went wrong. */
const errorsOf = async (coordinator: WiredCoordinator, id: string) =>
  (await coordinator.events(id)).filter((event) => event.startsWith('error: request to'))

const text: Handler = () => ({ status: 200, body: 'ok' })

test('F-16 initialize answered with 400 or 500: no yes, and nobody is started', async () => {
  const { coordinator, service } = await openWith(1, { env: { ACTION_DEADLINE: '300ms' } })
  for (const status of [400, 500]) {
    service.script.initialize = always(answers(status))
    const id = await coordinator.issue()
    const release = await coordinator.reaches(id, 'failed')
    expect(release.tasks[0].state).toBe('rejected')
    expect(release.reason).toContain(`answered ${status}`)
  }
  expect(service.actions()).not.toContain('start')
})

test('F-17 initialize answered with a text, or with state failed: rejected; initialized and no state are a yes', async () => {
  const { coordinator, service } = await openWith(1)
  for (const refusal of [text, answers(200, { state: 'failed' })]) {
    service.script.initialize = [refusal]
    const release = await coordinator.reaches(await coordinator.issue(), 'failed')
    expect(release.tasks[0].state).toBe('rejected')
  }
  for (const acceptance of [answers(200, { state: 'initialized' }), answers(200, {})]) {
    service.script.initialize = [acceptance]
    await coordinator.running()
  }
})

test('F-18 start refused, and a service that is gone after initialize: failed, with an event, the others canceled', async () => {
  const { coordinator, services, service } = await openWith(2, { env: { ACTION_DEADLINE: '300ms' } })
  const other = services[1]!
  const expectFailed = async (id: string, why: RegExp) => {
    await coordinator.hurries(id, (release) => release.state === 'failed')
    expect(await coordinator.taskStates(id, services)).toEqual(['failed', 'canceled'])
    const errors = await errorsOf(coordinator, id)
    expect(errors.filter((event) => event.includes('start'))).toEqual([expect.stringMatching(why)])
    expect(other.actions().at(-1)).toBe('cancel')
  }
  service.script.start = [answers(400, { message: 'not today' })]
  await expectFailed(await coordinator.issue(), /start task failed: answered 400: .*not today/)
  service.script.initialize = [
    (self, request) => {
      const answer = self.act(request)
      Object.assign(self.script, { start: always(cut), get_status: always(cut), cancel: always(cut) })
      return answer
    },
  ]
  await expectFailed(await coordinator.issue(), /start task failed: not within its deadline/)
})

test('F-19 publish answered with 500, or refused: failed, with an event', async () => {
  const { coordinator, services, service } = await openWith(1, { env: { PUBLISH_DEADLINE: '300ms' } })
  for (const [status, why] of [
    [500, /publish task failed: not within its deadline: answered 500/],
    [400, /publish task failed: answered 400/],
  ] as const) {
    const id = await coordinator.staged(services)
    service.states.set(service.task(), 'staged')
    service.script.publish = always(answers(status))
    await coordinator.publish(id)
    await coordinator.reaches(id, 'failed')
    expect(await coordinator.taskStates(id, services)).toEqual(['failed'])
    expect(await errorsOf(coordinator, id)).toEqual([expect.stringMatching(why)])
    expect(service.actions().at(-1)).toBe('cancel')
  }
})

test('F-20 a body that is not JSON: a refusal of start and publish, and no word at all of a poll', async () => {
  const { coordinator, services, service } = await openWith(1)
  service.script.start = [text]
  const one = await coordinator.issue()
  expect((await coordinator.reaches(one, 'failed')).reason).toContain('answered 200: ok')
  const two = await coordinator.running()
  service.script.get_status = [text]
  await coordinator.hurries(two, () => (service.script.get_status?.length ?? 0) === 0)
  expect((await coordinator.release(two)).state).toBe('running')
  await coordinator.reportAll(services, 'staged')
  service.script.publish = [text]
  await coordinator.publish(two)
  expect((await coordinator.reaches(two, 'failed')).reason).toContain('answered 200: ok')
})

test('F-21 a service that is done at once, and says so: staged, published', async () => {
  const { coordinator, service } = await openWith(1)
  service.script.start = [answers(200, { state: 'staged' })]
  service.script.publish = [answers(200, { state: 'published' })]
  const id = await coordinator.issue()
  await coordinator.reaches(id, 'staged')
  await coordinator.publish(id)
  await coordinator.reaches(id, 'published')
  expect((await coordinator.moves(id)).tasks).toEqual([
    ['waiting', 'initialized', 'running', 'staged', 'publishing', 'published'],
  ])
})

test('F-22 a service that answers initialize too late is told cancel, until it acknowledges', async () => {
  const env = { REQUEST_TIMEOUT: '150ms', ACTION_DEADLINE: '200ms' }
  const { coordinator, service } = await openWith(1, { env })
  const hold = latch()
  service.script.initialize = [
    async (self, request) => {
      const answer = self.act(request)
      await hold.reached
      return answer
    },
  ]
  service.script.get_status = always(cut)
  service.script.cancel = [cut]
  const id = await coordinator.issue()
  const release = await coordinator.hurries(id, ({ state }) => state === 'failed')
  expect(release.tasks[0].state).toBe('rejected')
  hold.open()
  await service.until(() => service.states.get(service.received[0]!.task_id) === 'canceled')
  expect(service.actions().slice(0, 3)).toEqual(['initialize', 'cancel', 'cancel'])
})

test('F-23 cancel is sent again until it is acknowledged; a service that stays silent is named', async () => {
  const { coordinator, services, service } = await openWith(2, { env: { ACTION_DEADLINE: '5s' } })
  const id = await coordinator.running()
  service.script.cancel = [answers(500), cut]
  await coordinator.cancel(id)
  await coordinator.reaches(id, 'canceled')
  expect(service.actions().filter((action) => action === 'cancel')).toHaveLength(3)
  await coordinator.restart({ ACTION_DEADLINE: '200ms' })
  const silent = services[1]!
  const two = await coordinator.running()
  silent.script.cancel = always(cut)
  await coordinator.cancel(two)
  await coordinator.hurries(two, ({ state }) => state === 'canceled')
  expect(await coordinator.events(two)).toContainEqual(
    expect.stringMatching(new RegExp(`^warning: .*${silent.id}.* has not acknowledged cancel`)),
  )
})

test('F-24 cancel after one of two tasks has published: it stays published, and people are told', async () => {
  const { coordinator, services, service } = await openWith(2)
  const id = await coordinator.publishing(services)
  await coordinator.report(service.task(), { state: 'published' })
  await coordinator.cancel(id)
  const release = await coordinator.reaches(id, 'canceled')
  expect(await coordinator.taskStates(id, services)).toEqual(['published', 'canceled'])
  expect(release.partially_published).toEqual([service.task()])
  expect(await coordinator.events(id)).toContainEqual(
    expect.stringMatching(/^warning: .*partially published/),
  )
  expect(service.actions()).not.toContain('cancel')
})

test('F-25 start answered with 202 leaves an event with the status and what was said', async () => {
  const { coordinator, service } = await openWith(1)
  service.script.start = [answers(202, { note: 'in a while' })]
  const id = await coordinator.issue()
  await coordinator.reaches(id, 'failed')
  expect(await errorsOf(coordinator, id)).toEqual([
    'error: request to start task failed: answered 202: {"note":"in a while"}',
  ])
})
