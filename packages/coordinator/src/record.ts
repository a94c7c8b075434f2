import type {
  CoordinatorTaskState,
  ReleaseId,
  ReleaseOutcome,
  ReleaseState,
  StudyId,
  TaskId,
  TaskServiceId,
} from '@release-task/protocol'

export const DEADLINES = ['accept', 'silence', 'total'] as const
export type DeadlineName = (typeof DEADLINES)[number]

/**
 * A service's own deadlines, in milliseconds; null: the setting counts (RC-38). `accept`: how long an action may
 * wait to be taken; `silence`: how long a working task may say nothing; `total`: how long running, or publishing, may
 * take.
 */
export type Deadlines = { readonly [name in DeadlineName]: number | null }

export const NO_DEADLINES: Deadlines = { accept: null, silence: null, total: null }

/** A task of a release, as the coordinator knows it. All times are epoch milliseconds. */
export interface CoordinatorTask {
  readonly id: TaskId
  readonly serviceId: TaskServiceId
  readonly state: CoordinatorTaskState
  readonly progress: number
  readonly message: string | null
  readonly summary: unknown
  /** How often the service has begun the present phase; null: it has not said (RC-39). */
  readonly attempt: number | null
  /** Of the last attempt that failed, until the task goes on; of one that has ended, why. */
  readonly lastError: string | null
  readonly needsAttention: boolean
  /** A cancel was or will be sent, and the service has not acknowledged it. */
  readonly cancelPending: boolean
  readonly createdAt: number
  /** When its state began. */
  readonly since: number
  /** The last accepted word of the service. */
  readonly lastActivityAt: number
  /** Those of its service when the release began: a later edit of the service does not change them. */
  readonly deadlines: Deadlines
  /** The deadline for whose end a person was called (RC-17, RC-38). */
  readonly overdue: DeadlineName | null
}

/** A release with its tasks: one record, one revision (RC-1). */
export interface ReleaseRecord {
  readonly id: ReleaseId
  readonly revision: number
  readonly name: string
  readonly description: string
  readonly state: ReleaseState
  readonly version: string
  readonly studies: readonly StudyId[]
  readonly tags: readonly string[]
  readonly author: string
  readonly isMajor: boolean
  readonly createdAt: number
  /** When its state began. */
  readonly since: number
  /** When somebody must look at it again though nothing happened; null: never. */
  readonly dueAt: number | null
  /** How it will end; decided once, with the move to `canceling` (RC-18). */
  readonly outcome: ReleaseOutcome | null
  /** Why it is being stopped. */
  readonly reason: string | null
  /** The state in which it was stopped. */
  readonly stoppedFrom: ReleaseState | null
  /** It publishes for longer than RELEASE_TIMEOUT: only a person ends that (RC-17). */
  readonly needsAttention: boolean
  readonly tasks: readonly CoordinatorTask[]
}
