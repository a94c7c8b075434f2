import assert from 'node:assert/strict'
import type { Action, CoordinatorTaskState, TaskId } from '@release-task/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lost, ReleaseWorld, type Happened, type Pause, type Said } from './decide-world.fixture.ts'
import type { Command, Decision } from './decision.ts'
import { begin, NOW, RELEASE, SILENT, taskId } from './record.fixture.ts'
import type { ReleaseRecord } from './record.ts'
import {
  CREATED,
  FINAL_RELEASE,
  FINAL_TASK,
  judgeRelease,
  textOfModel,
  textOfRelease,
  type ReleaseModel,
} from './release-model.fixture.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 10_000)

// What an adversary may choose. Everything else, the order of all steps, is chosen by the scheduler.

type Fate = 'good' | 'never sent' | 'lost' | 'late' | 'answer lost' | 'doubled' | '503' | '500 done' | '400'
type Outcome = 'done' | 'failed' | 'canceled' | 'forgets'
type ReportFate = 'good' | 'lost' | 'answer lost' | 'doubled'
interface Plan {
  /** How far the release has come before anybody disturbs. */
  readonly beginning: number
  readonly services: readonly { readonly outcomes: readonly Outcome[]; readonly isSilent: boolean }[]
  readonly fates: readonly Fate[]
  readonly reports: readonly ReportFate[]
  readonly persons: readonly ('publish' | 'cancel')[]
  readonly clock: readonly number[]
  /** Reports in the name of a task that its service never made. */
  readonly lies: readonly { readonly who: number; readonly state: CoordinatorTaskState }[]
  /** After how many steps an instance dies; null: it does not. */
  readonly dies: number | null
  /** What a person makes of a release that is staged when all is quiet. */
  readonly ends: 'publish' | 'cancel'
}

const often = <T>(usual: T, weight: number, ...rare: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) })
const person = fc.constantFrom<'publish' | 'cancel'>('publish', 'publish', 'cancel')
const lie = fc.record({
  who: fc.nat(2),
  state: fc.constantFrom<CoordinatorTaskState>(
    'waiting',
    'initialized',
    'publishing',
    'published',
    'rejected',
  ),
})
const plans: fc.Arbitrary<Plan> = fc.record({
  beginning: fc.integer({ min: 0, max: 5 }),
  services: fc.array(
    fc.record({
      outcomes: fc.array(often<Outcome>('done', 6, 'failed', 'canceled', 'forgets'), { maxLength: 2 }),
      isSilent: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  fates: fc.array(
    often<Fate>('good', 3, 'never sent', 'lost', 'late', 'answer lost', 'doubled', '503', '500 done', '400'),
    { maxLength: 8 },
  ),
  reports: fc.array(often<ReportFate>('good', 2, 'lost', 'answer lost', 'doubled'), { maxLength: 4 }),
  persons: fc.array(person, { maxLength: 3 }),
  clock: fc.array(often<number>(500, 6, 1, 10_000, 30_000, 61_000, 600_000, 160_000_000), { maxLength: 5 }),
  lies: often<boolean>(false, 5, true).chain((some) => fc.array(lie, { maxLength: some ? 2 : 0 })),
  dies: fc.option(fc.integer({ min: 1, max: 12 }), { freq: 2 }),
  ends: often<'publish' | 'cancel'>('publish', 3, 'cancel'),
})

class Died extends Error {}

type ServiceState =
  | 'unknown'
  | 'pending'
  | 'running'
  | 'staged'
  | 'publishing'
  | 'published'
  | 'failed'
  | 'canceled'
  | 'tombstone'

/** Section 4, as far as it moves: from, action, to. */
const MOVES: { readonly [move: string]: ServiceState } = {
  'unknown initialize': 'pending',
  'pending start': 'running',
  'staged publish': 'publishing',
  'unknown cancel': 'tombstone',
  'pending cancel': 'canceled',
  'running cancel': 'canceled',
  'staged cancel': 'canceled',
  'publishing cancel': 'canceled',
}
const REPLAYS: { readonly [move: string]: ServiceState } = {
  'pending initialize': 'pending',
  'running start': 'running',
  'staged start': 'running',
  'publishing publish': 'publishing',
  'published publish': 'publishing',
  'failed cancel': 'failed',
  'canceled cancel': 'canceled',
  'tombstone cancel': 'canceled',
}
const WAY = ['unknown', 'pending', 'running', 'staged', 'publishing', 'published']
const AS_TASK: { readonly [state: string]: string } = { waiting: 'unknown', initialized: 'pending' }

/** A service that keeps the contract; what goes wrong between it and the coordinator is not its own doing. */
class Service {
  state: ServiceState = 'unknown'
  readonly reached = new Set<string>()
  readonly outcomes: Outcome[]
  readonly isSilent: boolean
  hasForgotten = false
  /** Somebody spoke in its name: what the coordinator believes of it need not be so. */
  isBelied = false
  /** What the coordinator is still to be told. */
  owes: CoordinatorTaskState | null = null

  constructor({ outcomes, isSilent }: Plan['services'][number]) {
    this.outcomes = [...outcomes]
    this.isSilent = isSilent
  }

  to(state: ServiceState): void {
    this.state = state
    this.reached.add(state)
  }

  act(action: Action): Said {
    const move = MOVES[`${this.state} ${action}`]
    const replay = REPLAYS[`${this.state} ${action}`]
    if (action === 'get_status') return this.#status()
    if (move) this.to(move)
    if (move === 'tombstone') return { status: 404, json: { code: 'TASK_NOT_FOUND' } }
    if (move === 'publishing' || move === 'canceled') this.owes = null
    const state = move ?? replay
    if (state) return { status: 200, json: this.isSilent ? {} : { state } }
    return { status: this.state === 'unknown' ? 404 : 400, json: { code: 'ACTION_NOT_LEGAL' } }
  }

  #status(): Said {
    const { state } = this
    const isUnknown = state === 'unknown' || state === 'tombstone'
    return isUnknown ? { status: 404, json: { code: 'TASK_NOT_FOUND' } } : { status: 200, json: { state } }
  }

  /** Its own work comes to an end. */
  work(): void {
    if (this.state !== 'running' && this.state !== 'publishing') return
    const outcome = this.outcomes.shift() ?? 'done'
    if (outcome === 'forgets') {
      this.hasForgotten = true
      this.state = 'unknown'
      return
    }
    const done = this.state === 'running' ? 'staged' : 'published'
    const state = outcome === 'done' ? done : outcome
    this.to(state)
    this.owes = state
  }
}

/** Watches all that happens to the release, and knows what must come of it. */
class Judge {
  model: ReleaseModel = CREATED
  readonly seen: Set<string>
  world!: ReleaseWorld
  services!: readonly Service[]
  isPublishAsked = false
  /** Tasks whose `cancel` was told for a day in vain, or was refused for good by something in between. */
  readonly excused = new Set<string>()
  /** Who was sent `cancel`: nothing may be sent after it. */
  readonly canceled = new Set<string>()
  readonly #models = new Map<number, ReleaseModel>()
  #released = 0

  constructor(seen: Set<string>) {
    this.seen = seen
  }

  conflict = (): void => void this.seen.add('decided again')
  missed = (): void => void this.seen.add('poll missed')

  happened = (what: Happened): void => {
    if (what.command.type === 'create') return this.#remember()
    if (what.stored) this.#stored(what)
    else this.#notStored(what)
  }

  #remember(): void {
    const { record } = this.world
    if (record) this.#models.set(record.revision, this.model)
  }

  /** Judged by the record as it was loaded. */
  #notStored({ command, decision, before, now }: Happened): void {
    const model = this.#models.get(before!.revision)!
    const verdict = judgeRelease(model, command, now)
    assert.equal(decision.kind === 'refused', verdict.refused, `${command.type}: ${JSON.stringify(decision)}`)
    assert.equal(textOfModel(verdict.model), textOfModel(model), `${command.type} had to change something`)
    if (verdict.refused) this.seen.add(`refused ${command.type}`)
    if (command.type === 'poll') this.seen.add('poll dropped')
  }

  #stored({ command, decision, before, after, now }: Happened): void {
    assert(before && after)
    // What was decided is judged by what is stored at the moment of storing, whoever changed it meanwhile.
    const verdict = judgeRelease(this.model, command, now)
    assert.equal(verdict.refused, false, `${command.type} had to be refused`)
    // Answers and looks are kept even where they are no news; nobody else is heard for nothing.
    const isKept = command.type === 'answer' || command.type === 'tick'
    assert.ok(isKept || verdict.model !== this.model, `${command.type} had to change nothing`)
    this.model = verdict.model
    const text = textOfRelease(after, (id) => this.world.outbox.get(id as TaskId)?.action ?? null)
    if (text !== textOfModel(this.model)) assert.equal(text, textOfModel(this.model), `after ${command.type}`)
    if (command.type === 'publish') this.isPublishAsked = true
    this.#checkKept(before, after)
    this.#checkEvents(before, after, decision)
    this.#checkTruth(after)
    this.#checkPolls(after)
    this.#noteAnswer(command)
    this.#remember()
    this.seen.add(`release ${after.state}`)
    for (const task of after.tasks) this.seen.add(`task ${task.state}`)
  }

  #noteAnswer(command: Command): void {
    if (command.type !== 'answer' || command.outcome.kind !== 'refused') return
    const isLate = command.outcome.reason.startsWith('not within its deadline')
    if (command.action === 'cancel' && isLate) this.excused.add(command.taskId)
    this.seen.add(`${command.action} failed${isLate ? ' at its deadline' : ''}`)
  }

  /** Rules that hold whatever the model says: of two sources of error one would be enough. */
  #checkKept(before: ReleaseRecord, after: ReleaseRecord): void {
    if (FINAL_RELEASE.includes(before.state)) assert.equal(after.state, before.state, 'final is final')
    if (before.outcome !== null) assert.equal(after.outcome, before.outcome, 'decided once (RC-18)')
    for (const [place, { id, state }] of before.tasks.entries()) {
      const now = after.tasks[place]!
      assert.equal(now.id, id)
      if (FINAL_TASK.includes(state)) assert.equal(now.state, state, 'a terminal task is immutable (RC-25)')
      const [was, is] = [state, now.state].map((one) => WAY.indexOf(AS_TASK[one] ?? one))
      if (was! >= 0 && is! >= 0) assert.ok(is! >= was!, `${id} went back from ${state} to ${now.state}`)
    }
    if (after.state === 'published') assert.ok(this.isPublishAsked, 'published, and nobody asked for it')
    this.#released += before.version === after.version ? 0 : 1
    assert.equal(
      this.#released,
      after.state === 'published' ? 1 : 0,
      'the version is raised once, at the end',
    )
  }

  /** The events tell each move, from what was stored to what is stored (RC-31). */
  #checkEvents(before: ReleaseRecord, after: ReleaseRecord, decision: Decision): void {
    const at = new Map<string, string>([[before.id, before.state]])
    for (const { id, state } of before.tasks) at.set(id, state)
    const effects = decision.kind === 'next' ? decision.effects : []
    for (const effect of effects) {
      const move = effect.type === 'event' && /^\w+ (\w+).* changed from (\w+) to (\w+)$/.exec(effect.message)
      if (!move) continue
      const [, id, from, to] = move
      assert.equal(at.get(id!) ?? 'waiting', from, 'told twice, or of a state that was not')
      at.set(id!, to!)
    }
    assert.equal(at.get(after.id), after.state)
    for (const { id, state } of after.tasks) assert.equal(at.get(id) ?? 'waiting', state)
  }

  /** What the coordinator believes of a task has been so. */
  #checkTruth({ tasks, state }: ReleaseRecord): void {
    for (const [place, task] of tasks.entries()) {
      if (!WAY.includes(AS_TASK[task.state] ?? task.state) || task.state === 'waiting') continue
      const { reached, isBelied } = this.services[place]!
      assert.ok(
        isBelied || reached.has(AS_TASK[task.state] ?? task.state),
        `${task.id} was never ${task.state}`,
      )
    }
    const all = (wanted: string) => this.services.every((one) => one.isBelied || one.reached.has(wanted))
    if (state === 'staged' || state === 'publishing') assert.ok(all('staged'), `${state} without all tasks`)
    if (state === 'published') assert.ok(all('published'), 'published without all tasks')
  }

  #checkPolls({ tasks }: ReleaseRecord): void {
    for (const { id, state } of tasks)
      assert.equal(
        this.world.polls.has(id),
        state === 'running' || state === 'publishing',
        `poll of ${id}, ${state}`,
      )
  }

  /** A request leaves (RC-5, RC-1, TS-4). */
  departs(id: TaskId, action: Action): void {
    if (action === 'cancel') this.canceled.add(id)
    if (action === 'get_status' || action === 'cancel') return
    assert.ok(!this.canceled.has(id), `${action} after cancel`)
    const all = (wanted: string) => this.services.every((one) => one.isBelied || one.reached.has(wanted))
    if (action === 'start') assert.ok(all('pending'), 'start before all are initialized')
    if (action === 'publish') assert.ok(all('staged') && this.isPublishAsked, 'publish before all are staged')
  }
}

const INSTANCES = ['A', 'B'] as const
type Instance = (typeof INSTANCES)[number]
const ENDED = ['canceled', 'failed', 'rejected']

/** Everything of one run. */
class Run {
  readonly clock = { now: NOW }
  readonly judge: Judge
  readonly world: ReleaseWorld
  readonly services: readonly Service[]
  readonly #scheduler: fc.Scheduler
  readonly #extras: Promise<unknown>[] = []
  #fates: Fate[] = []
  #reports: ReportFate[] = []
  #isDead = false

  constructor(scheduler: fc.Scheduler, { services }: Plan, seen: Set<string>) {
    this.#scheduler = scheduler
    this.judge = new Judge(seen)
    this.world = new ReleaseWorld(this.clock, this.judge)
    this.services = services.map((service) => new Service(service))
    this.judge.world = this.world
    this.judge.services = this.services
  }

  disturb({ fates, reports }: Pick<Plan, 'fates' | 'reports'>): void {
    this.#fates = [...fates]
    this.#reports = [...reports]
  }

  /** All actors, to their ends; and what they left on its way. */
  async together(actors: readonly Promise<unknown>[]): Promise<void> {
    await this.#scheduler.waitFor(Promise.all(actors))
    while (this.#extras.length > 0) await this.#scheduler.waitFor(Promise.all(this.#extras.splice(0)))
  }

  pause: Pause = (what) => this.#scheduler.schedule(Promise.resolve(), what)

  /** Of a process that may die: what it is about then vanishes. */
  pauseOf(instance: Instance): Pause {
    return async (what) => {
      await this.pause(what)
      if (instance === 'B' && this.#isDead) throw new Died()
    }
  }

  async living(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Died)) throw error
      this.judge.seen.add('died at work')
    }
  }

  async dies(after: number | null): Promise<void> {
    if (after === null) return
    for (let step = 0; step < after; step++) await this.pause('still alive')
    this.#isDead = true
    // Whether anybody knows is another question: a claim runs out in any case.
    if (after % 2 === 0) this.world.gone.add('B')
  }

  ids(): TaskId[] {
    return this.services.map((_, index) => taskId(index))
  }

  request(pause: Pause) {
    return async (id: TaskId, action: Action): Promise<Said> => {
      this.judge.departs(id, action)
      const service = this.services[this.ids().indexOf(id)]!
      const fate = this.#fates.shift() ?? 'good'
      if (fate === 'never sent') throw new Lost(false)
      if (fate === 'late') this.#extras.push(this.#later(service, action))
      await pause(`${action} on its way`)
      if (fate === 'lost' || fate === 'late') throw new Lost(true)
      if (fate === '400' && action === 'cancel') this.judge.excused.add(id)
      if (fate === '503' || fate === '400') return { status: Number(fate), json: {} }
      const said = service.act(action)
      if (fate === 'doubled') this.#extras.push(this.#later(service, action))
      await pause('the answer on its way')
      if (fate === 'answer lost') throw new Lost(true)
      return fate === '500 done' ? { status: 500, json: null } : said
    }
  }

  async #later(service: Service, action: Action): Promise<void> {
    for (let time = 0; time < 4; time++) await this.pause(`${action} late`)
    service.act(action)
  }

  /** One instance tells one task's service what it is to be told. */
  async tell(instance: Instance, id: TaskId, rounds: number): Promise<void> {
    const pause = this.pauseOf(instance)
    for (let round = 0; round < rounds; round++) {
      await pause(`dispatcher ${instance}`)
      await this.world.deliver(pause, instance, id, this.request(pause))
    }
  }

  async poll(instance: Instance, rounds: number, everybody: boolean): Promise<void> {
    const pause = this.pauseOf(instance)
    for (let round = 0; round < rounds; round++) {
      await pause(`monitor ${instance}`)
      await Promise.all(this.ids().map((id) => this.world.poll(pause, id, this.request(pause), everybody)))
    }
  }

  /** Looks at the release, as every instance does all the time. */
  async look(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.pause('look')
      const { record } = this.world
      if (record?.dueAt == null || record.dueAt > this.clock.now) continue
      const type = record.state === 'waiting' ? 'begin' : 'tick'
      await this.world.execute(this.pause, type === 'begin' ? begin(this.services.length) : { type })
    }
  }

  async persons(commands: Plan['persons']): Promise<void> {
    for (const type of commands) {
      await this.pause(`a person: ${type}`)
      await this.world.execute(this.pause, { type })
    }
  }

  async lies(lies: Plan['lies']): Promise<void> {
    for (const { who, state } of lies) {
      await this.pause('a lie')
      const service = this.services[who]
      if (!service || !this.world.record?.tasks[who]) continue
      service.isBelied = true
      await this.world.execute(this.pause, { type: 'report', taskId: taskId(who), ...SILENT, state })
    }
  }

  async time(steps: readonly number[]): Promise<void> {
    for (const ms of steps) {
      await this.pause(`${ms} ms pass`)
      this.clock.now += ms
    }
  }

  /** A service works, and says what came of it until the coordinator agrees. */
  async live(index: number, rounds: number): Promise<void> {
    const service = this.services[index]!
    for (let round = 0; round < rounds; round++) {
      await this.pause(`service ${index}`)
      service.work()
      if (service.owes) await this.#report(service, taskId(index))
    }
  }

  async #report(service: Service, id: TaskId): Promise<void> {
    const state = service.owes!
    const fate = this.#reports.shift() ?? 'good'
    await this.pause(`report ${state}`)
    if (fate === 'lost') return
    const say = () => this.world.execute(this.pause, { type: 'report', taskId: id, ...SILENT, state })
    if (fate === 'doubled') this.#extras.push(say())
    const decision = await say()
    await this.pause('its answer')
    if (fate === 'answer lost' || service.owes !== state) return
    const shown = this.world.record?.tasks.find((task) => task.id === id)?.state ?? ''
    // Of a task that has ended there is no more to be said (N-5).
    if (decision.kind !== 'refused' || FINAL_TASK.includes(shown)) service.owes = null
    if (decision.kind === 'refused' && ENDED.includes(shown)) this.#ended(service)
  }

  /** N-9: whoever learns that the coordinator has ended the task takes it for a cancel. */
  #ended(service: Service): void {
    if (MOVES[`${service.state} cancel`] === 'canceled') service.to('canceled')
  }

  get isAtRest(): boolean {
    const { record, outbox } = this.world
    const isOver = record !== null && FINAL_RELEASE.includes(record.state)
    return isOver && outbox.size === 0 && this.services.every((service) => service.owes === null)
  }
}

/** The first steps of the good way, one after the other. */
async function start(run: Run, { beginning }: Plan): Promise<void> {
  const fields = { name: 'n', description: '', studies: [], tags: [], author: 'a', isMajor: true }
  await run.world.execute(run.pause, { type: 'create', id: RELEASE, fields, overlapping: [] })
  const told = () => run.together(run.ids().map((id) => run.tell('A', id, 1)))
  const steps = [
    () => run.together([run.look(1)]),
    told,
    told,
    () => run.together(run.services.map((_, index) => run.live(index, 1))),
    () => run.together([run.persons(['publish'])]),
  ]
  for (const step of steps.slice(0, beginning)) await step()
}

/** Nobody disturbs any more; time passes, and a person decides. */
async function drain(run: Run, { ends }: Plan): Promise<void> {
  run.disturb({ fates: [], reports: [] })
  for (let round = 0; round < 16 && !run.isAtRest; round++) {
    run.clock.now += 61_000
    await run.together([
      run.look(1),
      ...run.ids().map((id) => run.tell('A', id, 1)),
      run.poll('A', 1, true),
      ...run.services.map((_, index) => run.live(index, 1)),
    ])
    if (run.world.record?.state === 'staged') await run.together([run.persons([ends])])
    if (round === 8) await endSilence(run)
  }
}

/**
 * A service that forgot the task and was then reached by an old `initialize`, or in whose name somebody lied, shows an
 * earlier state for ever: that changes nothing (RC-14), and only TASK_TIMEOUT, or a person, ends it (RC-17).
 */
async function endSilence(run: Run): Promise<void> {
  if (!run.services.some((service) => service.hasForgotten || service.isBelied)) return
  run.clock.now += 160_000_000
  await run.together([run.look(1)])
  if (run.world.record?.tasks.some((task) => task.needsAttention))
    await run.together([run.persons(['cancel'])])
}

function checkRest({ world, judge, services, isAtRest }: Run): void {
  const { record } = world
  assert.ok(isAtRest, `not at rest: ${textOfModel(judge.model)}, ${services.map((one) => one.state)}`)
  assert(record)
  if (record.state === 'published') judge.seen.add('all published')
  for (const [place, task] of record.tasks.entries()) {
    const service = services[place]!
    if (service.isBelied) continue
    if (record.state === 'published') assert.equal(service.state, 'published')
    else checkEnded(service, task, { record, judge, messages: world.messages })
  }
}

interface About {
  readonly record: ReleaseRecord
  readonly judge: Judge
  readonly messages: readonly string[]
}

/** Of a release that was stopped: the service has stopped too, or has published before it could, and people know. */
function checkEnded(service: Service, { id, state }: ReleaseRecord['tasks'][number], about: About): void {
  const { record, judge, messages } = about
  if (judge.excused.has(id)) return
  if (service.state === 'published') {
    assert.equal(record.stoppedFrom, 'publishing')
    const words = [`${id} is ${state} here, and its service shows published`, 'cannot take state published']
    const isTold = messages.some((one) => one.includes(id) && words.some((some) => one.includes(some)))
    const isKnown = state === 'published' || isTold
    assert.ok(isKnown, `${id} is published there, ${state} here, and nobody knows`)
    judge.seen.add(`published there, ${state} here`)
  } else if (service.state === 'unknown')
    assert.ok(service.hasForgotten, 'it was told initialize, and never cancel')
  else
    assert.ok(['canceled', 'failed', 'tombstone'].includes(service.state), `${id} is ${service.state} there`)
}

const SEEN = [
  ...['waiting', 'initialized', 'running', 'staged', 'publishing', 'published'].map((one) => `task ${one}`),
  ...['rejected', 'failed', 'canceled'].map((one) => `task ${one}`),
  ...['initializing', 'running', 'staged', 'publishing', 'published'].map((one) => `release ${one}`),
  ...['canceling', 'canceled', 'failed'].map((one) => `release ${one}`),
  ...['initialize', 'start', 'publish', 'cancel'].map((action) => `${action} failed`),
  'initialize failed at its deadline',
  'published there, published here',
  'published there, canceled here',
  'refused report',
  'refused publish',
  'poll dropped',
  'poll missed',
  'died at work',
  'decided again',
  'all published',
]

test('however deliveries, reports, polls, persons and time interleave, a release is what the protocol says', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, async (scheduler, plan) => {
      const run = new Run(scheduler, plan, seen)
      await run.together([start(run, plan)])
      run.disturb(plan)
      await run.together([
        ...INSTANCES.flatMap((instance) => [
          ...run.ids().map((id) => run.living(() => run.tell(instance, id, 4))),
          run.living(() => run.poll(instance, 2, true)),
        ]),
        ...run.services.map((_, index) => run.live(index, 5)),
        run.look(3),
        run.persons(plan.persons),
        run.lies(plan.lies),
        run.time(plan.clock),
        run.dies(plan.dies),
      ])
      await drain(run, plan)
      checkRest(run)
    }),
    { numRuns: RUNS },
  )
  // Runs that never get anywhere would prove nothing.
  expect([...seen]).toEqual(expect.arrayContaining(SEEN))
}, 300_000)
