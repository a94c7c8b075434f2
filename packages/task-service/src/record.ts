import type { ReleaseId, TaskId, TaskState } from '@release-task/protocol'
import type { Json } from './define.ts'

/** The three things a worker does for a task; each is one function of its author. */
export const WORKS = ['stage', 'publish', 'discard'] as const
export type Work = (typeof WORKS)[number]

/** Whether what was prepared has been undone: `none`, the author's code never ran. */
export type Cleanup = 'none' | 'pending' | 'done' | 'given_up'

/** Who works on a task now. `work` may differ from the record's: a cancel came, and the worker has not stopped yet. */
export interface Lease {
  readonly owner: string
  readonly work: Work
  /** Epoch ms by the database's clock. */
  readonly expiresAt: number
}

export interface WorkError {
  readonly message: string
  readonly stack: string
  /** Epoch ms. */
  readonly at: number
}

/** Everything that is known of a task. All times are epoch milliseconds. */
export interface TaskRecord {
  readonly id: TaskId
  readonly revision: number
  readonly releaseId: ReleaseId
  /** null: the request carried none, the release knows. */
  readonly studies: readonly string[] | null
  readonly state: TaskState
  /** Known only from a cancel that came before its initialize. */
  readonly tombstone: boolean
  /** As the author's code said last. */
  readonly progress: number
  /** The highest so far in this phase: only more than that counts as progress. */
  readonly bestProgress: number
  readonly message: string | null
  readonly summary: { readonly [key: string]: Json } | null
  readonly staged: Json
  /** What is to be done next, or being done; null: nothing. */
  readonly work: Work | null
  readonly dueAt: number | null
  /** The answer to the action that caused the work may not have been written yet (WK-6). */
  readonly held: boolean
  /** Counts claims; every write of a worker carries it. */
  readonly attempt: number
  /** Counts claims of the present work only, for people: 1 unless something went wrong. */
  readonly workAttempt: number
  readonly lease: Lease | null
  /** Failures of this work in a row. */
  readonly failures: number
  /** Workers that died in this work in a row. */
  readonly crashes: number
  readonly lastError: WorkError | null
  /** When the present state or work began. */
  readonly since: number
  readonly lastProgressAt: number
  readonly needsAttention: boolean
  /** The state from which it was canceled or failed. */
  readonly endedFrom: TaskState | null
  readonly cancelRequestedAt: number | null
  /** When the work that was running had stopped. */
  readonly cancelAcknowledgedAt: number | null
  readonly cleanup: Cleanup
  readonly cleanupEndedAt: number | null
  /** Since when the coordinator says that it does not know this task. */
  readonly missingSince: number | null
  /** When to ask the coordinator whether it still knows this task. */
  readonly checkDueAt: number | null
  readonly initializedVersion: string | null
  readonly ranVersion: string | null
  readonly createdAt: number
  readonly updatedAt: number
}
