import type { Answer } from '@release-task/http'
import { backoffDelay, parseServiceState, retryAfterMs, taskProgressRank } from '@release-task/protocol'
import type { CoordinatorShows } from './decision.ts'
import type { OutboxRow, Reschedule } from './outbox.ts'

const BACKOFF = { firstMs: 1000, maxMs: 30 * 1000 } // 1 s doubling to 30 s
const REFUSED_DELAY_MS = 60 * 1000 // 1 min between tries without a good token (N-8)
const CONFIRM_DELAYS_MS = [1000, 5000, 30 * 1000, 5 * 60 * 1000] // 1 s, 5 s, 30 s, 5 min (N-7)
const LAST_CONFIRM_MS = 15 * 60 * 1000 // then every 15 min
const MOST_REPEAT_DELAY_MS = 60 * 1000 // 1 min between reports that the coordinator overwrites again and again
const KEEP_UNKNOWN_MS = 24 * 60 * 60 * 1000 // 24 h for the end of a task that the coordinator does not know

/** What a try leads to. `read`: the task must be read before anything else is decided. */
export type Step =
  | { readonly kind: 'again'; readonly to: Reschedule }
  | { readonly kind: 'done' }
  | { readonly kind: 'read' }
  /** The coordinator ended or lost the task: a command for `decide`, and the row waits on. */
  | { readonly kind: 'tell'; readonly shows: CoordinatorShows; readonly to: Reschedule }

export interface Chance {
  readonly now: number
  readonly random: number
}

/** Only the coordinator's own words mean "unknown task"; a gateway's page proves nothing (N-12, WK-20). */
export function shownBy(answer: Answer): CoordinatorShows {
  const body = answer.json as { detail?: unknown; state?: unknown } | null | undefined
  if (answer.status === 404) return body?.detail === 'Not found.' ? 'missing' : 'unclear'
  return (answer.status === 200 && parseServiceState(body?.state)) || 'unclear'
}

/**
 * Whether an answer says that no report like this one will ever be taken, or none until a token is mended. The
 * coordinator says why in JSON; a page is a gateway's, and says nothing of the report (N-12).
 */
export function isRefusal({ status, json }: Answer): boolean {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  return isObject && (status === 400 || status === 401 || status === 403)
}

/** After the answer to a PATCH; null where none came (N-1, N-5, N-8 to N-12). */
export function afterReport(row: OutboxRow, answer: Answer | null, error: string, chance: Chance): Step {
  if (answer === null) return again(row, error, chance)
  const { status } = answer
  if (status >= 200 && status < 300) return row.state === null ? { kind: 'done' } : confirm(row, 0)
  if (status === 409 || status === 500) return { kind: 'read' }
  if (isRefusal(answer))
    return status === 400
      ? { kind: 'again', to: parked(row, 'refused', error) }
      : sendIn(row, REFUSED_DELAY_MS, error)
  if (shownBy(answer) === 'missing') return unknown(row, chance)
  return again(row, error, chance, retryAfterMs(answer.retryAfter, chance.now))
}

/** After reading the task: because a report was answered oddly, or long after it was taken (N-1, N-2, N-7, N-9). */
export function afterReading(row: OutboxRow, shows: CoordinatorShows, error: string, chance: Chance): Step {
  if (shows === 'unclear') return again(row, error, chance)
  if (shows === 'missing') return unknown(row, chance)
  if (row.state !== null && shows === row.state)
    return confirm(row, row.phase === 'confirm' ? row.confirmStep + 1 : 0)
  if (shows === 'canceled' || shows === 'failed' || shows === 'rejected')
    return isEnd(row) ? { kind: 'done' } : { kind: 'tell', shows, to: parked(row, row.phase, error) }
  if (row.state === null) return { kind: 'done' }
  if (!isBehind(row, shows)) return isEnd(row) ? { kind: 'done' } : confirm(row, row.confirmStep + 1)
  return afterEarlier(row, shows, error, chance)
}

function afterEarlier(row: OutboxRow, shows: CoordinatorShows, error: string, chance: Chance): Step {
  if (row.phase === 'send') return again(row, error, chance)
  // What the coordinator calls wrong does not become right by being said again (N-11).
  if (row.phase === 'refused') return { kind: 'again', to: parked(row, 'refused', row.lastError ?? error) }
  // It took the report once, and shows an earlier state now: its own save overwrote ours. Say it again (N-2).
  return sendIn(row, repeatDelayMs(row, chance), `the coordinator shows ${shows}`)
}

const isEnd = (row: OutboxRow) => row.state === 'published' || row.state === 'failed'

/** Whether what the coordinator shows comes before what is reported. A published task does not fail any more. */
function isBehind(row: OutboxRow, shows: Exclude<CoordinatorShows, 'missing' | 'unclear'>): boolean {
  if (row.state === null || shows === 'published') return false
  return row.state === 'failed' || taskProgressRank(shows) < taskProgressRank(row.state)
}

/** At once for a report that is young; rarer and rarer against a coordinator that never keeps it. */
function repeatDelayMs(row: OutboxRow, { now }: Chance): number {
  return Math.min(MOST_REPEAT_DELAY_MS, Math.max(0, now - row.createdAt) / 10)
}

/** The coordinator has no such task: the sender stops, and looks again from time to time (N-5). */
function unknown(row: OutboxRow, { now }: Chance): Step {
  const error = 'the coordinator does not know this task'
  if (isEnd(row) && now - row.createdAt > KEEP_UNKNOWN_MS) return { kind: 'done' }
  return { kind: 'tell', shows: 'missing', to: parked(row, 'missing', error) }
}

/** The end of a task needs no more than the last of the growing delays; before, it is read until the next report. */
function confirm(row: OutboxRow, step: number): Step {
  const last = step >= CONFIRM_DELAYS_MS.length
  if (last && isEnd(row)) return { kind: 'done' }
  const delayMs = CONFIRM_DELAYS_MS[step] ?? LAST_CONFIRM_MS
  return { kind: 'again', to: { phase: 'confirm', delayMs, failures: 0, confirmStep: step, lastError: null } }
}

/** The same once more, after a growing delay (N-1). */
function again(row: OutboxRow, error: string, { random }: Chance, atLeastMs: number | null = null): Step {
  const { phase, confirmStep } = row
  const failures = row.failures + 1
  const delayMs = Math.max(atLeastMs ?? 0, backoffDelay(BACKOFF, failures, random))
  return { kind: 'again', to: { phase, confirmStep, delayMs, failures, lastError: error } }
}

function sendIn(row: OutboxRow, delayMs: number, error: string): Step {
  const failures = row.failures + 1
  return { kind: 'again', to: { phase: 'send', delayMs, failures, confirmStep: 0, lastError: error } }
}

/** Kept without being sent: whoever mends the coordinator finds the report still here. */
function parked(row: OutboxRow, phase: Reschedule['phase'], error: string): Reschedule {
  const { confirmStep } = row
  return { phase, confirmStep, delayMs: LAST_CONFIRM_MS, failures: row.failures + 1, lastError: error }
}
