import type { Answer } from '@release-task/http'
import {
  backoffDelay,
  parseServiceState,
  retryAfterMs,
  taskProgressRank,
  type CoordinatorTaskState,
} from '@release-task/protocol'
import type { OutboxRow, Reschedule } from './outbox.ts'

const BACKOFF = { firstMs: 1000, maxMs: 30 * 1000 } // 1 s doubling to 30 s
const REFUSED_DELAY_MS = 60 * 1000 // 1 min between tries without a good token
const CONFIRM_DELAYS_MS = [1000, 5000, 30 * 1000, 5 * 60 * 1000] // 1 s, 5 s, 30 s, 5 min
const LAST_CONFIRM_MS = 15 * 60 * 1000 // then every 15 min
const KEEP_UNKNOWN_MS = 24 * 60 * 60 * 1000 // 24 h for the end of a task that the coordinator does not know

/** What the coordinator said of a task: its state, that it has none such, or nothing that can be believed. */
export type Shown = { readonly state: CoordinatorTaskState | null } | 'missing' | 'unclear'

/** What a try leads to. `read`: the task must be read before anything else is decided. */
export type Step =
  | { readonly kind: 'again'; readonly to: Reschedule }
  | { readonly kind: 'done' }
  | { readonly kind: 'read' }
  /** The coordinator ended or lost the task: a command for `decide`, and the row waits on. */
  | { readonly kind: 'tell'; readonly state: CoordinatorTaskState | 'missing'; readonly to: Reschedule }

interface Chance {
  readonly now: number
  readonly random: number
}

/** Only the coordinator's own words mean "unknown task"; a gateway's page proves nothing (N-12, WK-20). */
export function shownBy(answer: Answer): Shown {
  const body = answer.json as { detail?: unknown; state?: unknown } | null | undefined
  if (answer.status === 404) return body?.detail === 'Not found.' ? 'missing' : 'unclear'
  if (answer.status !== 200 || typeof body !== 'object' || body === null) return 'unclear'
  return { state: parseServiceState(body.state) }
}

/** After the answer to a PATCH; null where none came (N-1, N-5, N-8 to N-12). */
export function afterReport(row: OutboxRow, answer: Answer | null, error: string, chance: Chance): Step {
  if (answer === null) return again(row, error, chance)
  const { status } = answer
  if (status >= 200 && status < 300) return row.state === null ? { kind: 'done' } : confirm(row, 0)
  if (status === 409 || status === 500) return { kind: 'read' }
  if (status === 401 || status === 403) return later(row, REFUSED_DELAY_MS, error)
  if (shownBy(answer) === 'missing') return unknown(row, chance)
  // Progress that was not taken is not worth a second try: the next one is on its way.
  if (status === 400) return row.state === null ? { kind: 'done' } : { kind: 'again', to: parked(row, error) }
  return again(row, error, chance, retryAfterMs(answer.retryAfter, chance.now))
}

/** After reading the task back (N-2, N-7, N-9). */
export function afterReading(row: OutboxRow, shown: Shown, error: string, chance: Chance): Step {
  if (shown === 'unclear') return again(row, error, chance)
  if (shown === 'missing') return unknown(row, chance)
  const { state } = shown
  if (row.state !== null && state === row.state)
    return confirm(row, row.phase === 'confirm' ? row.confirmStep + 1 : 0)
  if (state === 'canceled' || state === 'failed' || state === 'rejected')
    return isEnd(row) ? { kind: 'done' } : { kind: 'tell', state, to: parked(row, error) }
  if (row.state === null) return { kind: 'done' }
  const behind = row.state === 'failed' || taskProgressRank(state ?? 'waiting') < taskProgressRank(row.state)
  // It took the report once, and shows an earlier state now: its own save overwrote ours. Say it again.
  if (behind && row.phase === 'confirm')
    return later({ ...row, failures: 0 }, 0, `the coordinator shows ${state}`)
  return behind ? again(row, error, chance) : confirm(row, row.confirmStep + 1)
}

const isEnd = (row: OutboxRow) => row.state === 'published' || row.state === 'failed'

function unknown(row: OutboxRow, { now }: Chance): Step {
  const error = 'the coordinator does not know this task'
  if (isEnd(row) && now - row.createdAt > KEEP_UNKNOWN_MS) return { kind: 'done' }
  return { kind: 'tell', state: 'missing', to: parked(row, error) }
}

function confirm(row: OutboxRow, step: number): Step {
  const last = step >= CONFIRM_DELAYS_MS.length
  if (last && isEnd(row)) return { kind: 'done' }
  const delayMs = CONFIRM_DELAYS_MS[step] ?? LAST_CONFIRM_MS
  return { kind: 'again', to: { phase: 'confirm', delayMs, failures: 0, confirmStep: step, lastError: null } }
}

function again(row: OutboxRow, error: string, { random }: Chance, atLeastMs: number | null = null): Step {
  const failures = row.failures + 1
  const delayMs = Math.max(atLeastMs ?? 0, backoffDelay(BACKOFF, failures, random))
  return { kind: 'again', to: { ...same(row), delayMs, failures, lastError: error } }
}

function later(row: OutboxRow, delayMs: number, error: string): Step {
  const to: Reschedule = {
    phase: 'send',
    delayMs,
    failures: row.failures + 1,
    confirmStep: 0,
    lastError: error,
  }
  return { kind: 'again', to }
}

/** Not repeated, but looked after: whoever mends the coordinator finds the report still here. */
function parked(row: OutboxRow, error: string): Reschedule {
  return { ...same(row), phase: 'confirm', delayMs: LAST_CONFIRM_MS, failures: 0, lastError: error }
}

function same(row: OutboxRow) {
  return { phase: row.phase, confirmStep: row.confirmStep }
}
