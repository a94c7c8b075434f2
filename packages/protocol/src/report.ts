import { z } from 'zod'
import { COORDINATOR_TASK_STATES, type CoordinatorTaskState } from './release-state.ts'
import type { TaskState } from './task-state.ts'

/** What a task service answers to an action, with the names of every generation of readers (SV-11). */
export const taskAnswerSchema = z.object({
  name: z.string(),
  kf_id: z.string(),
  task_id: z.string(),
  release_id: z.string(),
  state: z.string(),
  progress: z.int().min(0).max(100),
  date_submitted: z.string(),
})
export type TaskAnswer = z.output<typeof taskAnswerSchema>

/** The answer of `GET /status` (SV-1). */
export const statusAnswerSchema = z.object({ name: z.string(), message: z.string(), version: z.string() })

/** The body of `PATCH /tasks/:id` at the coordinator, as this project sends it (docs/protocol.md, section 6). */
export interface Report {
  readonly state?: TaskState
  /** An integer from 0 to 100 (N-13). */
  readonly progress?: number
  /** One line for people; the original ignores it, as it does `summary`. */
  readonly message?: string
  /** Small JSON for whoever decides to publish (WK-4). */
  readonly summary?: unknown
  /** How often the present phase of the task has been begun: 1 unless something went wrong (N-14). */
  readonly attempt?: number
  /** Why that attempt failed, where there will be another. */
  readonly error?: string
}

const DECIMAL_PROGRESS = /^[+-]?\d+(\.\d+)?\s*%?$/

/**
 * Progress as services send it: a number, `"50"`, `"50%"`, `"37.5%"`. Held within 0..100 and cut to an integer;
 * null for what is not a number: it must not reset what is known (RC-13, F-37).
 */
export function parseProgress(value: unknown): number | null {
  const number = typeof value === 'string' ? decimal(value.trim()) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return null
  return Math.min(100, Math.max(0, Math.trunc(number)))
}

/** `Number` alone would also read "0x10", "1e2" and an empty text. */
function decimal(text: string): number {
  return DECIMAL_PROGRESS.test(text) ? Number.parseFloat(text) : Number.NaN
}

/** Spellings of existing services, and what they mean (RC-13). */
const SYNONYMS: { readonly [word: string]: CoordinatorTaskState } = {
  pending: 'initialized',
  cancelled: 'canceled',
  cancelling: 'canceled',
}

/** The state that a service's word stands for, or null for a word that means nothing (RC-13, F-77, F-87). */
export function parseServiceState(word: unknown): CoordinatorTaskState | null {
  if (typeof word !== 'string') return null
  const known = COORDINATOR_TASK_STATES.find((state) => state === word)
  return known ?? (Object.hasOwn(SYNONYMS, word) ? (SYNONYMS[word] ?? null) : null)
}
