import { expect, test } from 'vitest'
import { defineTask, PermanentError, type TaskDefinition } from '../define.ts'
import { ActionRefused, testTask, type TestOptions } from './index.ts'

/** A task with a world of its own: what was done, in order. */
function aTask(phases: Partial<TaskDefinition> = {}) {
  const done: string[] = []
  const task = defineTask({
    name: 'sample',
    version: '1.0.0',
    stage: () => ({ staged: { folder: 'a' } }),
    publish: () => void done.push('publish'),
    discard: ({ from, staged }) => void done.push(`discard from ${from} ${JSON.stringify(staged)}`),
    ...phases,
  })
  return { task, done }
}

/** Fails so many times, then not any more. */
function failing(times: number, make = () => new Error('no luck')) {
  let tries = 0
  const run = () => {
    if (++tries <= times) throw make()
  }
  return Object.assign(run, { tries: () => tries })
}

async function started(task: TaskDefinition, options?: TestOptions) {
  const kit = await testTask(task, options)
  await kit.initialize()
  await kit.start()
  return kit
}

async function staged(task: TaskDefinition) {
  const kit = await started(task)
  await kit.settle()
  return kit
}

test('runs from initialize to published, and shows what the coordinator was told', async () => {
  const { task } = aTask({
    stage(task) {
      task.progress(40, 'reading')
      task.progress(80)
      return { summary: { files: 3 } }
    },
  })
  await using kit = await testTask(task)
  expect(await kit.initialize()).toMatchObject({ state: 'pending', task_id: 'TA_00000001' })
  expect(await kit.start()).toMatchObject({ state: 'running' })
  expect(kit.reports).toEqual([])
  await kit.settle()
  expect(await kit.task()).toMatchObject({
    state: 'staged',
    summary: { files: 3 },
    waiting_for: { whom: 'action' },
  })
  expect(await kit.publish()).toMatchObject({ state: 'publishing' })
  await kit.settle()
  const attempt = 1
  expect(kit.reports).toEqual([
    { progress: 40, message: 'reading', attempt },
    { progress: 80, message: 'reading', attempt },
    { state: 'staged', progress: 100, message: 'reading', summary: { files: 3 }, attempt },
    { state: 'published', progress: 100, attempt },
  ])
  expect(kit.coordinator.shows).toBe('published')
  expect((await kit.events()).map(({ type }) => type)).toContain('published')
})

test('an action that the state does not allow is refused, as the service refuses it', async () => {
  await using kit = await testTask(aTask().task)
  await expect(kit.start()).rejects.toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' })
  await kit.initialize()
  await expect(kit.publish()).rejects.toThrow(ActionRefused)
  await expect(kit.publish()).rejects.toThrow('its state is pending')
})

test('a stage that fails three times is tried again after 1 s, 2 s and 4 s (WK-8)', async () => {
  const stage = failing(3)
  await using kit = await staged(aTask({ stage }).task)
  for (const [tries, delay] of [
    [1, 1000],
    [2, 2000],
    [3, 4000],
  ] as const) {
    expect(await kit.task()).toMatchObject({ state: 'running', failures: tries })
    await kit.advance(delay - 1)
    expect(stage.tries()).toBe(tries)
    await kit.advance(1)
    expect(stage.tries()).toBe(tries + 1)
  }
  expect(kit.reportedStates).toEqual(['staged'])
  expect(kit.now).toEqual(new Date('2024-01-01T00:00:07Z'))
})

test('the jitter is an argument', async () => {
  const stage = failing(1)
  await using kit = await started(aTask({ stage }).task, { random: () => 0.25 })
  await kit.settle()
  await kit.advance(249)
  expect(stage.tries()).toBe(1)
  await kit.advance(1)
  expect(stage.tries()).toBe(2)
})

test('a delay of nothing at all does not hang', async () => {
  await using kit = await started(aTask({ stage: failing(1e9) }).task, { random: () => 0 })
  await expect(kit.settle()).rejects.toThrow('is a delay 0?')
}, 120_000)

test('one long advance is the same as many short ones', async () => {
  const run = async (steps: readonly number[]) => {
    await using kit = await staged(aTask({ stage: failing(4) }).task)
    for (const ms of steps) await kit.advance(ms)
    return { events: await kit.events(), reports: kit.reports, moments: kit.moments, task: await kit.task() }
  }
  const short = Array.from({ length: 60 }, () => 1000)
  expect(await run([60_000])).toEqual(await run(short))
})

test('a stage that makes no progress for 30 min fails, with its reason, and is undone', async () => {
  const { task, done } = aTask({ stage: failing(1e9) })
  await using kit = await staged(task)
  await kit.advance(29 * 60_000)
  expect(await kit.task()).toMatchObject({ state: 'running' })
  await kit.advance(3 * 60_000)
  expect(await kit.task()).toMatchObject({ state: 'failed', cleanup: 'done' })
  const failed = kit.reports.filter((report) => report.error === 'no luck')
  expect(failed.map((report) => report.attempt)).toEqual(failed.map((_, index) => index + 1))
  const attempt = failed.length + 1
  expect(kit.reports.at(-1)).toEqual({ state: 'failed', message: 'no luck', attempt })
  expect(done).toEqual(['discard from running null'])
})

test('settings of the service are options of the test', async () => {
  await using kit = await started(aTask({ stage: failing(1e9) }).task, { env: { STAGE_RETRY_FOR: '5s' } })
  await kit.advance(8000)
  expect(kit.reportedStates).toEqual(['failed'])
})

test('PermanentError fails the stage at once', async () => {
  const stage = failing(1, () => new PermanentError('no such study'))
  await using kit = await staged(aTask({ stage }).task)
  expect(kit.reports).toEqual([{ state: 'failed', message: 'no such study', attempt: 1 }])
  await kit.advance(60 * 60_000)
  expect(stage.tries()).toBe(1)
})

test('publish is tried without end, and needs attention from the fifth failure on (WK-11)', async () => {
  const publish = failing(8)
  await using kit = await staged(aTask({ publish }).task)
  await kit.publish()
  await kit.settle()
  await kit.advance(1000 + 2000 + 4000)
  expect(await kit.task()).toMatchObject({ state: 'publishing', failures: 4, needs_attention: false })
  await kit.advance(8000)
  expect(await kit.task()).toMatchObject({
    failures: 5,
    needs_attention: true,
    waiting_for: { whom: 'person' },
  })
  await kit.retry()
  await kit.settle()
  expect(publish.tries()).toBe(6)
  await kit.advance(60_000)
  expect(kit.reportedStates).toEqual(['staged', 'published'])
})

test('a person may give up', async () => {
  const { task, done } = aTask({ publish: failing(1e9) })
  await using kit = await staged(task)
  await kit.publish()
  await kit.settle()
  expect(await kit.giveUp()).toMatchObject({ state: 'failed' })
  await kit.settle()
  expect(kit.reportedStates).toEqual(['staged', 'failed'])
  expect(done).toEqual(['discard from publishing {"folder":"a"}'])
})

test('until holds the code at a moment: a cancel in the middle aborts it, and it is undone', async () => {
  const { task, done } = aTask({
    async stage({ step, signal }) {
      await step('first', () => done.push('first'))
      signal.throwIfAborted()
      await step('second', () => done.push('second'))
    },
  })
  await using kit = await started(task)
  await kit.until('step first kept')
  await kit.cancel()
  expect(await kit.task()).toMatchObject({ state: 'canceled', cleanup: 'pending' })
  await kit.settle()
  expect(done).toEqual(['first', 'discard from running null'])
  expect(await kit.task()).toMatchObject({ cleanup: 'done', ended_from: 'running' })
  expect(kit.reportedStates).toEqual([])
  expect(kit.coordinator.shows).toBe('canceled')
})

test('code that does not look at its signal is heard no more after a cancel', async () => {
  const { task, done } = aTask({ stage: async ({ step }) => void (await step('only', () => 1)) })
  await using kit = await started(task)
  await kit.until('before step only')
  await kit.cancel()
  await kit.settle()
  expect(kit.reportedStates).toEqual([])
  expect(done).toEqual(['discard from running null'])
})

test.each([
  ['pending', []],
  ['staged', ['discard from staged {"folder":"a"}']],
  ['publishing', ['discard from publishing {"folder":"a"}']],
] as const)('a cancel from %s leads to the right discard', async (state, expected) => {
  const { task, done } = aTask()
  await using kit = await testTask(task)
  await kit.initialize()
  if (state !== 'pending') await kit.runTo('staged')
  if (state === 'publishing') {
    await kit.publish()
    await kit.until('publish begins')
  }
  await kit.cancel()
  await kit.settle()
  expect(done.filter((line) => line.startsWith('discard'))).toEqual(expected)
})

test('until can hold after a word of progress, which cannot wait itself', async () => {
  const { task } = aTask({
    async stage({ progress, step }) {
      progress(10)
      progress(20)
      await step('later', () => 1)
    },
  })
  await using kit = await started(task)
  await kit.until('progress 1')
  await kit.advance(1000)
  expect(kit.moments).not.toContain('before step later')
  await kit.settle()
  expect(kit.moments).toContain('step later kept')
})

test('until says where the code went instead', async () => {
  await using kit = await started(aTask().task)
  await expect(kit.until('before step copy')).rejects.toThrow(/"before step copy" did not come.*stage ends/)
})

test('time passes while the code is held, and what is due then is done', async () => {
  const { task } = aTask({ stage: ({ step }) => step('only', () => 1).then(() => undefined) })
  await using kit = await started(task)
  await kit.until('before step only')
  kit.coordinator.overwrite('canceled')
  await kit.advance(20 * 60_000)
  expect(await kit.task()).toMatchObject({ state: 'canceled' })
  await kit.settle()
  expect(await kit.task()).toMatchObject({ cleanup: 'done' })
})

test('what the code really waits for is really awaited', async () => {
  const opened = Promise.withResolvers<void>()
  const { task } = aTask({ stage: () => opened.promise })
  await using kit = await started(task)
  const settled = kit.settle()
  setImmediate(() => opened.resolve())
  await settled
  expect(kit.reportedStates).toEqual(['staged'])
})

test('the code sees the release and the studies of the test, and its log lines are kept', async () => {
  const seen: unknown[] = []
  const { task } = aTask({
    async stage({ coordinator, studies, releaseId, log }) {
      seen.push(releaseId, studies, (await coordinator.release()).version)
      seen.push((await coordinator.study('SD_00000002')).name)
      log.warn('small', { rows: 3 })
      await expect(coordinator.study('SD_99999999')).rejects.toThrow('404')
    },
  })
  const studies = ['SD_00000001', { kf_id: 'SD_00000002', name: 'Hearts' }]
  await using kit = await started(task, { studies, release: { kf_id: 'RE_0000000A', version: '1.4.0' } })
  await kit.settle()
  expect(seen).toEqual(['RE_0000000A', ['SD_00000001', 'SD_00000002'], '1.4.0', 'Hearts'])
  expect(kit.logged).toEqual([{ level: 'warn', message: 'small', fields: { rows: 3 } }])
  expect(kit.reportedStates).toEqual(['staged'])
})

test('env is in the environment until the kit is closed', async () => {
  const { task } = aTask({ stage: () => ({ summary: { mode: process.env['SAMPLE_MODE'] ?? 'none' } }) })
  process.env['SAMPLE_MODE'] = 'before'
  const kit = await started(task, { env: { SAMPLE_MODE: 'test' } })
  await kit.settle()
  expect((await kit.task()).summary).toEqual({ mode: 'test' })
  await kit.close()
  await kit.close()
  expect(process.env['SAMPLE_MODE']).toBe('before')
  delete process.env['SAMPLE_MODE']
})

test('wrong options are refused at once, and leave the environment as it was', async () => {
  const { task } = aTask()
  await expect(testTask(task, { studies: ['study 1'] })).rejects.toThrow('study 1 is no study id')
  await expect(testTask(task, { release: { kf_id: '1' } })).rejects.toThrow('1 is no release id')
  await expect(testTask(task, { env: { LEASE: 'long', SAMPLE_MODE: 'x' } })).rejects.toThrow('LEASE')
  expect(process.env['SAMPLE_MODE']).toBeUndefined()
})
