import type { ActionRequest, CoordinatorTaskState, TaskState } from '@release-task/protocol'
import type { Json, StageResult } from './define.ts'
import type { TaskRecord, Work } from './record.ts'

/** What happens to a task: an action of the coordinator, a word of a worker, of a person, of the coordinator's state. */
export type Command =
  | { readonly type: 'action'; readonly request: ActionRequest; readonly version: string }
  | { readonly type: 'answered' }
  | {
      readonly type: 'claim'
      readonly owner: string
      readonly version: string
      readonly leaseMs: number
      /** A lease holder that is certainly dead, so that its lease need not run out. */
      readonly goneOwner: string | null
    }
  | WorkerCommand
  | { readonly type: 'retry' }
  | { readonly type: 'give_up' }
  | { readonly type: 'coordinator_shows'; readonly state: CoordinatorTaskState | 'missing' | null }

/** Words of the worker that holds the lease: each carries its attempt. */
export type WorkerCommand =
  | {
      readonly type: 'progress'
      readonly attempt: number
      readonly percent: number
      readonly message: string | null
    }
  | {
      readonly type: 'step'
      readonly attempt: number
      readonly version: string
      readonly name: string
      readonly result: Json
    }
  | { readonly type: 'succeeded'; readonly attempt: number; readonly result: StageResult }
  | {
      readonly type: 'failed'
      readonly attempt: number
      readonly error: { readonly message: string; readonly stack: string }
      readonly permanent: boolean
    }
  /** The worker stops for a shutdown: costs no attempt. */
  | { readonly type: 'released'; readonly attempt: number }

export type EventLevel = 'info' | 'warning' | 'error'

/** What else is stored or done together with a change. */
export type Effect =
  | {
      readonly type: 'event'
      readonly level: EventLevel
      readonly event: string
      readonly message: string
      readonly data?: Json
    }
  | { readonly type: 'report'; readonly state: TaskState | null; readonly progress: number | null }
  /** What waits to be reported is overtaken: the coordinator knows better. */
  | { readonly type: 'withdraw_report' }
  | {
      readonly type: 'save_step'
      readonly version: string
      readonly work: Work
      readonly name: string
      readonly result: Json
      readonly attempt: number
    }
  /** Somebody should look at the task, after a delay. */
  | { readonly type: 'wake'; readonly delayMs: number }
  /** The same, but only once the answer to the action has been written (WK-6). */
  | { readonly type: 'wake_after_answer' }
  /** Whoever works on the task must look at its record at once. */
  | { readonly type: 'notify' }

export interface Answer {
  readonly code: 200 | 400 | 404
  readonly state: TaskState | null
}

export type Refusal =
  'ACTION_NOT_LEGAL' | 'RELEASE_MISMATCH' | 'TASK_NOT_FOUND' | 'PERSON_NOT_NEEDED' | 'LATE_REPORT'

export type Decision =
  | {
      readonly kind: 'next'
      readonly next: TaskRecord
      readonly effects: readonly Effect[]
      readonly answer: Answer
    }
  | { readonly kind: 'unchanged'; readonly answer: Answer }
  | {
      readonly kind: 'refused'
      readonly code: Refusal
      readonly message: string
      /** Kept even though nothing else changes. */
      readonly effects: readonly Effect[]
      /** A record to store in spite of the refusal: the tombstone. */
      readonly next?: TaskRecord
      readonly answer: Answer
    }

/** What a decision may know besides the record and the command. */
export interface Moment {
  /** Epoch ms, by the database's clock. */
  readonly now: number
  /** In [0, 1). */
  readonly random: number
  readonly policy: Policy
}

/** The numbers of "failing forward" (WK-8, WK-20). All milliseconds. */
export interface Policy {
  readonly stageRetryForMs: number
  readonly forgottenAfterMs: number
}
