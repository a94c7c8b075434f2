import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CoordinatorTask, ReleaseRecord } from '../../packages/coordinator/src/record.ts'
import type { Command } from '../../packages/task-service/src/decision.ts'
import { FINAL, System, type End, type Fate, type Service, type Shift } from './both-sides.fixture.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 10_000)

/** What an adversary may choose. Everything else, the order of all steps, is chosen by the scheduler. */
interface Plan {
  /** How many rounds go well before anybody disturbs. */
  readonly beginning: number
  readonly services: readonly (readonly Shift[])[]
  readonly fates: readonly Fate[]
  readonly persons: readonly ('publish' | 'cancel')[]
  readonly atServices: readonly Command[]
  readonly clock: readonly number[]
  /** Who dies, and whether the others can see it. The first is the coordinator. */
  readonly deaths: readonly { readonly who: number; readonly isSeen: boolean }[]
  readonly ends: 'publish' | 'cancel'
  /** Without polls the services' reports are all that the coordinator hears (RC-15). */
  readonly polls: boolean
}

const often = <T>(usual: T, weight: number, ...rare: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) })
const shift: fc.Arbitrary<Shift> = fc.record({
  end: often<End>('done', 5, 'failed', 'failed', 'permanent', 'left alone'),
  stands: often<boolean>(false, 5, true),
})
const plans: fc.Arbitrary<Plan> = fc.record({
  beginning: fc.integer({ min: 0, max: 5 }),
  services: fc.array(fc.array(shift, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  fates: fc.array(often<Fate>('good', 2, 'never sent', 'lost', 'late', 'answer lost', 'doubled'), {
    maxLength: 10,
  }),
  persons: fc.array(fc.constantFrom<'publish' | 'cancel'>('publish', 'publish', 'publish', 'cancel'), {
    maxLength: 3,
  }),
  atServices: often<boolean>(false, 5, true).chain((some) =>
    fc.array(fc.constantFrom<Command>({ type: 'retry' }, { type: 'give_up' }), { maxLength: some ? 2 : 0 }),
  ),
  clock: fc.array(often<number>(1000, 4, 500, 15_000, 31_000, 61_000, 600_000), { maxLength: 6 }),
  deaths: fc.array(fc.record({ who: fc.nat(3), isSeen: fc.boolean() }), { maxLength: 2 }),
  ends: often<'publish' | 'cancel'>('publish', 3, 'cancel'),
  polls: fc.boolean(),
})

/** Everybody does once what he does all the time. */
function round(system: System, rounds: number, { polls }: Pick<Plan, 'polls'>): Promise<unknown>[] {
  const { coordinator, services } = system
  return [
    system.again(coordinator, rounds, (pause) => system.look(pause)),
    ...services.flatMap((service) => [
      system.again(coordinator, rounds, (pause) => system.dispatch(pause, service)),
      system.again(coordinator, polls ? rounds : 0, (pause) => system.poll(pause, service)),
      system.again(service.side, rounds, (pause) => system.work(pause, service, 'one')),
      system.again(service.side, rounds, (pause) => system.report(pause, service)),
    ]),
  ]
}

/** What only an adversary does. */
function disturbances(system: System, plan: Plan): Promise<unknown>[] {
  const { coordinator, services, step, clock } = system
  const sides = [coordinator, ...services.map(({ side }) => side)]
  const each = async <T>(things: readonly T[], what: string, act: (one: T) => unknown) => {
    for (const one of things) {
      for (let time = 0; time < 3; time++) await step(what)
      await act(one)
    }
  }
  return [
    each(plan.persons, 'a person', (what) => system.person(what)),
    each(plan.atServices, 'a person at a service', (what) => system.command(services[0]!, what)),
    each(plan.clock, 'time passes', (ms) => void (clock.now += ms)),
    each(plan.deaths, 'a death', ({ who, isSeen }) => sides[who % sides.length]!.die(isSeen)),
    ...services.map((service) =>
      system.again(service.side, 2, (pause) => system.work(pause, service, 'another')),
    ),
  ]
}

function isQuiet({ task }: Service, now: number): boolean {
  const { record, report } = task
  const isFree = !record?.lease || record.lease.expiresAt <= now
  return !record?.work && isFree && (report === null || report.phase === 'confirm')
}

function isAtRest({ release, services, clock }: System): boolean {
  const { record, outbox } = release
  const isOver = record !== null && FINAL.includes(record.state)
  return isOver && outbox.size === 0 && services.every((service) => isQuiet(service, clock.now))
}

/** Nothing is lost any more and nobody dies; time passes, and a person decides. */
async function drain(system: System, plan: Plan): Promise<void> {
  system.fates = []
  for (const service of system.services) service.shifts = []
  for (let time = 0; time < 24 && !isAtRest(system); time++) {
    system.clock.now += time % 4 === 3 ? 16 * 60_000 : 61_000
    await system.together(round(system, 1, plan))
    if (system.release.record?.state === 'staged') await system.together([system.person(plan.ends)])
  }
}

/** Both sides say the same, and so does what the world can see. */
function checkAgreement(system: System): void {
  const { release, services, seen } = system
  const { record } = release
  assert(record)
  const states = () =>
    services.map(({ task }) => `${task.record?.state} ${JSON.stringify(task.report)}`).join()
  assert.ok(
    isAtRest(system),
    `not at rest: ${record.state} ${[...release.outbox.values()].length}, ${states()}`,
  )
  seen.add(`at rest: ${record.state}`)
  for (const [place, task] of record.tasks.entries()) {
    const service = services[place]!
    if (service.task.record?.state === 'published') checkPublished(service, task, { system, record })
    else checkStopped(service, { system, record })
  }
}

interface About {
  readonly system: System
  readonly record: ReleaseRecord
}

function checkPublished(
  { id, isPublic }: Service,
  { state }: CoordinatorTask,
  { system: { release, seen }, record }: About,
): void {
  assert.ok(isPublic, `${id} is published, and is not public`)
  if (record.state === 'published') return assert.equal(state, 'published')
  // It was faster than the cancel, and people know (RC-21).
  assert.equal(record.stoppedFrom, 'publishing')
  const isTold = release.messages.some((one) => one.includes(`${id} is ${state} here, and its service shows`))
  assert.ok(state === 'published' || isTold, `${id} is published there, ${state} here, and nobody knows`)
  seen.add('published before the cancel')
}

function checkStopped({ id, task, isPublic }: Service, { system, record }: About): void {
  assert.notEqual(record.state, 'published', `${id} is ${task.record?.state} in a published release`)
  assert.ok(task.record, `${id} was told initialize, and has heard of nothing`)
  const { state, cleanup, attempt, tombstone } = task.record
  assert.ok(state === 'canceled' || state === 'failed', `${id} is ${state}, its release ${record.state}`)
  if (tombstone) system.seen.add('canceled before it was initialized')
  if (cleanup === 'given_up') return
  assert.equal(cleanup, attempt > 0 ? 'done' : 'none')
  assert.equal(isPublic, false, `${id} is public, and ${state}`)
}

const SEEN = [
  ...['pending', 'running', 'staged', 'publishing', 'published', 'failed', 'canceled', 'tombstone'].map(
    (one) => `task ${one}`,
  ),
  ...['initializing', 'running', 'staged', 'publishing', 'published', 'canceling'].map(
    (one) => `release ${one}`,
  ),
  ...['never sent', 'lost', 'late', 'answer lost', 'doubled'].map((fate) => `message ${fate}`),
  ...FINAL.map((state) => `at rest: ${state}`),
  'published before the cancel',
  'canceled before it was initialized',
  'worker one worked',
  'worker another worked',
  'died at work',
  'late word',
]

test('whatever is lost, doubled, late or dies, both sides agree in the end and nothing is public too early', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, async (scheduler, plan) => {
      const system = new System(scheduler, plan.services.length, seen)
      await system.together([system.create()])
      for (let time = 0; time < plan.beginning; time++) await system.together(round(system, 1, plan))
      system.fates = [...plan.fates]
      for (const [index, shifts] of plan.services.entries()) system.services[index]!.shifts = [...shifts]
      await system.together([...round(system, 3, plan), ...disturbances(system, plan)])
      await drain(system, plan)
      checkAgreement(system)
    }),
    { numRuns: RUNS },
  )
  // Runs that never get anywhere would prove nothing.
  expect([...seen]).toEqual(expect.arrayContaining(SEEN))
}, 300_000)
