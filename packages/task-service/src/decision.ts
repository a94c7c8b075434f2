import type { ActionRequest, Backoff, CoordinatorTaskState, TaskState } from '@release-task/protocol'
import type { Json, StageResult } from './define.ts'
import type { TaskRecord, Work } from './record.ts'

/** What happens to a task: an action of the coordinator, a word of a worker, of a person, of the coordinator's state. */
export type Command =
  | { readonly type: 'action'; readonly request: ActionRequest; readonly version: string }
  /** The answer to `start` or `publish` has been written (WK-6). */
  | { readonly type: 'answered'; readonly work: Work }
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
  | { readonly type: 'coordinator_shows'; readonly state: CoordinatorShows }
  | {
      readonly type: 'report_refused'
      readonly status: number
      readonly state: TaskState | null
      readonly text: string
    }

/** What the coordinator says of a task: its state, that it has none such, or nothing that can be believed (WK-20). */
export type CoordinatorShows = CoordinatorTaskState | 'missing' | 'unclear'

/** Words of the worker that holds the lease: each carries its attempt (WK-2). */
export type WorkerCommand =
  /** The request carried no studies, and the release told them (SV-7): every later phase works on the same ones. */
  | { readonly type: 'studies'; readonly attempt: number; readonly studies: readonly string[] }
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
  | {
      readonly type: 'succeeded'
      readonly attempt: number
      readonly result: StageResult
      /** What the author's code said last, where that is not stored yet. */
      readonly message?: string
    }
  | {
      readonly type: 'failed'
      readonly attempt: number
      readonly error: { readonly message: string; readonly stack: string }
      readonly permanent: boolean
    }
  /** The worker stops for a shutdown: costs no attempt (WK-10). */
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
  | {
      readonly type: 'report'
      readonly state: TaskState | null
      readonly progress: number | null
      /** Of the work that it is about (N-14). */
      readonly attempt: number
      /** Why that attempt failed, where there will be another. */
      readonly error?: string
    }
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
  | {
      readonly kind: 'unchanged'
      readonly answer: Answer
      /** An event to keep, although the task stays as it is. */
      readonly effects?: readonly Effect[]
    }
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
  /** In [0, 1): how much of a delay is waited. */
  readonly random: number
  readonly policy: Policy
}

/** The numbers of "failing forward" (WK-8, WK-20). */
export interface Policy {
  readonly retry: Backoff
  readonly stageRetryForMs: number
  readonly forgottenAfterMs: number
}

/** 1 s, then doubled up to 2 min (WK-8). */
export const RETRY: Backoff = { firstMs: 1000, maxMs: 2 * 60 * 1000 }
