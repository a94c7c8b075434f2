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

/** The body of `PATCH /tasks/:id` at the coordinator, as this project sends it (N-1). */
export interface Report {
  readonly state?: TaskState
  readonly progress?: number
  /** One line for people; the original ignores it, as it does `summary`. */
  readonly message?: string
  readonly summary?: unknown
}

/**
 * Progress as services send it: a number, `"50"`, `"50%"`, `"37.5%"`. Clamped to 0..100 and truncated;
 * null for what is not a number (F-37: it must not reset what is known).
 */
export function parseProgress(value: unknown): number | null {
  const text = typeof value === 'string' ? value.trim().replace(/%$/, '') : value
  if (text === '' || (typeof text !== 'string' && typeof text !== 'number')) return null
  const number = Number(text)
  if (!Number.isFinite(number)) return null
  return Math.min(100, Math.max(0, Math.trunc(number)))
}

/** Spellings of older services, and what they mean. */
const SYNONYMS: { readonly [word: string]: CoordinatorTaskState } = {
  pending: 'initialized',
  cancelled: 'canceled',
  cancelling: 'canceled',
  canceling: 'canceled',
}

/** The state that a service's word stands for, or null for a word that means nothing (F-77, F-87). */
export function parseServiceState(word: unknown): CoordinatorTaskState | null {
  if (typeof word !== 'string') return null
  const known = COORDINATOR_TASK_STATES.find((state) => state === word)
  return known ?? (Object.hasOwn(SYNONYMS, word) ? (SYNONYMS[word] ?? null) : null)
}
