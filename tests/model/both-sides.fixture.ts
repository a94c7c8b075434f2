import assert from 'node:assert/strict'
import type { Action, TaskId } from '@release-task/protocol'
import type * as fc from 'fast-check'
import {
  Lost,
  ReleaseWorld,
  type Happened as AtCoordinator,
} from '../../packages/coordinator/src/decide-world.fixture.ts'
import type { Command as ReleaseCommand } from '../../packages/coordinator/src/decision.ts'
import { begin, NOW, RELEASE, SILENT, taskId } from '../../packages/coordinator/src/record.fixture.ts'
import {
  LEASE_MS,
  TaskWorld,
  type Happened as AtService,
  type Line,
  type Pause,
  type Said,
} from '../../packages/task-service/src/decide-world.fixture.ts'
import type { Command as TaskCommand } from '../../packages/task-service/src/decision.ts'
import type { OutboxRow } from '../../packages/task-service/src/outbox.ts'
import type { TaskRecord, Work } from '../../packages/task-service/src/record.ts'

/** What becomes of one message, either way. */
export type Fate = 'good' | 'never sent' | 'lost' | 'late' | 'answer lost' | 'doubled'
export type End = 'done' | 'failed' | 'permanent' | 'left alone'
export interface Shift {
  readonly end: End
  /** It stands still for longer than its lease, and then goes on as if nothing had been. */
  readonly stands: boolean
}

/** Of each process of a service; each holds leases of its own. */
export const WORKERS = ['one', 'another'] as const

export class Died extends Error {}

/** A process: when it dies, whatever it was about vanishes; its records and its outbox stay. */
export class Side {
  readonly #name: string
  readonly #gone: Set<string>
  readonly #step: Pause
  #lives = 0

  constructor(name: string, gone: Set<string>, step: Pause) {
    this.#name = name
    this.#gone = gone
    this.#step = step
  }

  get name(): string {
    return `${this.#name} ${this.#lives}`
  }

  /** Pauses of what is begun now. */
  pause(): Pause {
    const life = this.#lives
    return async (what) => {
      await this.#step(`${this.name}: ${what}`)
      if (life !== this.#lives) throw new Died()
    }
  }

  die(isSeen: boolean): void {
    if (isSeen) for (const worker of ['', ...WORKERS]) this.#gone.add(`${this.name} ${worker}`.trim())
    this.#lives++
  }
}

/** One service: its task, its process, and what of it the world can see. */
export class Service {
  readonly id: TaskId
  readonly task: TaskWorld
  readonly side: Side
  readonly reached = new Set<string>()
  isPublic = false
  shifts: Shift[] = []

  constructor(index: number, system: System) {
    this.id = taskId(index)
    this.task = new TaskWorld(system.clock, { happened: (what) => system.atService(this, what) })
    this.side = new Side(`service ${index}`, this.task.gone, system.step)
  }
}

/** On either side. */
export const FINAL = ['published', 'canceled', 'failed']
const rows = ['running', 'staged', 'publishing', 'published']

/** A coordinator with its services, and the network between them. */
export class System {
  readonly clock = { now: NOW }
  readonly release: ReleaseWorld
  readonly coordinator: Side
  readonly services: readonly Service[]
  readonly seen: Set<string>
  readonly step: Pause
  fates: Fate[] = []
  isPublishAsked = false
  readonly #scheduler: fc.Scheduler
  readonly #extras: Promise<unknown>[] = []

  constructor(scheduler: fc.Scheduler, services: number, seen: Set<string>) {
    this.#scheduler = scheduler
    this.seen = seen
    this.step = (what) => scheduler.schedule(Promise.resolve(), what)
    this.release = new ReleaseWorld(this.clock, { happened: (what) => this.#atCoordinator(what) })
    this.coordinator = new Side('coordinator', this.release.gone, this.step)
    this.services = Array.from({ length: services }, (_, index) => new Service(index, this))
  }

  /** All actors, to their ends; and what they left on its way. */
  async together(actors: readonly Promise<unknown>[]): Promise<void> {
    await this.#scheduler.waitFor(Promise.all(actors))
    while (this.#extras.length > 0) await this.#scheduler.waitFor(Promise.all(this.#extras.splice(0)))
  }

  /** Something a process does again and again; after a death its next life goes on. */
  async again(side: Side, rounds: number, work: (pause: Pause) => Promise<unknown>): Promise<void> {
    for (let round = 0; round < rounds; round++) await this.#living(() => work(side.pause()))
  }

  async #living(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Died)) throw error
      this.seen.add('died at work')
    }
  }

  // What must be so at every moment, on both sides.

  #atCoordinator({ command, after, before, stored }: AtCoordinator): void {
    if (!stored || !after) return
    if (before && FINAL.includes(before.state))
      assert.equal(after.state, before.state, 'final is final (RC-1)')
    if (command.type === 'publish') this.isPublishAsked = true
    const all = (state: string) => this.services.every(({ reached }) => reached.has(state))
    const { state, tasks } = after
    if (state === 'staged' || state === 'publishing') assert.ok(all('staged'), `${state} without all tasks`)
    if (state === 'published') assert.ok(all('published'), 'published without all tasks')
    for (const [place, task] of tasks.entries())
      if (rows.includes(task.state))
        assert.ok(this.services[place]!.reached.has(task.state), `${task.id} was never ${task.state}`)
    if (before?.state !== state) this.seen.add(`release ${state}`)
  }

  atService(service: Service, { command, before, after, stored, decision, now }: AtService): void {
    if (decision.kind === 'refused' && decision.code === 'LATE_REPORT') this.seen.add('late word')
    if (!stored || !after) return
    if ('attempt' in command)
      assert.equal(command.attempt, before?.attempt, `a fenced attempt says ${command.type}`)
    if (before && FINAL.includes(before.state))
      assert.equal(after.state, before.state, 'final is final (TS-1)')
    if (command.type === 'claim') checkFree(service.task, before!, command.owner, now)
    if (before?.state !== after.state) this.#moved(service, after)
  }

  #moved(service: Service, after: TaskRecord): void {
    service.reached.add(after.state)
    this.seen.add(`task ${after.tombstone ? 'tombstone' : after.state}`)
    const all = (state: string) => this.services.every(({ reached }) => reached.has(state))
    if (after.state === 'running') assert.ok(all('pending'), 'running before all are initialized')
    if (after.state === 'publishing') assert.ok(all('staged'), 'publishing before all are staged')
  }

  /** The switch to public (TS-4): asked for by a person, and never of a release that was stopped before. */
  #switch(service: Service): void {
    const { stoppedFrom } = this.release.record!
    assert.ok(this.isPublishAsked, `${service.id} is public before publish`)
    assert.ok(stoppedFrom === null || stoppedFrom === 'publishing', `${service.id} is public after a cancel`)
    service.isPublic = true
  }

  // The coordinator's side.

  async create(): Promise<void> {
    const fields = { name: 'n', description: '', studies: [], tags: [], author: 'a', isMajor: false }
    await this.release.execute(this.step, { type: 'create', id: RELEASE, fields, overlapping: [] })
  }

  async person(type: 'publish' | 'cancel'): Promise<void> {
    await this.#living(() => this.#decide(this.coordinator.pause(), { type }))
  }

  #decide(pause: Pause, command: ReleaseCommand) {
    return this.release.execute(pause, command)
  }

  async look(pause: Pause): Promise<void> {
    await pause('looks')
    const { record } = this.release
    if (record?.dueAt == null || record.dueAt > this.clock.now) return
    const isNew = record.state === 'waiting'
    await this.#decide(pause, isNew ? begin(this.services.length) : { type: 'tick' })
  }

  async dispatch(pause: Pause, { id }: Service): Promise<void> {
    await pause('dispatches')
    await this.release.deliver(pause, this.coordinator.name, id, this.#request)
  }

  async poll(pause: Pause, { id }: Service): Promise<void> {
    await pause('polls')
    await this.release.poll(pause, id, this.#request, true)
  }

  // The network.

  #request = async (id: TaskId, action: Action): Promise<Said> => {
    const service = this.services.find((one) => one.id === id)!
    const said = await this.#carry(() => this.#handle(service, action))
    if (!said) throw new Lost(true)
    return said
  }

  /** One message and its answer; null where none comes back. */
  async #carry(arrive: () => Promise<Said | null>): Promise<Said | null> {
    const fate = this.fates.shift() ?? 'good'
    if (fate !== 'good') this.seen.add(`message ${fate}`)
    if (fate === 'never sent') throw new Lost(false)
    if (fate === 'late' || fate === 'doubled') this.#extras.push(this.#later(arrive))
    await this.step('on its way')
    if (fate === 'lost' || fate === 'late') return null
    const said = await arrive()
    await this.step('answer on its way')
    return fate === 'answer lost' ? null : said
  }

  async #later(arrive: () => Promise<unknown>): Promise<void> {
    for (let time = 0; time < 5; time++) await this.step('late')
    await arrive()
  }

  /** Runs in the process that it reaches, and dies with it. */
  async #reached(work: () => Promise<Said>): Promise<Said | null> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Died) return null
      throw error
    }
  }

  #handle({ task, side, id }: Service, action: Action): Promise<Said | null> {
    return this.#reached(async () => {
      const pause = side.pause()
      const studies = action === 'get_status' ? null : []
      const request = { action, taskId: id, releaseId: RELEASE, studies } as const
      const { decision } = await task.execute(pause, { type: 'action', version: '1', request })
      const work: Work | null = action === 'start' ? 'stage' : action === 'publish' ? 'publish' : null
      if (work && decision.kind === 'next') this.#extras.push(this.#answered(task, pause, work))
      const { code, state } = decision.answer
      return { status: code, json: code === 200 ? { state, progress: 0 } : { code: codeOf(decision) } }
    })
  }

  async #answered(task: TaskWorld, pause: Pause, work: Work): Promise<void> {
    await this.#living(async () => {
      await pause('the answer is written')
      await task.execute(pause, { type: 'answered', work })
    })
  }

  // A service's side.

  #line(id: TaskId): Line {
    const taken = async ({ state, progress, attempt, error }: OutboxRow): Promise<Said> => {
      const pause = this.coordinator.pause()
      const word = { ...SILENT, state, progress, attempt, error }
      const decision = await this.#decide(pause, { type: 'report', taskId: id, ...word })
      return decision.kind === 'refused' ? { status: 409, json: { detail: 'no' } } : { status: 200, json: {} }
    }
    const shown = async (): Promise<Said> => {
      const task = this.release.record?.tasks.find((one) => one.id === id)
      return { status: 200, json: { state: task?.state } }
    }
    const answered = async (arrive: () => Promise<Said | null>) => {
      const said = await this.#carry(arrive)
      if (!said) throw new Error('no answer')
      return said
    }
    return {
      report: (row) => answered(() => this.#reached(() => taken(row))),
      read: () => answered(() => this.#reached(shown)),
    }
  }

  async report(pause: Pause, { task, side, id }: Service): Promise<void> {
    await pause('reports')
    await task.deliver(pause, side.name, this.#line(id))
  }

  async command(service: Service, command: TaskCommand): Promise<void> {
    await this.#living(() => service.task.execute(service.side.pause(), command))
  }

  /** Takes the task if it is due and free, and works on it to the end that the plan says. */
  async work(pause: Pause, service: Service, name: (typeof WORKERS)[number]): Promise<void> {
    await pause('looks for work')
    const owner = `${service.side.name} ${name}`
    const claim = { type: 'claim', owner, version: '1', leaseMs: LEASE_MS, goneOwner: null } as const
    if (service.task.record?.lease?.owner === owner && service.task.record.lease.expiresAt > this.clock.now)
      return
    const { decision, record } = await service.task.execute(pause, claim)
    if (decision.kind !== 'next' || record?.lease?.owner !== owner || !record.work) return
    await this.#perform(pause, service, record)
    this.seen.add(`worker ${name} worked`)
  }

  async #perform(pause: Pause, service: Service, { attempt, work }: TaskRecord): Promise<void> {
    const { end, stands } = service.shifts.shift() ?? { end: 'done', stands: false }
    await pause(`works on attempt ${attempt}`)
    await service.task.execute(pause, { type: 'progress', attempt, percent: 50, message: null })
    if (stands) this.clock.now += LEASE_MS + 1
    await pause(`finishes attempt ${attempt}`)
    if (end === 'left alone') return
    const isGood = end === 'done' && this.#finish(service, attempt, work)
    await pause(`says what came of attempt ${attempt}`)
    const error = { message: 'no luck', stack: '' }
    const word: TaskCommand = isGood
      ? { type: 'succeeded', attempt, result: {} }
      : { type: 'failed', attempt, error, permanent: end === 'permanent' }
    await service.task.execute(pause, word)
  }

  /** `publish` checks its attempt right before the switch (WK-14). @returns false where it is fenced off */
  #finish(service: Service, attempt: number, work: Work | null): boolean {
    const { record } = service.task
    const isMine = record?.attempt === attempt && record.lease !== null && record.work === work
    if (work === 'publish' && !isMine) return false
    if (work === 'publish') this.#switch(service)
    if (work === 'discard' && isMine) service.isPublic = false
    return true
  }
}

/** Nobody takes a task from one who holds it (WK-1, WK-3). */
function checkFree({ gone }: TaskWorld, { lease }: TaskRecord, owner: string, now: number): void {
  const isFree = !lease || lease.expiresAt <= now || lease.owner === owner || gone.has(lease.owner)
  assert.ok(isFree, `${owner} takes the task that ${lease?.owner} holds`)
}

function codeOf(decision: { kind: string; code?: string }): string {
  return decision.code ?? decision.kind
}
