import type {
  Action,
  CoordinatorTaskState,
  ReleaseId,
  StudyId,
  TaskId,
  TaskServiceId,
} from '@release-task/protocol'
import type { Deadlines, ReleaseRecord } from './record.ts'

/** The fields of a release that its author chooses. */
export interface ReleaseFields {
  readonly name: string
  readonly description: string
  readonly studies: readonly StudyId[]
  readonly tags: readonly string[]
  readonly author: string
  readonly isMajor: boolean
}

/**
 * What a service's answer to an action comes to. `refused` is final: also a deadline that ended; `shown` is the
 * state that the service showed when it was asked afterwards, null where it was not.
 */
export type Outcome =
  | { readonly kind: 'accepted'; readonly state: CoordinatorTaskState | null }
  | { readonly kind: 'refused'; readonly reason: string; readonly shown: CoordinatorTaskState | null }

/** A task that a release begins with. */
export interface NewTask {
  readonly id: TaskId
  readonly serviceId: TaskServiceId
  /** Its service fails the health checks (RC-36). */
  readonly down: boolean
  /** Its service's own; none where it is not given. */
  readonly deadlines?: Deadlines
}

/** What happens to a release. */
export type Command =
  | {
      readonly type: 'create'
      readonly id: ReleaseId
      readonly fields: ReleaseFields
      readonly overlapping: readonly ReleaseId[]
    }
  | { readonly type: 'begin'; readonly tasks: readonly NewTask[] }
  | { readonly type: 'edit'; readonly fields: Partial<ReleaseFields> }
  | { readonly type: 'publish' }
  | { readonly type: 'cancel' }
  | { readonly type: 'answer'; readonly taskId: TaskId; readonly action: Action; readonly outcome: Outcome }
  /** `unconfirmed`: it came without a token, from the service's own address, and the service cannot be asked (AU-10). */
  | ({ readonly type: 'report'; readonly taskId: TaskId; readonly unconfirmed?: boolean } & Word)
  /** `askedAt`: a poll that was asked before the last word of the service is worth nothing. */
  | ({ readonly type: 'poll'; readonly taskId: TaskId; readonly askedAt: number } & Word)
  /** A poll, asked at `askedAt`, was answered that the service does not know the task (RC-16). */
  | { readonly type: 'lost'; readonly taskId: TaskId; readonly askedAt: number; readonly reason: string }
  | { readonly type: 'tick' }

/** What a service says of a task; null: nothing of that. */
export interface Word {
  readonly state: CoordinatorTaskState | null
  readonly progress: number | null
  readonly message: string | null
  readonly summary: unknown
  /** How often it has begun the present phase. */
  readonly attempt: number | null
  /** Why the last attempt failed, where there will be another. */
  readonly error: string | null
}

export type EventType = 'info' | 'warning' | 'error'

export type Effect =
  | {
      readonly type: 'event'
      readonly eventType: EventType
      readonly message: string
      readonly taskId: TaskId | null
      readonly serviceId: TaskServiceId | null
    }
  /** Tell a service; replaces whatever was still to be told to it for this task. */
  | { readonly type: 'send'; readonly taskId: TaskId; readonly action: Action; readonly forMs: number }
  /** The service answered this action. */
  | { readonly type: 'told'; readonly taskId: TaskId; readonly action: Action }
  /** Whatever was still to be told for this task is not told any more. */
  | { readonly type: 'tell_no_more'; readonly taskId: TaskId }
  /** The task is to be asked for its state from now on, or not any more. */
  | { readonly type: 'poll_from'; readonly taskId: TaskId }
  | { readonly type: 'poll_no_more'; readonly taskId: TaskId }
  /** The highest version moves on, if it is still `from`. */
  | { readonly type: 'version'; readonly from: string; readonly to: string }

export type Refusal =
  | { readonly code: 'NOT_FOUND' }
  | { readonly code: 'STATE_CONFLICT'; readonly message: string }
  | { readonly code: 'FIELD_FIXED'; readonly field: string; readonly message: string }

export type Decision =
  | { readonly kind: 'next'; readonly next: ReleaseRecord; readonly effects: readonly Effect[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly effects: readonly Effect[] }

/** What a decision may know besides the record and the command. */
export interface Moment {
  /** Epoch ms, by the database's clock. */
  readonly now: number
  /** The highest version there is; '' before the first release. */
  readonly latestVersion: string
  readonly policy: Policy
}

/** All milliseconds (RC-7, RC-17, RC-20). */
export interface Policy {
  readonly actionDeadlineMs: number
  readonly publishDeadlineMs: number
  readonly taskTimeoutMs: number
  readonly releaseTimeoutMs: number
}
