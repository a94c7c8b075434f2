import { ownIdentity, type Database } from '@release-task/database'
import type { Logger } from '@release-task/http'
import type { TaskServiceConfig } from '../config.ts'
import { RETRY, type Policy } from '../decision.ts'
import type { TaskDefinition } from '../define.ts'
import { createExecute, type Execute } from '../execute.ts'
import { Outbox } from '../outbox.ts'
import { TaskStore } from '../store.ts'
import type { Sweeper } from '../sweeper.ts'
import type { TaskWorker } from '../worker.ts'
import { clientOf } from './coordinator-line.ts'
import type { CoordinatorInProcess } from './fake-coordinator.ts'
import { createFence, fencedDatabase, type Fence } from './fenced.ts'
import { never, type Moment, type Moments } from './moments.ts'
import { openPlace } from './place.ts'
import { deliverDue } from './report-delivery.ts'
import { createSweeper, createWorker } from './rooms.ts'
import type { Host, LogLine } from './watched-task.ts'
import { WorkQueue } from './work-queue.ts'

/** What outlives a process. */
export interface World {
  readonly database: Database
  readonly config: TaskServiceConfig
  readonly coordinator: CoordinatorInProcess
  readonly moments: Moments
  readonly logged: LogLine[]
  readonly random: () => number
  /** Something has ended, or is held: whoever waits looks again. */
  readonly changed: () => void
  readonly log: Logger
}

export const policyOf = (config: TaskServiceConfig): Policy => ({
  retry: RETRY,
  stageRetryForMs: config.stageRetryFor,
  forgottenAfterMs: config.forgottenAfter,
})

/** Lets what is stored in this turn of the event loop be stored. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** One process of the service, from its start to its death. It works only when it is asked to look. */
export class Life implements Host {
  readonly task: TaskDefinition
  readonly owner: string
  readonly logged: LogLine[]
  readonly execute: Execute
  readonly #world: World
  readonly #outbox: Outbox
  readonly #queue: WorkQueue
  readonly #sweeper: Sweeper
  readonly #worker: TaskWorker
  readonly #fence: Fence
  readonly #death = Promise.withResolvers<never>()
  readonly #signal = new AbortController()
  #paused: PromiseWithResolvers<void> | null = null
  #isEnding = false
  #isDead = false
  #delivering: Promise<void> = Promise.resolve()

  /** @throws TaskServiceError where the release folder is not the service's own */
  static async start(task: TaskDefinition, world: World, nth: number): Promise<Life> {
    const life = new Life(task, world, nth)
    await openPlace(task, fencedDatabase(world.database, life.#fence))
    return life
  }

  private constructor(task: TaskDefinition, world: World, nth: number) {
    this.task = task
    this.owner = ownerName(nth)
    this.logged = world.logged
    this.#world = world
    this.#death.promise.catch(() => undefined)
    this.#fence = createFence(() => this.#isDead)
    const database = fencedDatabase(world.database, this.#fence)
    const store = new TaskStore(database)
    this.#outbox = new Outbox(database, { owner: this.owner, claimMs: world.config.lease })
    this.#queue = new WorkQueue(world.changed)
    this.execute = createExecute({
      store,
      recent: null,
      queue: this.#queue,
      policy: policyOf(world.config),
      random: world.random,
      // What is due is sent when somebody looks.
      reportsChanged: () => undefined,
      refusedLate: () => undefined,
      log: world.log,
    })
    const rooms = { store, database, execute: this.execute, owner: this.owner, config: world.config }
    const ends = { death: this.#death.promise, signal: this.#signal.signal }
    const client = clientOf(world.coordinator, this.#fence, this)
    this.#worker = createWorker({ ...rooms, ...ends, task, host: this, client, log: world.log })
    this.#sweeper = createSweeper({ ...rooms, client, queue: this.#queue, log: world.log })
    this.#queue.subscribe((id) => void this.#worker.look(id))
    this.#queue.consume((id) => this.#worker.handle(id), world.config.concurrency)
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Whether code of the author's runs in it. */
  get isBusy(): boolean {
    return !this.#isDead && this.#queue.running > 0
  }

  /** The same, and nothing keeps it from going on. */
  get isRunning(): boolean {
    return this.isBusy && this.#paused === null
  }

  isEnding(): boolean {
    return this.#isEnding
  }

  /** Begins the work that is due, asks after what may be forgotten, sends the reports that are due. */
  async look(): Promise<void> {
    const looked = this.#sweeper
      .wakeDue()
      .then(() => this.#sweeper.checkForgotten())
      .then(() => this.deliver())
    await this.orEnd(looked)
  }

  /** One after the other, so that the order of reports is the order of words. */
  deliver(): Promise<void> {
    const { coordinator, random, log } = this.#world
    const client = clientOf(coordinator, this.#fence, this)
    const deps = { outbox: this.#outbox, coordinator: client, execute: this.execute, random, log }
    this.#delivering = this.#delivering.then(() => deliverDue(deps))
    return this.#delivering
  }

  /** Resolves also where the process dies before. */
  async orEnd(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#death.promise.catch(() => undefined)])
  }

  async pass(moment: Moment): Promise<void> {
    await this.free()
    if (this.passNow(moment)) {
      await this.end()
      return never()
    }
    await this.free()
  }

  passNow(moment: Moment): boolean {
    if (this.#isEnding) return false
    this.#isEnding = this.#world.moments.pass(moment)
    if (this.#world.moments.isHeld) this.#world.changed()
    return this.#isEnding
  }

  async free(): Promise<void> {
    await this.#world.moments.free()
    await this.#paused?.promise
    if (this.#isEnding) await never()
  }

  /** The end of the process, as by kill -9: nothing that it says or asks from now on is heard. */
  async end(): Promise<void> {
    if (this.#isDead) return
    this.#isEnding = this.#isDead = true
    this.#queue.end()
    this.#death.reject(new Error('the process was killed'))
    this.#signal.abort('killed')
    // What was on its way to the disk arrives there before anything else happens.
    await turn()
    this.#world.changed()
  }

  /** Holds its code wherever that waits, as on a machine that is suspended. */
  pause(): void {
    this.#paused = Promise.withResolvers()
  }

  resume(): void {
    this.#paused?.resolve()
    this.#paused = null
  }

  /** Tells the work to stop, as a shutdown does, and takes nothing more. */
  shutDown(): void {
    this.#worker.shutDown()
  }
}

/** A name by which the process is known to be dead: the next one need not wait for its lease to run out (WK-3). */
function ownerName(nth: number): string {
  const [host, pid] = ownIdentity().split('|')
  return [host, pid, 'kit', nth].join('|')
}
