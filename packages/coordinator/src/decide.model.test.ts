import assert from 'node:assert/strict'
import type { Action, CoordinatorTaskState, ReleaseState, TaskId } from '@release-task/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { Command, Decision, Effect, Outcome, Word } from './decision.ts'
import { begin, POLICY, RELEASE, SILENT } from './record.fixture.ts'
import type { CoordinatorTask, Deadlines, ReleaseRecord } from './record.ts'

// Typed from docs/protocol.md (RC-1, RC-2), a second time and not from the code.
const RELEASE_MOVES: { readonly [from: string]: string } = {
  waiting: 'initializing canceling',
  initializing: 'running canceling',
  running: 'staged canceling',
  staged: 'publishing canceling',
  publishing: 'published canceling',
  canceling: 'canceled failed',
}
const TASK_MOVES: { readonly [from: string]: string } = {
  waiting: 'initialized rejected failed canceled',
  initialized: 'running failed canceled',
  running: 'staged failed canceled',
  staged: 'publishing failed canceled',
  publishing: 'published failed canceled',
}
const FINAL_TASK = ['published', 'rejected', 'failed', 'canceled']
const NAMES = ['accept', 'silence', 'total'] as const
type DeadlineName = (typeof NAMES)[number]
const FINAL_RELEASE = ['published', 'canceled', 'failed']

type SentAction = Exclude<Action, 'get_status'>

/** One step of a run; numbers pick among what is there. */
type Step =
  | { readonly type: 'begin'; readonly tasks: number }
  | { readonly type: 'good'; readonly pick: number }
  | { readonly type: 'answer'; readonly pick: number; readonly outcome: Outcome }
  | { readonly type: 'report'; readonly pick: number; readonly word: Word; readonly ago: number }
  | { readonly type: 'poll'; readonly pick: number; readonly word: Word; readonly ago: number }
  | { readonly type: 'lost'; readonly pick: number; readonly ago: number }
  | { readonly type: 'publish' }
  | { readonly type: 'cancel' }
  | { readonly type: 'tick' }
  | { readonly type: 'edit' }

const STATES: readonly (CoordinatorTaskState | null)[] = [
  'waiting', 'initialized', 'running', 'staged', 'publishing', 'published', 'rejected', 'failed', 'canceled', null,
] // prettier-ignore

const pick = fc.nat(20)
const ago = fc.constantFrom(0, 0, 1, 1000)
const state = fc.constantFrom(...STATES)
const word = fc.record({
  state,
  progress: fc.option(fc.integer({ min: 0, max: 100 })),
  message: fc.option(fc.constant('half way')),
  summary: fc.option(fc.constant({ rows: 1 })),
  attempt: fc.option(fc.integer({ min: 1, max: 3 })),
  error: fc.option(fc.constant('no luck'), { freq: 1 }),
})
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant('accepted' as const), state }),
  fc.record({ kind: fc.constant('refused' as const), reason: fc.constant('answered 400'), shown: state }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  // A release has to come somewhere before something can go wrong there.
  { weight: 14, arbitrary: fc.record({ type: fc.constant('good' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('answer' as const), pick, outcome }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('report' as const), pick, word, ago }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('poll' as const), pick, word, ago }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lost' as const), pick, ago }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('publish', 'cancel', 'tick', 'edit') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('begin' as const), tasks: fc.nat(2) }) },
)
const LONGEST_MS = 20_000
const length = fc.option(fc.constantFrom(100, 5000, LONGEST_MS), { freq: 2 })
const deadlines: fc.Arbitrary<Deadlines> = fc.record({ accept: length, silence: length, total: length })
const LATER_MS = [0, 1, 50, 1000, POLICY.actionDeadlineMs, POLICY.taskTimeoutMs, POLICY.releaseTimeoutMs]
const later = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(0, 1, 50, 1000) },
  { weight: 1, arbitrary: fc.constantFrom(...LATER_MS) },
)
const runs = fc.record({
  services: fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: deadlines }),
    { maxLength: 5 },
  ),
  isMajor: fc.boolean(),
  steps: fc.array(fc.tuple(step, later), { minLength: 5, maxLength: 60 }),
})

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part)
  }
  return value
}

interface Move {
  readonly id: string
  /** Of a release; null: it is a task. */
  readonly version: string | null
  readonly from: string
  readonly to: string
}

/** The exact shape of RC-31, or an error. */
function moveIn(message: string): Move {
  const release = /^release (RE_\w{8}), version (\d+\.\d+\.\d+) changed from (\w+) to (\w+)$/.exec(message)
  const task = /^task (TA_\w{8})() changed from (\w+) to (\w+)$/.exec(message)
  const [, id, version, from, to] = release ?? task ?? []
  assert(id !== undefined && from !== undefined && to !== undefined, `of another shape: ${message}`)
  return { id, version: version || null, from, to }
}

function isLegal({ version, from, to }: Move): boolean {
  return ((version === null ? TASK_MOVES : RELEASE_MOVES)[from] ?? '').split(' ').includes(to)
}

/** A release beside the rows that its effects leave behind, with everything that must always hold of them. */
class World {
  record: ReleaseRecord | null = null
  now = 1_700_000_000_000
  latestVersion = '0.4.1'
  readonly outbox = new Map<TaskId, SentAction>()
  readonly polls = new Set<TaskId>()
  /** Everything that was ever told, for answers that come late or twice. */
  readonly told: [TaskId, SentAction][] = []
  readonly seen = new Set<string>()
  /** When each task was last heard of, and when its state began; typed from RC-17 and not read from the record. */
  readonly heardAt = new Map<TaskId, number>()
  readonly begunAt = new Map<TaskId, number>()
  /** What a person was called for, and has not ended since: `TA_… total`. */
  readonly calls = new Set<string>()
  phaseAt = 0

  do(command: Command): void {
    const moment = freeze({ now: this.now, latestVersion: this.latestVersion, policy: POLICY })
    freeze(this.record)
    freeze(command)
    const decision = decide(this.record, command, moment)
    // Pure: the frozen input was not written to, and the same input comes to the same.
    assert.deepEqual(decide(this.record, command, moment), decision)
    const effects = decision.kind === 'unchanged' ? [] : decision.effects
    if (decision.kind !== 'next') {
      // Only the event of a refused report may come out of what changes nothing.
      assert(effects.every((effect) => effect.type === 'event'))
      if (command.type === 'tick') assert.deepEqual(this.overdue(), [])
      return
    }
    const overdue = command.type === 'tick' ? this.overdue() : null
    this.checkMoves(decision)
    this.checkSends(effects)
    for (const effect of effects) this.apply(effect)
    const before = this.record
    this.record = decision.next
    this.follow(before, decision.next, command)
    this.checkRecord(decision.next)
    if (overdue && before) this.checkOverdue(before, decision, overdue)
    this.checkLook(decision.next)
  }

  /** Keeps the times that deadlines count from. */
  follow(before: ReleaseRecord | null, next: ReleaseRecord, command: Command): void {
    if (before?.state !== next.state) this.phaseAt = this.now
    for (const task of next.tasks) {
      const was = before?.tasks.find((one) => one.id === task.id)
      const isWord = command.type === 'report' || command.type === 'poll'
      if (isWord && command.taskId === task.id) {
        this.heardAt.set(task.id, this.now)
        this.calls.delete(`${task.id} silence`)
      }
      if (was?.state === task.state) continue
      this.heardAt.set(task.id, this.now)
      this.begunAt.set(task.id, this.now)
      for (const name of NAMES) this.calls.delete(`${task.id} ${name}`)
    }
  }

  /** The ends of a task's own deadlines that run now (RC-38), as `accept`, `silence`, `total`. */
  endsOf({ id, state, deadlines }: CoordinatorTask, release: ReleaseRecord): [DeadlineName, number][] {
    const isToTake = ['initializing waiting', 'running initialized', 'publishing staged'].includes(
      `${release.state} ${state}`,
    )
    const isWorking = ['running running', 'publishing publishing'].includes(`${release.state} ${state}`)
    const { accept, silence, total } = deadlines
    return [
      ...(isToTake && accept !== null ? [['accept', this.phaseAt + accept] as const] : []),
      ...(isWorking && silence !== null ? [['silence', this.heardAt.get(id)! + silence] as const] : []),
      ...(isWorking && total !== null ? [['total', this.begunAt.get(id)! + total] as const] : []),
    ].map(([name, ends]) => [name, ends])
  }

  /** Deadlines of services that have ended and have no consequence yet: `TA_… total`. */
  overdue(): string[] {
    const { record, now } = this
    return (record?.tasks ?? []).flatMap((task) =>
      this.endsOf(task, record!)
        .filter(([, ends]) => now >= ends)
        .map(([name]) => `${task.id} ${name}`)
        .filter((call) => !this.isCalled(call)),
    )
  }

  /** A person who was called for anything need not be called for silence. */
  isCalled(call: string): boolean {
    const [id, name] = call.split(' ')
    return this.calls.has(call) || (name === 'silence' && NAMES.some((one) => this.calls.has(`${id} ${one}`)))
  }

  /** Before publish an ended deadline cancels, from publishing on it calls for a person, and nothing else does. */
  checkOverdue(
    before: ReleaseRecord,
    { next, effects }: Extract<Decision, { kind: 'next' }>,
    overdue: readonly string[],
  ): void {
    const calls = effects.flatMap((effect) => {
      const call = effect.type === 'event' && /needs attention: deadline (\w+) of/.exec(effect.message)
      return call ? [`${effect.taskId} ${call[1]}`] : []
    })
    const mine = calls.filter((call) => this.isOwn(call, next))
    if (before.state === 'publishing') {
      expect(['publishing', 'published']).toContain(next.state)
      expect(mine).toEqual(overdue)
      for (const call of calls) this.seen.add(`called for ${call.split(' ')[1]}`)
    } else {
      expect(calls).toEqual([])
      if (overdue.length > 0) expect([next.state, next.outcome]).toEqual(['canceling', 'canceled'])
      for (const call of overdue) this.seen.add(`canceled by ${call.split(' ')[1]}`)
    }
    for (const call of calls) this.calls.add(call)
  }

  isOwn(call: string, { tasks }: ReleaseRecord): boolean {
    return tasks.some((task) => NAMES.some((name) => call === `${task.id} ${name}` && task.deadlines[name]))
  }

  /** Nobody looks too late: not after the end of a deadline that has no consequence yet. */
  checkLook(next: ReleaseRecord): void {
    for (const task of next.tasks)
      for (const [name, ends] of this.endsOf(task, next))
        if (!this.isCalled(`${task.id} ${name}`)) assert(next.dueAt !== null && next.dueAt <= ends)
  }

  apply(effect: Effect): void {
    if (effect.type === 'send') this.outbox.set(effect.taskId, effect.action as SentAction)
    if (effect.type === 'told' && this.outbox.get(effect.taskId) === effect.action)
      this.outbox.delete(effect.taskId)
    if (effect.type === 'tell_no_more') this.outbox.delete(effect.taskId)
    if (effect.type === 'poll_from') this.polls.add(effect.taskId)
    if (effect.type === 'poll_no_more') this.polls.delete(effect.taskId)
    if (effect.type !== 'version') return
    assert.equal(effect.from, this.latestVersion)
    this.latestVersion = effect.to
  }

  /** The events tell every move, in order, each of them legal, and nothing that did not happen. */
  checkMoves({ next, effects }: Extract<Decision, { kind: 'next' }>): void {
    const before = this.record
    const at = new Map<string, string>([[next.id, before?.state ?? 'waiting']])
    for (const task of next.tasks)
      at.set(task.id, before?.tasks.find((one) => one.id === task.id)?.state ?? 'waiting')
    for (const effect of effects) if (effect.type === 'event') this.checkEvent(effect, { at, next })
    assert.equal(at.get(next.id), next.state)
    for (const task of next.tasks) assert.equal(at.get(task.id), task.state)
  }

  checkEvent(
    { message, eventType, taskId, serviceId }: Extract<Effect, { type: 'event' }>,
    { at, next }: { at: Map<string, string>; next: ReleaseRecord },
  ): void {
    assert(message.length <= 1000)
    if (!message.includes(' changed from ')) return
    const move = moveIn(message)
    assert.equal(at.get(move.id), move.from)
    assert(isLegal(move), message)
    const isError = move.to === 'failed' || move.to === 'rejected'
    assert.equal(eventType, isError ? 'error' : 'info')
    const owner = next.tasks.find((one) => one.id === move.id)
    assert.deepEqual([taskId, serviceId], owner ? [owner.id, owner.serviceId] : [null, null])
    if (move.version !== null && move.to === 'published') assert.equal(move.version, next.version)
    at.set(move.id, move.to)
    this.seen.add(`${owner ? 'task' : 'release'} ${move.to}`)
  }

  /** Each thing is told once; once a release is being stopped nothing but `cancel`. */
  checkSends(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'send') continue
      const isStopped = this.record?.stoppedFrom != null
      assert.equal(isStopped ? 'stopped' : 'under way', 'under way')
      expect(this.told).not.toContainEqual([effect.taskId, effect.action])
      this.told.push([effect.taskId, effect.action as SentAction])
    }
  }

  checkRecord(next: ReleaseRecord): void {
    const states = new Set(next.tasks.map((task) => task.state))
    const all = (...wanted: string[]) => [...states].every((one) => wanted.includes(one))
    if (next.state === 'staged') assert(all('staged'))
    if (next.state === 'published') assert(all('published'))
    if (next.state === 'canceled' || next.state === 'failed') {
      assert.equal(next.outcome, next.state)
      assert(all(...FINAL_TASK))
      if (states.has('published')) this.seen.add('partially published')
    }
    assert.equal(next.outcome === null, !['canceling', 'canceled', 'failed'].includes(next.state))
    // What is left to tell: nothing but cancel once it is stopped, and exactly where it is waited for.
    if (next.stoppedFrom === null) return this.checkPolls(next)
    for (const task of next.tasks)
      expect([task.id, this.outbox.get(task.id) ?? null]).toEqual([
        task.id,
        task.cancelPending ? 'cancel' : null,
      ])
    this.checkPolls(next)
  }

  checkPolls(next: ReleaseRecord): void {
    const working = next.tasks.filter((task) => task.state === 'running' || task.state === 'publishing')
    expect([...this.polls].toSorted()).toEqual(working.map((task) => task.id).toSorted())
    const isTimed = ['waiting', 'initializing', 'running', 'canceling'].includes(next.state)
    if (isTimed) assert.notEqual(next.dueAt, null)
    if (next.state === 'staged' || FINAL_RELEASE.includes(next.state)) assert.equal(next.dueAt, null)
  }
}

/** What a good service or person would do next: answers what it is asked, reports when it is done, publishes. */
function goodStep({ record, outbox }: World, choice: number): Command | null {
  if (!record) return null
  const asked = [...outbox]
  const working = record.tasks.filter((task) => task.state === 'running' || task.state === 'publishing')
  const chosen = choice % Math.max(1, asked.length + working.length)
  const row = asked[chosen]
  if (row) {
    const [id, action] = row
    return { type: 'answer', taskId: id, action, outcome: { kind: 'accepted', state: null } }
  }
  const task = working[chosen - asked.length]
  if (task)
    return {
      type: 'report',
      ...SILENT,
      taskId: task.id,
      state: task.state === 'running' ? 'staged' : 'published',
    }
  return record.state === 'staged' ? { type: 'publish' } : { type: 'tick' }
}

function commandOf(world: World, one: Step): Command | null {
  const { record, told, now } = world
  if (one.type === 'good') return goodStep(world, one.pick)
  if (one.type === 'begin') return begin(one.tasks)
  if (one.type === 'edit') return { type: 'edit', fields: { description: 'why' } }
  if (one.type === 'publish' || one.type === 'cancel' || one.type === 'tick') return { type: one.type }
  if (one.type === 'answer') {
    const [id, action] = told[one.pick % Math.max(1, told.length)] ?? []
    return id && action ? { type: 'answer', taskId: id, action, outcome: one.outcome } : null
  }
  const task = record?.tasks[one.pick % Math.max(1, record.tasks.length)]
  if (!task) return null
  if (one.type === 'report') return { type: 'report', taskId: task.id, ...one.word }
  if (one.type === 'poll') return { type: 'poll', taskId: task.id, askedAt: now - one.ago, ...one.word }
  return { type: 'lost', taskId: task.id, askedAt: now - one.ago, reason: 'answered 404' }
}

function beginWith(services: readonly (Deadlines | null)[]): Command {
  const command = begin(services.length)
  if (command.type !== 'begin') return command
  const tasks = command.tasks.map((task, index) => {
    const own = services[index]
    return own ? { ...task, deadlines: own } : task
  })
  return { ...command, tasks }
}

const FIELDS = { name: 'n', description: '', studies: ['SD_00000001'], tags: [], author: 'a' } as const

test('whatever happens in whatever order, the rules hold', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(runs, ({ services, isMajor, steps }) => {
      const tasks = services.length
      const world = new World()
      world.do({ type: 'create', id: RELEASE, fields: { ...FIELDS, isMajor }, overlapping: [] })
      world.do(beginWith(services))
      let outcome: string | null = null
      let ended: { release: ReleaseState | null; tasks: Map<string, string> } = {
        release: null,
        tasks: new Map(),
      }
      for (const [one, laterMs] of steps) {
        world.now += laterMs
        const command = commandOf(world, one)
        if (command) world.do(command)
        const record = world.record!
        assert.equal(record.tasks.length, tasks)
        if (outcome !== null) assert.equal(record.outcome, outcome)
        if (ended.release !== null) assert.equal(record.state, ended.release)
        for (const [id, state] of ended.tasks)
          assert.equal(record.tasks.find((task) => task.id === id)?.state, state)
        outcome = record.outcome
        ended = {
          release: FINAL_RELEASE.includes(record.state) ? record.state : null,
          tasks: new Map(
            record.tasks.flatMap((task) => (FINAL_TASK.includes(task.state) ? [[task.id, task.state]] : [])),
          ),
        }
      }
      // Whoever looks when the longest of the services' deadlines is over sees them all, and sees them once.
      world.now += LONGEST_MS
      world.do({ type: 'tick' })
      world.do({ type: 'tick' })
      // Nobody waits for ever: a canceled release ends, also if no service says anything any more.
      world.do({ type: 'cancel' })
      world.now += POLICY.actionDeadlineMs
      world.do({ type: 'tick' })
      expect(FINAL_RELEASE).toContain(world.record?.state)
      for (const what of world.seen) seen.add(what)
    }),
    { numRuns: 3000 },
  )
  // A model that never gets anywhere would prove nothing.
  expect([...seen].toSorted()).toEqual(
    [
      'partially published',
      ...NAMES.flatMap((name) => [`canceled by ${name}`, `called for ${name}`]),
      ...Object.values(RELEASE_MOVES).flatMap((to) => to.split(' ').map((one) => `release ${one}`)),
      ...Object.values(TASK_MOVES).flatMap((to) => to.split(' ').map((one) => `task ${one}`)),
    ]
      .filter((one, index, whole) => whole.indexOf(one) === index)
      .toSorted(),
  )
})
