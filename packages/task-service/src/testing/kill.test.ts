import { expect, test } from 'vitest'
import { defineTask, type StageContext, type TaskDefinition } from '../define.ts'
import { Killed, killAtEveryMoment, NoAnswer, testTask, type Moment } from './index.ts'

const STEPS = ['list', 'copy'] as const

function aTask(stage?: TaskDefinition['stage'], version = '1.0.0') {
  const done: string[] = []
  const task = defineTask({
    name: 'sample',
    version,
    stage:
      stage ??
      (async (task) => {
        for (const [index, name] of STEPS.entries()) {
          await task.step(name, () => done.push(name))
          task.progress(50 * index, name)
        }
      }),
    publish: async (task) => void (await task.step('switch', () => done.push('switch'))),
    discard: ({ from }) => void done.push(`discard from ${from}`),
  })
  return { task, done }
}

async function started(task: TaskDefinition) {
  const kit = await testTask(task)
  await kit.initialize()
  await kit.start()
  return kit
}

test('killed at any moment, it ends published, and each step has run at most once more than needed', async () => {
  let world = aTask()
  const ran: Record<string, string> = {}
  const moments = await killAtEveryMoment(
    () => {
      world = aTask()
      return testTask(world.task)
    },
    async (kit, moment) => {
      ran[moment] = world.done.join()
      expect(await kit.task()).toMatchObject({ state: 'published' })
      expect(new Set(kit.reportedStates)).toEqual(new Set(['staged', 'published']))
    },
  )
  const once = 'list,copy,switch'
  const expected: { [moment in Moment]?: string } = {
    'after step list': 'list,list,copy,switch',
    'after step copy': 'list,copy,copy,switch',
    'after step switch': 'list,copy,switch,switch',
  }
  expect(ran).toEqual(Object.fromEntries(moments.map((moment) => [moment, expected[moment] ?? once])))
  expect(moments).toHaveLength(24)
  expect(moments).toEqual(expect.arrayContaining(['initialize accepted', 'staged', 'published reported']))
})

test('names the moment at which it goes wrong', async () => {
  let world = aTask()
  const open = () => {
    world = aTask()
    return testTask(world.task)
  }
  const check = () => expect(world.done.filter((name) => name === 'copy')).toHaveLength(1)
  await expect(killAtEveryMoment(open, check)).rejects.toThrow('"after step copy"')
})

test('a kill between staged and its report: the next process reports', async () => {
  await using kit = await started(aTask().task)
  kit.killAt('staged')
  await kit.settle()
  expect(kit.isAlive).toBe(false)
  expect(await kit.task()).toMatchObject({ state: 'staged' })
  expect(kit.reportedStates).toEqual([])
  await kit.restart()
  await kit.settle()
  expect(kit.reportedStates).toEqual(['staged'])
})

test('a kill while the coordinator has the report already: it is told again, and nothing else is done', async () => {
  const { task, done } = aTask()
  await using kit = await started(task)
  kit.killAt('staged reported')
  await kit.settle()
  await kit.restart()
  await kit.settle()
  expect(kit.reportedStates).toEqual(['staged', 'staged'])
  expect(done).toEqual(['list', 'copy'])
})

test('a kill after the nth word of progress: the words so far are stored and reported, no later one', async () => {
  const caught: unknown[] = []
  let wentOn = 0
  const { task } = aTask(async (task) => {
    try {
      for (let percent = 10; percent <= 100; percent += 10, wentOn++) task.progress(percent)
    } catch (error) {
      caught.push(error)
      // What is dead does not speak.
      await task.step('from beyond', () => caught.push('from beyond'))
      caught.push('it went on')
    }
  })
  await using kit = await started(task)
  kit.killAt('progress 3')
  await kit.settle()
  expect(kit.reports).toEqual([10, 20, 30].map((progress) => ({ progress, attempt: 1 })))
  expect((await kit.task()).progress).toBe(30)
  expect(caught).toEqual([expect.any(Killed)])
  expect(wentOn).toBe(2)
})

test('code of a killed process that ends later is not heard', async () => {
  const opened = Promise.withResolvers<void>()
  const lives: StageContext[] = []
  const ended: string[] = []
  const { task } = aTask(async (task) => {
    lives.push(task)
    await opened.promise
    ended.push(`attempt ${task.attempt}`)
    if (task.attempt === 1) return { summary: { by: 'the dead' } }
    return { summary: { by: 'the living' } }
  })
  await using kit = await started(task)
  const settled = kit.settle()
  while (lives.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await kit.kill()
  await settled
  expect(lives[0]?.signal.aborted).toBe(true)
  const before = await kit.task()
  opened.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  expect(ended).toEqual(['attempt 1'])
  expect(await kit.task()).toEqual(before)
  expect(() => lives[0]?.progress(99)).toThrow(Killed)
  await kit.restart()
  await kit.settle()
  expect(ended).toEqual(['attempt 1', 'attempt 2'])
  expect(await kit.task()).toMatchObject({ summary: { by: 'the living' }, attempt: 2 })
  expect(kit.reports).toEqual([expect.objectContaining({ summary: { by: 'the living' } })])
})

test('a kill stops all that runs side by side', async () => {
  const { task, done } = aTask(async (task) => {
    const one = (name: string) => task.step(name, () => done.push(name))
    await Promise.all([one('a'), one('b'), one('c')])
  })
  await using kit = await started(task)
  kit.killAt('before step b')
  await kit.settle()
  expect(done).toEqual([])
  await kit.restart()
  await kit.settle()
  expect(done).toEqual(['a', 'b', 'c'])
})

test('nothing is done while no process runs, and actions get no answer', async () => {
  const { task, done } = aTask()
  await using kit = await started(task)
  await kit.kill()
  await kit.advance(60 * 60_000)
  await kit.settle()
  expect(done).toEqual([])
  await expect(kit.cancel()).rejects.toThrow(NoAnswer)
  expect(await kit.task()).toMatchObject({ state: 'running' })
  await kit.restart()
  await kit.settle()
  expect(kit.reportedStates).toEqual(['staged'])
})

test('an action whose process dies before the answer is stored all the same', async () => {
  await using kit = await testTask(aTask().task)
  await kit.initialize()
  kit.killAt('start accepted')
  await expect(kit.start()).rejects.toThrow('No answer to start')
  expect(kit.coordinator.shows).toBe('initialized')
  await kit.restart()
  // Its answer was never written, so the work waits for a second (WK-6).
  await kit.settle()
  expect(kit.moments).not.toContain('stage begins')
  await kit.advance(1000)
  expect(kit.reportedStates).toEqual(['staged'])
})

test('a kill that never came is said at the restart', async () => {
  await using kit = await started(aTask().task)
  kit.killAt('before step coffee')
  await kit.settle()
  await expect(kit.restart()).rejects.toThrow(
    /Nothing was killed at "before step coffee"; the last moments.*staged reported/,
  )
})

test('code that dies ten times in a row fails its task (WK-9)', async () => {
  const { task, done } = aTask()
  await using kit = await started(task)
  for (let crash = 1; crash <= 10; crash++) {
    kit.killAt('before step list')
    await kit.settle()
    await kit.restart()
    if (crash < 10) expect(await kit.task()).toMatchObject({ state: 'running', crashes: crash - 1 })
  }
  await kit.settle()
  expect(await kit.task()).toMatchObject({ state: 'failed', cleanup: 'done' })
  expect(kit.kills).toBe(10)
  expect(done).toEqual(['discard from running'])
})

test('a shutdown tells the work to stop, and costs no attempt (WK-10)', async () => {
  const reasons: unknown[] = []
  const { task } = aTask(async ({ step, signal }) => {
    await step('first', () => 1)
    reasons.push(signal.reason)
    signal.throwIfAborted()
  })
  await using kit = await started(task)
  await kit.until('step first kept')
  await kit.shutDown()
  expect(reasons).toEqual(['shutting down'])
  expect(kit.kills).toBe(0)
  expect(await kit.task()).toMatchObject({ state: 'running', crashes: 0, failures: 0 })
  await kit.restart()
  await kit.settle()
  expect(await kit.task()).toMatchObject({ state: 'staged', crashes: 0 })
  expect((await kit.events()).map(({ type }) => type)).not.toContain('worker_lost')
})

test('another version begins its steps anew (WK-12)', async () => {
  const { task, done } = aTask()
  await using kit = await started(task)
  kit.killAt('step list kept')
  await kit.settle()
  await kit.restart({ ...task, version: '1.1.0' })
  await kit.settle()
  expect(done).toEqual(['list', 'list', 'copy'])
  await expect(kit.restart({ ...task, name: 'other' })).rejects.toThrow('belongs to "sample"')
})

test('a cancel before the process dies is carried out by the next', async () => {
  const { task, done } = aTask()
  await using kit = await started(task)
  await kit.until('step list kept')
  await kit.cancel()
  await kit.kill()
  await kit.restart()
  await kit.settle()
  expect(done).toEqual(['list', 'discard from running'])
})

test('a kit that is closed in the middle of everything leaves nothing behind', async () => {
  const opened = Promise.withResolvers<void>()
  const kit = await started(aTask(() => opened.promise).task)
  const settled = kit.settle()
  await new Promise((resolve) => setImmediate(resolve))
  await kit.close()
  await settled
  opened.resolve()
})

/** Switches to what it has staged, after a check whether it may, or without. */
function switching(checks: boolean) {
  const switched: number[] = []
  const refused: string[] = []
  const task = defineTask({
    name: 'sample',
    version: '1.0.0',
    stage: () => undefined,
    publish: async (task) => {
      await task.step('prepare', () => 1)
      if (checks)
        await task
          .assertCurrent()
          .catch((error: Error) => refused.push(error.message) && Promise.reject(error))
      switched.push(task.attempt)
    },
  })
  return { task, switched, refused }
}

test.each([
  ['checks that it is current', true, [3], ['Attempt 2 of TA_00000001 no longer holds the task']],
  ['does not check', false, [3, 2], []],
])('a process that lost its task, and %s (WK-14)', async (_, checks, expected, refusals) => {
  const { task, switched, refused } = switching(checks)
  await using kit = await testTask(task)
  await kit.runTo('staged')
  await kit.publish()
  await kit.until('before step prepare')
  await kit.takeOver()
  expect(switched).toEqual([3])
  expect(await kit.task()).toMatchObject({ state: 'published', attempt: 3 })
  await kit.settle()
  expect(switched).toEqual(expected)
  expect(refused).toEqual(refusals)
  expect((await kit.events()).map(({ type }) => type)).toContain('late_report')
  expect(kit.reportedStates).toEqual(['staged', 'published'])
  expect(kit.kills).toBe(0)
})
