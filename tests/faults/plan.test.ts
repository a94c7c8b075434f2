import { expect, test } from 'vitest'
import { describeFault, planRound, SLOTS, type Fault } from './plan.ts'
import { Random } from './random.ts'
import { drawFate, fateName } from './fate.ts'
import { readTags, writeTags } from './tags.ts'

const seeds = Array.from({ length: 300 }, (_, index) => index)

test('the same seed is the same plan, another seed another one', () => {
  expect(planRound(7, 'full')).toEqual(planRound(7, 'full'))
  const plans = seeds.map((seed) => JSON.stringify({ ...planRound(seed, 'full'), seed: 0 }))
  expect(new Set(plans).size).toBe(seeds.length)
})

test('every fault and every end that a backend has comes up, and none that it has not', () => {
  const types = (backend: 'sqlite' | 'full') =>
    [
      ...new Set(seeds.flatMap((seed) => planRound(seed, backend).faults.map((fault) => fault.type))),
    ].toSorted()
  const everywhere = ['disk_full', 'kill', 'network', 'pause_work', 'stop', 'terminate']
  expect(types('sqlite')).toEqual(everywhere)
  expect(types('full')).toEqual(
    [...everywhere, 'cut_off', 'postgres_restart', 'redis_flush', 'redis_kill'].toSorted(),
  )
  const intents = seeds.flatMap((seed) => planRound(seed, 'sqlite').releases.map(({ intent }) => intent))
  const phases = intents.flatMap((intent) => (intent.type === 'cancel' ? [intent.at] : []))
  expect(new Set(phases)).toEqual(new Set(['initializing', 'running', 'staged', 'publishing']))
  expect(new Set(intents.map(({ type }) => type))).toEqual(new Set(['publish', 'cancel', 'fail']))
})

test('every process is killed sooner or later, and clocks are off only where hosts have clocks of their own', () => {
  for (const backend of ['sqlite', 'full'] as const) {
    const kills = seeds
      .flatMap((seed) => planRound(seed, backend).faults)
      .filter((fault) => fault.type === 'kill')
    expect(new Set(kills.map(({ slot }) => slot))).toEqual(new Set(SLOTS[backend]))
    expect(kills.some(({ skewMs }) => skewMs !== 0)).toBe(backend === 'full')
  }
})

test('a fault is told with everything that is needed to repeat it', () => {
  const fault: Fault = { type: 'kill', slot: 'alpha', downMs: 7, skewMs: 0 }
  expect(describeFault(fault)).toBe('kill slot=alpha downMs=7')
})

test('a line without trouble passes everything; only a report can be swallowed', () => {
  const random = new Random(1)
  const fates = (trouble: number, isReport: boolean) =>
    new Set(seeds.map(() => fateName(drawFate(random, trouble, isReport)).split(' ')[0]))
  expect(fates(0, true)).toEqual(new Set(['pass']))
  expect(fates(1, true).has('swallow')).toBe(true)
  expect(fates(1, false).has('swallow')).toBe(false)
  expect(fates(1, false).has('pass')).toBe(false)
})

test('what a release tells the task comes back from its tags', () => {
  const plan = { stageMs: 12, publishMs: 3, isFlaky: true, isStubborn: true, fails: 'alpha' }
  expect(readTags(writeTags(plan))).toEqual(plan)
  expect(readTags(undefined)).toEqual({
    stageMs: 0,
    publishMs: 0,
    isFlaky: false,
    isStubborn: false,
    fails: null,
  })
})
