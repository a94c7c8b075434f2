import type { Report, TaskAnswer } from '@release-task/protocol'
import type { Release, Study } from '../author-types.ts'
import type { TaskDefinition } from '../define.ts'
import type { eventView, TaskView } from '../views.ts'
import type { FakeCoordinator } from './fake-coordinator.ts'
import type { Moment, WorkMoment } from './moments.ts'
import type { LogLine } from './watched-task.ts'

/** An event of the task's history. */
export type EventView = ReturnType<typeof eventView>

export interface TestOptions {
  /** The studies of the release: their ids, or what the coordinator shows of them. `SD_00000001` where none are given. */
  readonly studies?: readonly (string | (Partial<Study> & Pick<Study, 'kf_id'>))[]
  /** What the coordinator shows of the release, where it is to be something else than usual. */
  readonly release?: Partial<Release>
  /** Settings of the service and of your task; in `process.env` until `close`. undefined: not set. */
  readonly env?: { readonly [name: string]: string | undefined }
  /** In [0, 1]: how much of every delay with jitter is waited. 1, the whole of it, where it is not given. */
  readonly random?: () => number
  /** When the test begins, by its own clock. */
  readonly now?: Date
}

/**
 * A task service in this process, with one task of one release: the real protocol, database, worker and reporter,
 * with a coordinator and a clock of the test. Nothing happens by itself: `settle`, `advance`, `until` and `runTo` run it.
 */
export interface TaskKit extends AsyncDisposable {
  readonly coordinator: FakeCoordinator
  /** What the coordinator was told, in order. */
  readonly reports: readonly Report[]
  /** The states among the reports, in order. */
  readonly reportedStates: readonly string[]
  /** What your code wrote with `task.log`, in order, over all restarts. */
  readonly logged: readonly LogLine[]
  /** Every moment that was passed, in order: where a process could have died. */
  readonly moments: readonly Moment[]
  /** The time by the test's clock. It moves with `advance` and `runTo` only. */
  readonly now: Date
  /** Whether a process of the service runs. */
  readonly isAlive: boolean
  /** How often it was killed so far. */
  readonly kills: number

  /** The task, as `GET /tasks/:id` shows it. @throws Error where it was never initialized */
  task(): Promise<TaskView>
  /** Its history, as `GET /tasks/:id/events` shows it. */
  events(): Promise<EventView[]>

  /** The coordinator's actions. @throws ActionRefused, and NoAnswer where the service is dead or dies before its answer */
  initialize(): Promise<TaskAnswer>
  start(): Promise<TaskAnswer>
  publish(): Promise<TaskAnswer>
  cancel(): Promise<TaskAnswer>
  /** What a person may do. @throws ActionRefused, NoAnswer */
  retry(): Promise<TaskView>
  giveUp(): Promise<TaskView>

  /** Runs everything that is due now to its end: your code, its reports, the next phase that follows from it. */
  settle(): Promise<void>
  /** Moves the clock. What becomes due on the way runs at its time, in order, before the clock moves on. */
  advance(ms: number): Promise<void>
  /**
   * Runs what is due up to a moment, and holds your code there, until `settle`, `until`, `runTo`, `shutDown` or a kill.
   * @throws Error where that moment does not come
   */
  until(moment: WorkMoment): Promise<void>
  /**
   * Does what a coordinator does until it knows that the task is staged or published: sends the actions, again where
   * their answer was lost, starts a process that was killed, and lets up to an hour pass.
   * @throws Error where the task ends otherwise, or takes longer
   */
  runTo(end: 'staged' | 'published'): Promise<void>

  /** Kills the process, as kill -9 does. */
  kill(): Promise<void>
  /** Kills it the next time that it passes a moment; a number: at the nth moment since the kit was opened, whatever that is. */
  killAt(moment: Moment | number): void
  /** Tells running work to stop, as a deployment does, waits for it, and ends the process. It costs no attempt. */
  shutDown(): Promise<void>
  /**
   * Another process takes over the task that is held, and does its work, while this one stands still: as on a machine
   * that is suspended until its lease has run out. The next `settle` lets the first one go on, which holds no task then.
   * @throws Error where nothing is held
   */
  takeOver(): Promise<void>
  /**
   * Starts a process on what is stored, after a kill where one runs still.
   * @param task another version of it
   * @throws Error where a kill that was asked for with `killAt` has not come about
   */
  restart(task?: TaskDefinition): Promise<void>
  /** Ends everything, and gives `process.env` back as it was. */
  close(): Promise<void>
}

/** The service does not do what it was told: the state of the task does not allow it. */
export class ActionRefused extends Error {
  override readonly name = 'ActionRefused'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The service is dead, or died before it answered. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'

  constructor(action: string) {
    super(`No answer to ${action}: the process is dead; restart() starts another`)
  }
}
