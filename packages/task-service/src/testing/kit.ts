import type { Report, TaskAnswer } from '@release-task/protocol'
import type { TaskDefinition } from '../define.ts'
import { Outbox } from '../outbox.ts'
import type { TaskRecord } from '../record.ts'
import { TaskStore } from '../store.ts'
import { eventView, taskView, type TaskView } from '../views.ts'
import { act, executed, type Subject } from './actions.ts'
import type { FakeCoordinator } from './fake-coordinator.ts'
import { policyOf, type World } from './life.ts'
import type { Moment, WorkMoment } from './moments.ts'
import { Processes } from './processes.ts'
import { runTo } from './run-to.ts'
import { Schedule } from './schedule.ts'
import type { EventView, TaskKit } from './task-kit.ts'
import type { LogLine } from './watched-task.ts'

const SHOWN_MOMENTS = 12

export interface KitParts {
  readonly task: TaskDefinition
  readonly world: World
  readonly subject: Subject
  readonly clock: { now: number }
  /** Resolves when something has changed. */
  readonly change: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Hands to each part what it is asked. */
export class Kit implements TaskKit {
  readonly schedule: Schedule
  readonly processes: Processes
  readonly #parts: KitParts
  readonly #store: TaskStore
  readonly #outbox: Outbox
  #closing: Promise<void> | null = null

  constructor(parts: KitParts) {
    const { world, clock, change } = parts
    this.#parts = parts
    this.#store = new TaskStore(world.database)
    this.#outbox = new Outbox(world.database, { owner: 'the test', claimMs: 0 })
    this.processes = new Processes(parts.task, world)
    this.schedule = new Schedule({
      clock,
      change,
      processes: this.processes,
      moments: world.moments,
      outbox: this.#outbox,
      record: () => this.record(),
    })
  }

  get coordinator(): FakeCoordinator {
    return this.#parts.world.coordinator
  }

  get reports(): readonly Report[] {
    return this.coordinator.reports
  }

  get reportedStates(): readonly string[] {
    return this.reports.flatMap(({ state }) => state ?? [])
  }

  get logged(): readonly LogLine[] {
    return this.#parts.world.logged
  }

  get moments(): readonly Moment[] {
    return this.#parts.world.moments.passed
  }

  get now(): Date {
    return new Date(this.#parts.clock.now)
  }

  get isAlive(): boolean {
    return this.processes.isAlive
  }

  get kills(): number {
    return this.processes.kills
  }

  async task(): Promise<TaskView> {
    const record = await this.record()
    if (!record) throw new Error('There is no task: initialize() it first')
    return this.#view(record)
  }

  async events(): Promise<EventView[]> {
    return (await this.#store.newestEvents(this.#parts.subject.taskId)).map(eventView)
  }

  initialize(): Promise<TaskAnswer> {
    return this.#act('initialize')
  }

  start(): Promise<TaskAnswer> {
    return this.#act('start')
  }

  publish(): Promise<TaskAnswer> {
    return this.#act('publish')
  }

  cancel(): Promise<TaskAnswer> {
    return this.#act('cancel')
  }

  retry(): Promise<TaskView> {
    return this.#ask('retry')
  }

  giveUp(): Promise<TaskView> {
    return this.#ask('give_up')
  }

  settle(): Promise<void> {
    this.processes.release()
    return this.schedule.runDue()
  }

  advance(ms: number): Promise<void> {
    return this.schedule.advance(ms)
  }

  async until(moment: WorkMoment): Promise<void> {
    const { moments } = this.#parts.world
    this.processes.release()
    moments.holdAt(moment)
    await this.schedule.runDue()
    if (moments.isHeld) return
    moments.release()
    throw new Error(`"${moment}" did not come; ${this.#lastMoments()}`)
  }

  runTo(end: 'staged' | 'published'): Promise<void> {
    return runTo(this, end)
  }

  kill(): Promise<void> {
    return this.processes.kill()
  }

  killAt(moment: Moment | number): void {
    this.#parts.world.moments.killAt = moment
  }

  shutDown(): Promise<void> {
    return this.processes.shutDown(this.#parts.change)
  }

  async takeOver(): Promise<void> {
    await this.processes.takeOver()
    await this.schedule.runDue()
  }

  async restart(task?: TaskDefinition): Promise<void> {
    const { killAt } = this.#parts.world.moments
    if (killAt !== null) throw new Error(`Nothing was killed at "${killAt}"; ${this.#lastMoments()}`)
    await this.processes.kill()
    await this.processes.begin(task)
  }

  close(): Promise<void> {
    this.#closing ??= this.processes.end().then(this.#parts.close)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The task as it is stored; null: there is none yet. */
  async record(): Promise<TaskRecord | null> {
    const { record } = await this.#store.load(this.#parts.subject.taskId)
    return record?.tombstone ? null : record
  }

  #act(action: 'initialize' | 'start' | 'publish' | 'cancel'): Promise<TaskAnswer> {
    const { subject, world } = this.#parts
    return act(this.processes.current, action, subject, world.coordinator)
  }

  async #ask(type: 'retry' | 'give_up'): Promise<TaskView> {
    const { taskId } = this.#parts.subject
    const { record } = await executed(this.processes.current, type, taskId, { type })
    return record ? this.#view(record) : this.task()
  }

  async #view(record: TaskRecord): Promise<TaskView> {
    const { task, world } = this.#parts
    const report = await this.#outbox.get(record.id)
    return taskView(task.name, record, report, policyOf(world.config))
  }

  #lastMoments(): string {
    return `the last moments were: ${this.moments.slice(-SHOWN_MOMENTS).join(', ') || 'none'}`
  }
}
