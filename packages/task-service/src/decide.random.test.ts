import { ACTIONS, canMove, isFinal, type TaskState } from '@release-task/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { Command, CoordinatorShows, Decision, Effect, Moment } from './decision.ts'
import { anAction, anError, at, deepFreeze, eventsOf, NOW } from './record.fixture.ts'
import type { TaskRecord } from './record.ts'

const RUNS = 2500
const LEASE_MS = 15_000
const SHOWS: CoordinatorShows[] = [
  'missing',
  'unclear',
  'running',
  'staged',
  'published',
  'canceled',
  'failed',
]
const WORKER_WORDS = ['studies', 'progress', 'step', 'succeeded', 'failed', 'released'] as const

/** One thing that happens. Attempts are relative to the current one: 0 is the holder, others are late. */
type Step =
  | {
      readonly kind: 'action'
      readonly action: (typeof ACTIONS)[number]
      readonly own: boolean
      readonly studies: boolean
    }
  | { readonly kind: 'claim'; readonly owner: string; readonly gone: boolean; readonly version: string }
  | {
      readonly kind: 'word'
      readonly word: (typeof WORKER_WORDS)[number]
      readonly behind: number
      readonly percent: number
      readonly permanent: boolean
    }
  | { readonly kind: 'plain'; readonly command: Command }
  | { readonly kind: 'renew' }
  | { readonly kind: 'time'; readonly ms: number }

const plain = (commands: fc.Arbitrary<unknown>): fc.Arbitrary<Step> =>
  commands.map((command) => ({ kind: 'plain', command: command as Command }))

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('action' as const),
      action: fc.constantFrom(...ACTIONS),
      own: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
      studies: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: plain(fc.constantFrom('stage', 'publish').map((work) => ({ type: 'answered', work }))),
  },
  { weight: 1, arbitrary: plain(fc.constantFrom({ type: 'retry' }, { type: 'give_up' })) },
  {
    weight: 1,
    arbitrary: plain(fc.constantFrom(...SHOWS).map((state) => ({ type: 'coordinator_shows', state }))),
  },
  {
    weight: 1,
    arbitrary: plain(fc.constant({ type: 'report_refused', status: 403, state: 'staged', text: 'no' })),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      owner: fc.constantFrom('A', 'B'),
      gone: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
      version: fc.constantFrom('1.0.0', '2.0.0'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('word' as const),
      word: fc.constantFrom(...WORKER_WORDS),
      behind: fc.constantFrom(0, 0, 0, 1, 2, -1),
      percent: fc.oneof(fc.integer({ min: -10, max: 120 }), fc.double()),
      permanent: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'renew' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ms: fc.constantFrom(1, 500, 1000, LEASE_MS, 130_000, 31 * 60_000, 61 * 60_000),
    }),
  },
)

function commandOf(step: Step, record: TaskRecord | null): Command | null {
  const attempt = record?.attempt ?? 0
  switch (step.kind) {
    case 'action':
      return anAction(step.action, {
        releaseId: step.own ? 'RE_00000001' : 'RE_00000002',
        studies: step.studies ? ['SD_00000001'] : null,
      })
    case 'plain':
      return step.command
    case 'claim':
      return {
        type: 'claim',
        owner: step.owner,
        version: step.version,
        leaseMs: LEASE_MS,
        goneOwner: step.gone ? (record?.lease?.owner ?? null) : null,
      }
    case 'word':
      return wordOf(step, attempt - step.behind)
    default:
      return null
  }
}

function wordOf({ word, percent, permanent }: Extract<Step, { kind: 'word' }>, attempt: number): Command {
  switch (word) {
    case 'studies':
      return { type: word, attempt, studies: ['SD_00000002'] }
    case 'progress':
      return { type: word, attempt, percent, message: permanent ? 'text' : null }
    case 'step':
      return { type: word, attempt, version: '1.0.0', name: 'a', result: 1 }
    case 'succeeded':
      return { type: word, attempt, result: { staged: attempt, summary: { attempt } } }
    case 'failed':
      return { type: word, attempt, error: anError(), permanent }
    case 'released':
      return { type: word, attempt }
  }
}

type Next = Extract<Decision, { kind: 'next' }>

const reportsOf = (effects: readonly Effect[]) => effects.filter((effect) => effect.type === 'report')

/** What holds of every record, however it came about. */
function checkRecord(record: TaskRecord): void {
  expect(record.work === null).toBe(record.dueAt === null)
  expect(Number.isInteger(record.progress) && record.progress >= 0 && record.progress <= 100).toBe(true)
  const work = { running: 'stage', publishing: 'publish' }[record.state as string] ?? null
  if (isFinal(record.state)) expect([null, 'discard']).toContain(record.work)
  else expect(record.work).toBe(work)
  expect(record.work === 'discard').toBe(record.cleanup === 'pending')
  if (record.held) expect(['stage', 'publish']).toContain(record.work)
  checkEnd(record)
}

function checkEnd(record: TaskRecord): void {
  // Somebody may still hold other work only where it was ended meanwhile.
  if (record.lease && record.lease.work !== record.work) expect(isFinal(record.state)).toBe(true)
  if (record.state === 'published') expect(record).toMatchObject({ lease: null, cleanup: 'none' })
  if (record.state === 'canceled' && !record.tombstone) expect(record.cancelRequestedAt).not.toBeNull()
  if (record.tombstone)
    expect(record).toMatchObject({ state: 'canceled', work: null, lease: null, revision: 1 })
  if (record.cleanup === 'done' || record.cleanup === 'given_up') expect(record.cleanupEndedAt).not.toBeNull()
}

/** What holds between a record and the next. */
function checkChange(before: TaskRecord, command: Command, { next, effects }: Next, now: number): void {
  expect(next.revision).toBe(before.revision + 1)
  const { id, releaseId, createdAt } = before
  expect(next).toMatchObject({ id, releaseId, createdAt, tombstone: before.tombstone })
  if (isFinal(before.state)) expect(next.state).toBe(before.state)
  if (next.state !== before.state) checkMove(before.state, command, { next, effects })
  else expect(reportsOf(effects).every((effect) => effect.state === null)).toBe(true)
  if (next.attempt !== before.attempt)
    expect([command.type, next.attempt]).toEqual(['claim', before.attempt + 1])
  if (next.lease && next.lease !== before.lease) checkTaken(before, command, next, now)
  if (before.cleanup === 'done' || before.cleanup === 'given_up') expect(next.cleanup).toBe(before.cleanup)
  if (before.studies !== null) expect(next.studies).toEqual(before.studies)
}

function checkMove(
  from: TaskState,
  command: Command,
  { next, effects }: Pick<Next, 'next' | 'effects'>,
): void {
  const { state } = next
  expect(eventsOf(effects).length, 'every move has its event (WK-5)').toBeGreaterThan(0)
  if (command.type !== 'action') expect(canMove(from, state), `${from} to ${state}`).toBe(true)
  // Who was told by the coordinator need not tell it; all other moves are reported in the same change.
  const told = ['staged', 'published', 'failed'].includes(state) ? [state] : []
  expect(reportsOf(effects).map((effect) => effect.state)).toEqual(told)
  if (state === 'canceled') expect(effects).toContainEqual({ type: 'withdraw_report' })
}

/** Never two live leases, so never a discard beside a stage that runs. */
function checkTaken(before: TaskRecord, command: Command, next: TaskRecord, now: number): void {
  if (command.type !== 'claim') throw new Error(`${command.type} took a lease`)
  const { lease } = before
  // Its own: a claim whose answer it never had; it works on nothing that it claims.
  const isOwn = lease?.owner === command.owner
  expect(!lease || lease.expiresAt <= now || lease.owner === command.goneOwner || isOwn).toBe(true)
  expect(before.dueAt).toBeLessThanOrEqual(now)
  expect(next.lease).toEqual({ owner: command.owner, work: before.work, expiresAt: now + LEASE_MS })
}

function checkFence(record: TaskRecord, command: Command, decision: Decision): void {
  if (!('attempt' in command)) return
  const holds = record.lease !== null && command.attempt === record.attempt
  if (holds) return
  expect(decision).toMatchObject({ kind: 'refused', code: 'LATE_REPORT' })
  expect('next' in decision).toBe(false)
}

/** Purity: frozen input, and the same answer twice. */
function decidedTwice(record: TaskRecord | null, command: Command, moment: Moment): Decision {
  const decision = decide(deepFreeze(record), deepFreeze(command), deepFreeze(moment))
  expect(decide(record, command, moment)).toEqual(decision)
  expect(JSON.parse(JSON.stringify(decision))).toEqual(decision)
  return decision
}

const action = (name: (typeof ACTIONS)[number]): Step => ({
  kind: 'action',
  action: name,
  own: true,
  studies: false,
})
const claim: Step = { kind: 'claim', owner: 'A', gone: false, version: '1.0.0' }
const success: Step = { kind: 'word', word: 'succeeded', behind: 0, percent: 0, permanent: false }

/** Chance alone rarely gets far: a sequence begins somewhere on the good way. */
const GOOD_WAY: readonly Step[] = [
  action('initialize'),
  action('start'),
  { kind: 'plain', command: { type: 'answered', work: 'stage' } },
  claim,
  success,
  action('publish'),
  { kind: 'plain', command: { type: 'answered', work: 'publish' } },
  claim,
  success,
]

/** A task and its clock, going from step to step. */
class World {
  now = NOW
  record: TaskRecord | null = null
  readonly #visited: Set<string>

  constructor(visited: Set<string>) {
    this.#visited = visited
  }

  go(step: Step): void {
    if (step.kind === 'time') this.now += step.ms
    if (step.kind === 'renew') this.#renew()
    const command = commandOf(step, this.record)
    if (command) this.#decide(command)
  }

  /** A renewal is the store's own; it happens beside the rules. */
  #renew(): void {
    const { record } = this
    if (record?.lease) this.record = { ...record, lease: { ...record.lease, expiresAt: this.now + LEASE_MS } }
  }

  #decide(command: Command): void {
    const { record } = this
    const decision = decidedTwice(record, command, at(this.now))
    if (record) checkFence(record, command, decision)
    if (record && decision.kind === 'next') checkChange(record, command, decision, this.now)
    const next = 'next' in decision ? decision.next : undefined
    if (!next) return
    checkRecord(next)
    this.record = next
    this.#visited.add(`${next.state}/${next.cleanup}/${next.lease?.work ?? '-'}`)
  }
}

const PLACES = [
  'running/none/stage',
  'publishing/none/publish',
  'published/none/-',
  'canceled/pending/stage',
  'canceled/pending/publish',
  'canceled/given_up/discard',
  'failed/done/-',
]

test('random sequences of all commands keep every invariant', () => {
  const visited = new Set<string>()
  const beginnings = fc.integer({ min: 1, max: GOOD_WAY.length }).map((length) => GOOD_WAY.slice(0, length))
  fc.assert(
    fc.property(beginnings, fc.array(steps, { minLength: 5, maxLength: 50 }), (beginning, sequence) => {
      const world = new World(visited)
      for (const step of [...beginning, ...sequence]) world.go(step)
    }),
    { numRuns: RUNS },
  )
  // The sequences are worth something only where they get everywhere.
  expect([...visited]).toEqual(expect.arrayContaining(PLACES))
})

test('the same from nothing: a cancel first leaves a tombstone that nothing leaves', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 20 }), (sequence) => {
      const first = decide(null, anAction('cancel'), at(NOW)) as { next: TaskRecord }
      for (const step of sequence) {
        const command = commandOf(step, first.next)
        if (!command) continue
        const decision = decidedTwice(first.next, command, at(NOW + 90_000_000))
        expect('next' in decision).toBe(false)
      }
    }),
    { numRuns: 500 },
  )
})
