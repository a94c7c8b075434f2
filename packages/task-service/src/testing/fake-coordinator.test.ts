import { expect, test } from 'vitest'
import { defineTask } from '../define.ts'
import { testTask } from './index.ts'

const done: string[] = []
const task = defineTask({
  name: 'sample',
  version: '1.0.0',
  stage: () => undefined,
  publish: () => undefined,
  discard: ({ from }) => void done.push(from),
})

async function started() {
  done.length = 0
  const kit = await testTask(task)
  await kit.initialize()
  await kit.start()
  return kit
}

const failuresOf = async (kit: Awaited<ReturnType<typeof started>>) => (await kit.task()).report?.failures

test('a report that the coordinator loses is told again when it is read back (N-7)', async () => {
  await using kit = await started()
  await kit.settle()
  kit.coordinator.overwrite('running')
  await kit.advance(999)
  expect(kit.reportedStates).toEqual(['staged'])
  await kit.advance(1000)
  expect(kit.reportedStates).toEqual(['staged', 'staged'])
  expect(kit.coordinator.shows).toBe('staged')
})

test('an answer that is lost, and a 503, are followed by the same report', async () => {
  await using kit = await started()
  kit.coordinator.loseNextAnswer()
  kit.coordinator.answerNext(503)
  await kit.settle()
  expect(kit.coordinator.shows).toBe('staged')
  await kit.advance(1000)
  expect(await failuresOf(kit)).toBe(2)
  await kit.advance(2000)
  expect(await failuresOf(kit)).toBe(0)
  expect(kit.reportedStates).toEqual(['staged', 'staged', 'staged'])
})

test('a 500 is followed by a look at the task, and by nothing where that has the state (N-1)', async () => {
  await using kit = await started()
  kit.coordinator.answerNext(500)
  kit.coordinator.overwrite('staged')
  await kit.settle()
  await kit.advance(60_000)
  expect(kit.reportedStates).toEqual(['staged'])
})

test('while the coordinator is away reports wait, also over a restart (N-3)', async () => {
  await using kit = await started()
  kit.coordinator.isAway = true
  await kit.settle()
  await kit.advance(10 * 60_000)
  expect(kit.reports).toEqual([])
  expect(await kit.task()).toMatchObject({ state: 'staged', waiting_for: { whom: 'coordinator' } })
  await kit.restart()
  kit.coordinator.isAway = false
  await kit.advance(30_000)
  expect(kit.reportedStates).toEqual(['staged'])
})

test('code that reads from a coordinator that is away is tried again', async () => {
  const reading = { ...task, stage: async (t: any) => void (await t.coordinator.release()) }
  await using kit = await testTask(reading)
  await kit.initialize()
  await kit.start()
  kit.coordinator.isAway = true
  await kit.settle()
  expect((await kit.task()).last_error?.message).toContain('connection refused')
  kit.coordinator.isAway = false
  await kit.advance(1000)
  expect(kit.reportedStates).toEqual(['staged'])
})

test('a task that the coordinator forgets for an hour is canceled and undone (WK-20)', async () => {
  await using kit = await started()
  await kit.settle()
  kit.coordinator.forget()
  await kit.advance(60 * 60_000)
  expect(await kit.task()).toMatchObject({ state: 'staged' })
  await kit.advance(20 * 60_000)
  expect(await kit.task()).toMatchObject({ state: 'canceled', cleanup: 'done' })
  expect(done).toEqual(['staged'])
})

test('a coordinator that ended the task is taken for a cancel (N-9)', async () => {
  await using kit = await started()
  kit.coordinator.overwrite('failed')
  await kit.settle()
  expect(await kit.task()).toMatchObject({ state: 'canceled' })
  expect(done).toEqual(['staged'])
})

test('a report that is refused is not repeated, and is an event (N-11)', async () => {
  await using kit = await started()
  kit.coordinator.answerNext(400, { progress: ['A valid integer is required.'] })
  await kit.settle()
  await kit.advance(10 * 60_000)
  expect(kit.reportedStates).toEqual(['staged'])
  expect((await kit.events()).map(({ type }) => type)).toContain('report_refused')
})

test('runTo waits for a coordinator that knows', async () => {
  await using kit = await testTask(task)
  kit.coordinator.answerNext(503)
  await kit.runTo('published')
  expect(kit.reportedStates).toEqual(['staged', 'staged', 'published'])
})
