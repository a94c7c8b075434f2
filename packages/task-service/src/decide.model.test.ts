import assert from 'node:assert/strict'
import { ACTIONS, type Action } from '@release-task/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LEASE_MS, TaskWorld, type Happened, type Pause, type Said } from './decide-world.fixture.ts'
import type { Command, CoordinatorShows, Decision } from './decision.ts'
import type { OutboxRow } from './outbox.ts'
import { aClaim, anAction, anError, NOW } from './record.fixture.ts'
import type { Work } from './record.ts'
import { compare, FINAL, judge, UNKNOWN, type Model, type Verdict } from './task-model.fixture.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 10_000)

// What an adversary may choose. Everything else, the order of all steps, is chosen by the scheduler.

type End = 'done' | 'failed' | 'permanent' | 'crash' | 'crash seen' | 'released'
interface Shift {
  readonly progress: readonly number[]
  /** The process stands still for so long in the middle of its work, and then goes on as if nothing had been. */
  readonly standsMs: number
  readonly renews: boolean
  readonly end: End
}
type Fate =
  | 'taken'
  | 'answer lost'
  | 'lost'
  | '500 kept'
  | '409'
  | '403'
  | '400'
  | '404'
  | 'overwritten'
  | 'ended there'
interface Plan {
  /** How far the task has come before anybody disturbs: a number of steps of the good way. */
  readonly beginning: number
  /** Workers that died in a row by then, at work that is due. */
  readonly crashes: number
  /** The coordinator has not known the task for longer than FORGOTTEN_AFTER, and is asked once more. */
  readonly isMissing: boolean
  readonly told: { readonly rounds: number; readonly answersWritten: boolean; readonly doubled: boolean }
  readonly actions: readonly { readonly action: Action; readonly own: boolean }[]
  readonly workers: readonly (readonly Shift[])[]
  readonly persons: readonly Command[]
  readonly clock: readonly number[]
  readonly fates: readonly Fate[]
}

const often = <T>(usual: T, weight: number, ...rare: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) })

const shift: fc.Arbitrary<Shift> = fc.record({
  progress: fc.array(fc.constantFrom(10, 50, 90), { maxLength: 2 }),
  standsMs: often(0, 5, LEASE_MS - 1, LEASE_MS, LEASE_MS + 1),
  renews: fc.boolean(),
  end: often<End>('done', 2, 'failed', 'permanent', 'crash', 'crash seen', 'released'),
})
const MISSING: Command = { type: 'coordinator_shows', state: 'missing' }
const SHOWS: readonly CoordinatorShows[] = [
  'missing',
  'missing',
  'unclear',
  'running',
  'canceled',
  'rejected',
]
const person: fc.Arbitrary<Command> = fc.oneof(
  fc.constantFrom<Command>({ type: 'retry' }, { type: 'retry' }, { type: 'give_up' }),
  // An answer whose writing took long.
  fc.constantFrom<Command>({ type: 'answered', work: 'stage' }, { type: 'answered', work: 'publish' }),
  fc.constantFrom(...SHOWS).map((state): Command => ({ type: 'coordinator_shows', state })),
)
const plans: fc.Arbitrary<Plan> = fc.record({
  beginning: fc.integer({ min: 0, max: 4 }),
  crashes: often<number>(0, 6, 4, 9, 10),
  isMissing: often<boolean>(false, 5, true),
  told: fc.record({
    rounds: fc.integer({ min: 2, max: 12 }),
    answersWritten: fc.boolean(),
    doubled: fc.boolean(),
  }),
  actions: fc.array(
    fc.record({ action: fc.constantFrom(...ACTIONS), own: fc.nat(5).map((one) => one > 0) }),
    { maxLength: 3 },
  ),
  workers: fc.array(fc.array(shift, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 3 }),
  persons: often<boolean>(false, 2, true).chain((some) => fc.array(person, { maxLength: some ? 3 : 0 })),
  clock: fc.array(often<number>(1000, 5, 1, LEASE_MS, 120_000, 31 * 60_000, 61 * 60_000), { maxLength: 6 }),
  fates: fc.array(
    often<Fate>(
      'taken',
      2,
      'answer lost',
      'lost',
      '500 kept',
      '409',
      '403',
      '400',
      '404',
      'overwritten',
      'ended there',
    ),
    { minLength: 1, maxLength: 4 },
  ),
})

const NEWEST = ['running', 'staged', 'publishing', 'published']
const isBehind = (one: string, other: string) => NEWEST.indexOf(one) < NEWEST.indexOf(other)

const REFUSALS: { readonly [fate in Fate]?: Said } = {
  '400': { status: 400, json: {} },
  '403': { status: 403, json: {} },
  '404': { status: 404, json: { detail: 'Not found.' } },
  '409': { status: 409, json: {} },
}

/** A coordinator as far as a report sees it: what it shows of the task. */
class Coordinator {
  shows: string = 'running'
  refused = 0
  fates: Fate[]

  constructor(fates: readonly Fate[]) {
    this.fates = [...fates]
  }

  receive({ state }: OutboxRow): Said {
    const fate = this.fates.shift() ?? 'taken'
    if (fate === '400') this.refused++
    const refusal = REFUSALS[fate]
    if (refusal) return refusal
    if (fate === 'lost') throw new Error('lost')
    if (fate === 'ended there') this.shows = 'canceled'
    if (this.shows === 'canceled') return { status: 409, json: { detail: 'the task is canceled' } }
    this.#take(state, fate === 'overwritten')
    if (fate === 'answer lost') throw new Error('answer lost')
    return fate === '500 kept' ? { status: 500, json: null } : { status: 200, json: { state: this.shows } }
  }

  /** Keeps what is news; unless its own save overwrites it at once (F-01). */
  #take(state: OutboxRow['state'], isOverwritten: boolean): void {
    const isNews = state === 'failed' || (state !== null && isBehind(this.shows, state))
    if (isNews && !isOverwritten) this.shows = state
  }

  read(): Said {
    return { status: 200, json: { state: this.shows } }
  }
}

const isOneOf = (one: unknown, all: readonly unknown[]) => all.includes(one)
const answerText = ({ answer }: Decision) =>
  answer.state === null ? `${answer.code}` : `${answer.code} ${answer.state}`

/** Watches all that happens to a task, and knows what must come of it. */
class Judge {
  model: Model = UNKNOWN
  readonly seen: Set<string>
  world!: TaskWorld
  coordinator!: Coordinator
  /** The models of the moments at which records were loaded, by revision. */
  readonly #models = new Map<number, Model>()
  /** What the author's code did to its end, as `stage 3`. */
  readonly finished = new Set<string>()
  isPublic = false
  /** Who believes to hold a lease, and until when. */
  readonly holders = new Map<number, { owner: string; until: number }>()
  /** The state that the coordinator must still be told. */
  owed: string | null = null

  constructor(seen: Set<string>) {
    this.seen = seen
  }

  happened = (what: Happened): void => {
    if (what.stored) this.#stored(what)
    else this.#notStored(what)
  }

  renewed = (attempt: number, until: number): void => {
    this.holders.set(attempt, { owner: this.holders.get(attempt)!.owner, until })
    const { lease } = this.model
    if (lease) this.model = { ...this.model, lease: { ...lease, until } }
    this.#remember()
  }

  conflict = (): void => void this.seen.add('decided again')

  /** A row goes only when the coordinator knows what it tells, or knows better (N-2, N-7, N-9). */
  removed = ({ state }: OutboxRow): void => {
    const { shows } = this.coordinator
    if (state === null) return
    assert.ok(
      shows === 'canceled' || shows === state || !isBehind(shows, state),
      `removed ${state}, shown ${shows}`,
    )
    this.owed = null
    this.seen.add('delivered')
  }

  #remember(): void {
    if (this.world.record) this.#models.set(this.world.record.revision, this.model)
  }

  #verdict(model: Model, { command, now, goneOwner }: Happened): Verdict {
    return judge(model, command, { now, goneOwner })
  }

  /** It was judged by the record as it was loaded. */
  #notStored(what: Happened): void {
    const { before, command, decision } = what
    const model = before ? this.#models.get(before.revision)! : UNKNOWN
    const lease =
      before?.lease && model.lease ? { ...model.lease, until: before.lease.expiresAt } : model.lease
    const known = { ...model, lease }
    const verdict = this.#verdict(known, what)
    assert.equal(verdict.model, known, `${command.type} had to change something: ${JSON.stringify(decision)}`)
    assert.equal(answerText(decision), verdict.answer, command.type)
    const late = (decision.effects ?? []).some((one) => one.type === 'event' && one.event === 'late_report')
    assert.equal(late, verdict.late, `${command.type} is kept as an event where it is late (WK-2)`)
    if (verdict.late) this.seen.add(`late ${command.type}`)
  }

  #stored(what: Happened): void {
    const { command, decision, before, after } = what
    assert(after)
    // What was decided is judged by what is stored at the moment of storing, whoever changed it meanwhile.
    const verdict = this.#verdict(this.model, what)
    assert.equal(answerText(decision), verdict.answer, command.type)
    this.#checkReport(verdict, what)
    this.model = compare(after, verdict.model, `after ${command.type} on ${before?.state}`)
    this.#checkMove(what)
    this.#checkLease(what)
    this.#remember()
    this.#note(what)
    if (this.owed !== null)
      assert.equal(this.world.report?.state, this.owed, 'the outbox holds the newest state')
  }

  #note({ command, before, after }: Happened): void {
    this.seen.add(`${this.model.row}/${this.model.cleanup}`)
    if (this.model.attention) this.seen.add(`needs attention: ${this.model.work}`)
    if (command.type === 'claim' && this.model.row === 'failed' && before?.state === 'running')
      this.seen.add('crashes end a stage')
    if (command.type === 'claim' && before?.lease && after?.lease)
      this.seen.add(`taken over: ${before.lease.work} ${after.lease.work}`)
  }

  #checkReport({ report }: Verdict, what: Happened): void {
    const { effects = [] } = what.decision
    const told = effects.flatMap((one) => {
      if (one.type === 'withdraw_report') return 'withdrawn'
      if (one.type !== 'report') return []
      return one.state ?? (one.progress === null ? 'attempt' : 'progress')
    })
    assert.deepEqual(told, report === null ? [] : [report])
    for (const one of effects) if (one.type === 'report') this.#checkAttempt(what, one.attempt)
    if (report === 'withdrawn') this.owed = null
    else if (report !== null && report !== 'progress' && report !== 'attempt') this.owed = report
  }

  /** A claim tells of what begins, everything else of what has ended (N-14). */
  #checkAttempt({ command, before, after }: Happened, attempt: number): void {
    const began = command.type === 'claim' && after?.state === before?.state
    assert.equal(attempt, (began ? after : before)?.workAttempt)
  }

  /** Rules that hold whatever the model says: of two sources of error one would be enough. */
  #checkMove({ command, before, after }: Happened): void {
    const from = before?.state ?? 'unknown'
    const to = after!.state
    if (FINAL.includes(from)) assert.equal(to, from, 'final states never change (TS-1)')
    assert.equal(after!.revision, (before?.revision ?? 0) + 1)
    assert.ok(after!.attempt >= (before?.attempt ?? 0), 'attempts never go back')
    if (from === to) return
    const isSuccess =
      command.type === 'succeeded' && command.attempt === before?.attempt && before.lease !== null
    const work = { staged: 'stage', published: 'publish' }[to as string]
    if (!work) return
    assert.ok(isSuccess && this.finished.has(`${work} ${before.attempt}`), `${to} without a ${work}`)
    if (to === 'published') assert.ok(this.isPublic, 'published, and nothing is public')
  }

  /** Of all who believe to hold the task at most one is right to (WK-1). */
  #checkLease({ command, now, before, after, goneOwner }: Happened): void {
    if ('attempt' in command && isOneOf(command.type, ['succeeded', 'failed', 'released']))
      this.holders.delete(command.attempt)
    if (command.type !== 'claim') return
    assert.ok(after!.attempt > (before?.attempt ?? 0), 'every claim counts the attempt up')
    for (const [attempt, { owner, until }] of this.holders)
      assert.ok(
        until <= now || owner === goneOwner || owner === command.owner,
        `attempt ${attempt} of ${owner} still holds it until ${until}, now ${now}`,
      )
    this.holders.clear()
    const lease = after!.lease
    if (lease) this.holders.set(after!.attempt, { owner: lease.owner, until: lease.expiresAt })
  }
}

/** Everything of one run. */
class Run {
  readonly clock = { now: NOW }
  readonly judge: Judge
  readonly world: TaskWorld
  readonly coordinator: Coordinator
  readonly pause: Pause
  readonly #scheduler: fc.Scheduler

  constructor(scheduler: fc.Scheduler, { fates }: Plan, seen: Set<string>) {
    this.#scheduler = scheduler
    this.judge = new Judge(seen)
    this.world = new TaskWorld(this.clock, this.judge)
    this.coordinator = new Coordinator(fates)
    this.judge.world = this.world
    this.judge.coordinator = this.coordinator
    this.pause = (what) => scheduler.schedule(Promise.resolve(), what)
  }

  together(actors: readonly Promise<unknown>[]): Promise<unknown> {
    return this.#scheduler.waitFor(Promise.all(actors))
  }

  async do(command: Command): Promise<Decision> {
    return (await this.world.execute(this.pause, command)).decision
  }

  /** An action, and the answer to it, which may never be written (WK-6). */
  async act(action: Action, { own = true, answered = true } = {}): Promise<string> {
    await this.pause(action)
    const decision = await this.do(anAction(action, own ? {} : { releaseId: 'RE_00000002' }))
    const work: Work | null = action === 'start' ? 'stage' : action === 'publish' ? 'publish' : null
    if (work && answered && decision.kind === 'next') {
      await this.pause('write the answer')
      await this.do({ type: 'answered', work })
    }
    return answerText(decision)
  }

  /** A coordinator that asks, and then tells what comes next; nobody says that it is not too late by then. */
  async tell({ rounds, answersWritten, doubled }: Plan['told']): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.pause('coordinator')
      const next = NEXT[answerText(await this.do(anAction('get_status')))]
      if (!next) continue
      const times = Array.from({ length: doubled ? 2 : 1 })
      await Promise.all(times.map(() => this.act(next, { answered: answersWritten })))
    }
  }

  /** The good way, as far as it goes, and then workers that die at what is due. */
  async begin({ beginning, crashes, isMissing }: Plan): Promise<void> {
    const way = [
      () => this.act('initialize'),
      () => this.act('start'),
      () => this.work('first', [GOOD]),
      () => this.act('publish'),
    ]
    for (const step of way.slice(0, beginning)) await step()
    const crash: Shift = { ...GOOD, end: 'crash seen' }
    const times = this.world.record?.work ? crashes : 0
    for (let time = 0; time < times; time++) await this.work(`lost ${time}`, [crash])
    if (!isMissing) return
    await this.do(MISSING)
    this.clock.now += 61 * 60_000
  }

  async tellAnything(actions: Plan['actions']): Promise<void> {
    for (const { action, own } of actions) await this.act(action, { own })
  }

  async work(name: string, shifts: readonly Shift[]): Promise<void> {
    for (const [index, shift] of shifts.entries()) {
      const owner = `${name} ${index}`
      await this.pause(`${owner} looks`)
      const { record } = this.world
      const { decision, record: claimed } = await this.world.execute(this.pause, aClaim({ owner }))
      if (decision.kind !== 'next' || claimed?.lease?.owner !== owner || !claimed.work) continue
      if (record) this.judge.seen.add(`worked: ${claimed.work}`)
      await this.#perform({ owner, attempt: claimed.attempt, work: claimed.work }, shift)
    }
  }

  async #perform(held: Held, shift: Shift): Promise<void> {
    const { owner, attempt } = held
    for (const percent of shift.progress) {
      await this.pause(`${owner} works`)
      if (shift.renews && this.world.renew(attempt, owner) !== 'kept')
        return void (await this.do({
          type: 'failed',
          attempt,
          error: anError('told to stop'),
          permanent: false,
        }))
      await this.do({ type: 'progress', attempt, percent, message: null })
    }
    if (shift.standsMs > 0) this.clock.now += shift.standsMs
    await this.pause(`${owner} finishes`)
    if (shift.end === 'crash seen') this.world.gone.add(owner)
    if (shift.end === 'crash' || shift.end === 'crash seen') return void this.judge.seen.add(shift.end)
    if (shift.end === 'done') return this.#finish(held)
    const error = anError()
    if (shift.end === 'released') await this.do({ type: 'released', attempt })
    else await this.do({ type: 'failed', attempt, error, permanent: shift.end === 'permanent' })
  }

  /** The author's code comes to its end; `publish` checks its attempt right before the switch (WK-14). */
  async #finish({ attempt, work }: Held): Promise<void> {
    const { record } = this.world
    const isMine = record?.attempt === attempt && record.lease !== null && record.work === work
    if (work === 'publish' && !isMine)
      return void (await this.do({ type: 'failed', attempt, error: anError('fenced off'), permanent: false }))
    if (work === 'publish') this.judge.isPublic = true
    if (work === 'discard' && isMine) this.judge.isPublic = false
    this.judge.finished.add(`${work} ${attempt}`)
    await this.pause(`attempt ${attempt} says so`)
    await this.do({ type: 'succeeded', attempt, result: {} })
  }

  async reporter(tries: number): Promise<void> {
    const line = {
      report: async (row: OutboxRow) => {
        await this.pause('report on its way')
        const said = this.coordinator.receive(row)
        await this.pause('answer on its way')
        return said
      },
      read: async () => {
        await this.pause('reading')
        return this.coordinator.read()
      },
    }
    for (let time = 0; time < tries; time++) {
      await this.pause('reporter')
      await this.world.deliver(this.pause, 'reporter', line)
    }
  }

  async time(steps: readonly number[]): Promise<void> {
    for (const ms of steps) {
      await this.pause(`${ms} ms pass`)
      this.clock.now += ms
    }
  }

  async persons(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      await this.pause(`person: ${command.type}`)
      await this.do(command)
    }
  }

  /** The coordinator shows what it was told, or has ended the task itself. */
  get isAgreed(): boolean {
    const { shows } = this.coordinator
    const isRefused = this.world.report?.phase === 'refused'
    return this.judge.owed === null || isRefused || shows === 'canceled' || shows === this.world.record?.state
  }

  get isQuiet(): boolean {
    const { record, report } = this.world
    const isFree = !record?.lease || record.lease.expiresAt <= this.clock.now
    // What the coordinator called wrong is not repeated (N-11).
    const isTold = report === null || report.phase === 'confirm' || report.phase === 'refused'
    return !record?.work && isFree && isTold && this.isAgreed
  }
}

interface Held {
  readonly owner: string
  readonly attempt: number
  readonly work: Work
}

/** What is told next, by the answer to `get_status`. */
const NEXT: { readonly [answer: string]: Action } = {
  '404': 'initialize',
  '200 pending': 'start',
  '200 staged': 'publish',
}
const GOOD: Shift = { progress: [], standsMs: 0, renews: true, end: 'done' }

/** Nobody disturbs any more, and time passes: more than the longest delay and the longest lease each round. */
async function drain(run: Run): Promise<void> {
  run.coordinator.fates = []
  for (let round = 0; round < 8 && !run.isQuiet; round++) {
    run.clock.now += 16 * 60_000
    await run.together([run.work(`drain ${round}`, [GOOD]), run.reporter(2)])
  }
}

/** What is left when everybody has done what there is to do. */
function checkRest({ world, judge, coordinator, isQuiet, clock }: Run): void {
  const { record } = world
  assert.ok(isQuiet, `not at rest: ${JSON.stringify([record, world.report])}`)
  if (!record) return assert.equal(judge.model, UNKNOWN)
  // Work that was accepted has come to its end; what waits, waits for the coordinator.
  assert.ok(['pending', 'staged', 'published', 'failed', 'canceled'].includes(record.state), record.state)
  assert.ok(!record.lease || record.lease.expiresAt <= clock.now)
  const isRefused = world.report?.phase === 'refused'
  assert.ok(!isRefused || coordinator.refused > 0, 'a report is parked that nobody refused')
  if (record.state === 'published') assert.ok(judge.isPublic)
  else if (record.cleanup !== 'given_up') assert.ok(!judge.isPublic, `public, and ${record.state}`)
  if (record.state !== 'failed' && record.state !== 'canceled') return assert.equal(record.cleanup, 'none')
  checkCleanup(record.attempt, record.cleanup, judge)
}

/** Whatever was begun is discarded, after the last attempt that began something (WK-17). */
function checkCleanup(attempt: number, cleanup: string, { finished, seen }: Judge): void {
  seen.add(`at rest: ${cleanup}`)
  if (cleanup === 'given_up') return
  assert.equal(cleanup, attempt > 0 ? 'done' : 'none')
  if (attempt > 0) assert.ok(finished.has(`discard ${attempt}`), 'discard was the last thing that was done')
}

const SEEN = [
  ...['pending', 'running', 'staged', 'publishing', 'published', 'tombstone'].map((row) => `${row}/none`),
  ...['none', 'pending', 'done', 'given_up'].flatMap((end) => [`canceled/${end}`, `failed/${end}`]),
  ...['succeeded', 'failed', 'progress', 'released'].map((word) => `late ${word}`),
  ...['stage stage', 'publish publish', 'discard discard', 'stage discard', 'publish discard'].map(
    (works) => `taken over: ${works}`,
  ),
  ...['none', 'done', 'given_up'].map((end) => `at rest: ${end}`),
  'crash',
  'crash seen',
  'crashes end a stage',
  'needs attention: publish',
  'needs attention: discard',
  'decided again',
  'delivered',
]

test('however actions, workers, persons, reports and time interleave, a task is what the protocol says', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, async (scheduler, plan) => {
      const run = new Run(scheduler, plan, seen)
      await run.together([run.begin(plan)])
      await run.together([
        run.tell(plan.told),
        run.tellAnything(plan.actions),
        ...plan.workers.map((shifts, index) => run.work(`worker ${index}`, shifts)),
        run.persons(plan.isMissing ? [MISSING, ...plan.persons] : plan.persons),
        run.time(plan.clock),
        run.reporter(plan.fates.length),
      ])
      await drain(run)
      checkRest(run)
    }),
    { numRuns: RUNS },
  )
  // Runs that never get anywhere would prove nothing.
  expect([...seen]).toEqual(expect.arrayContaining(SEEN))
}, 300_000)
