import type { Answer } from '@release-task/http'
import {
  backoffDelay,
  parseProgress,
  parseServiceState,
  pathForward,
  retryAfterMs,
  type CoordinatorTaskState,
} from '@release-task/protocol'
import type { Outcome, Word } from './decision.ts'
import type { OutboxRow } from './outbox.ts'

const BACKOFF = { firstMs: 500, maxMs: 10 * 1000 } // 0.5 s doubling to 10 s
const CANCEL_BACKOFF = { firstMs: 500, maxMs: 60 * 1000 } // cancel is told for a day
const EXCERPT = 200
const MOST_VERSION = 100

/**
 * What a try comes to. `send`: asked, and the service has not taken the action yet. `ask`: it refused `cancel` with
 * these words, and what it does instead is to be found out.
 */
export type Step =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'again'; readonly delayMs: number; readonly askFirst: boolean; readonly error: string }
  | { readonly kind: 'send' }
  | { readonly kind: 'ask'; readonly because: string }

export interface Chance {
  /** Epoch ms by the database's clock, as the row's deadline. */
  readonly now: number
  readonly random: number
}

interface Acceptance {
  /** The state that an accepted action means, as the coordinator calls it. */
  readonly expected: CoordinatorTaskState
  /** A service that works fast may already be done with what it was asked for (F-21). */
  readonly done: CoordinatorTaskState | null
}

const ACCEPTANCE: { readonly [action in OutboxRow['action']]: Acceptance } = {
  initialize: { expected: 'initialized', done: null },
  start: { expected: 'running', done: 'staged' },
  publish: { expected: 'publishing', done: 'published' },
  cancel: { expected: 'canceled', done: null },
}

/** A JSON object, or null. */
export function objectOf(answer: Answer): Readonly<Record<string, unknown>> | null {
  const { json } = answer
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Record<string, unknown>)
    : null
}

/** What a service says in an answer, read leniently (RC-13). */
export function wordOf(body: Readonly<Record<string, unknown>>): Word {
  const { message, summary } = body
  return {
    state: parseServiceState(body['state']),
    progress: parseProgress(body['progress']),
    message: typeof message === 'string' ? message.slice(0, 1000) : null,
    summary: summary ?? null,
    // Only reports tell of attempts: what an answer says may be older than the last report.
    attempt: null,
    error: null,
  }
}

/** The version that a service tells in its status; some put it one level deeper (SV-4). Null: it tells none. */
export function versionOf({ json }: Answer): string | null {
  const body = json as { version?: unknown; message?: { version?: unknown } | null } | null | undefined
  const said = body?.version ?? body?.message?.version
  return typeof said === 'string' && said !== '' ? said.slice(0, MOST_VERSION) : null
}

const accepted = (state: CoordinatorTaskState | null): Step => ({
  kind: 'outcome',
  outcome: { kind: 'accepted', state },
})
const refused = (reason: string, shown: CoordinatorTaskState | null = null): Step => ({
  kind: 'outcome',
  outcome: { kind: 'refused', reason, shown },
})

function excerpt({ status, text }: Answer): string {
  const body = text.replaceAll(/\s+/g, ' ').trim().slice(0, EXCERPT)
  return body ? `answered ${status}: ${body}` : `answered ${status}`
}

const OF_THE_LINE = [408, 421, 425]
const PERHAPS_OF_THE_LINE = [401, 403, 404]

/**
 * An answer that a gateway gives, and that says nothing of the service (RC-9): what only a line says, and a page where
 * a service would say in JSON why it may not or does not know.
 */
function isGateways(answer: Answer): boolean {
  if (OF_THE_LINE.includes(answer.status)) return true
  return PERHAPS_OF_THE_LINE.includes(answer.status) && objectOf(answer) === null
}

/** After the answer to an action (RC-7 to RC-10). */
export function afterAction(row: OutboxRow, answer: Answer, chance: Chance): Step {
  const { status } = answer
  if (status === 429) return again(row, { error: excerpt(answer), askFirst: false, answer }, chance)
  if (status >= 500 || isGateways(answer))
    return again(row, { error: excerpt(answer), askFirst: true, answer }, chance)
  if (row.action === 'cancel') return afterCancel(row, answer, chance)
  const body = status === 200 ? objectOf(answer) : null
  if (!body) return refused(excerpt(answer))
  if (body['state'] === undefined) return accepted(null)
  const state = parseServiceState(body['state'])
  const { expected, done } = ACCEPTANCE[row.action]
  if (state !== null && (state === expected || state === done)) return accepted(state)
  return refused(`wrong state ${JSON.stringify(body['state'])}, ${excerpt(answer)}`)
}

function afterCancel(row: OutboxRow, answer: Answer, chance: Chance): Step {
  const { status } = answer
  if (status >= 400) return { kind: 'ask', because: excerpt(answer) }
  const body = status < 300 ? objectOf(answer) : null
  const state = body ? parseServiceState(body['state']) : null
  if (state === 'canceled' || state === 'failed' || state === 'published') return accepted(state)
  const otherState = status === 200 && body !== null && body['state'] !== undefined
  if (status >= 300 || otherState)
    return again(row, { error: excerpt(answer), askFirst: false, answer }, chance)
  return accepted(null)
}

/** After `get_status`, asked because an answer was lost (RC-8). */
export function afterAsking(row: OutboxRow, answer: Answer, chance: Chance): Step {
  // The service does not know the task, which is earlier than everything.
  const isUnknown = answer.status === 404 || answer.status === 400
  if (isUnknown && !isGateways(answer)) return sendAgain(row, chance)
  const body = answer.status === 200 ? objectOf(answer) : null
  const state = parseServiceState(body?.['state'])
  if (state === null)
    return again(row, { error: `get_status ${excerpt(answer)}`, askFirst: true, answer }, chance)
  return afterShown(row, state, chance)
}

function afterShown(row: OutboxRow, state: CoordinatorTaskState, chance: Chance): Step {
  const { expected, done } = ACCEPTANCE[row.action]
  if (pathForward(state, expected).length > 0) return sendAgain(row, chance)
  if (state === expected || state === done) return accepted(state)
  // Work that nobody asked for yet is no obstacle as long as nothing is public: `start` follows.
  if (row.action === 'initialize' && (state === 'running' || state === 'staged')) return accepted(state)
  return refused(`get_status shows ${state}`, state)
}

/**
 * What was tried until its deadline is not begun once more (RC-7). What was taken over is: the time that a dead
 * process held it is not the service's.
 */
function sendAgain(row: OutboxRow, { now }: Chance): Step {
  if (row.failures === 0 || row.claimedUntil !== null || now < row.deadlineAt) return { kind: 'send' }
  return refused(`not within its deadline: ${row.lastError ?? 'no answer'}`)
}

/** After `get_status`, asked because `cancel` was refused: the task may have been published before (RC-21). */
export function afterRefusedCancel(because: string): typeof afterAction {
  return (row, answer, chance) => {
    const { status } = answer
    if (status === 429 || status >= 500 || isGateways(answer)) {
      const error = `${because}; get_status ${excerpt(answer)}`
      return again(row, { error, askFirst: false, answer }, chance)
    }
    const shown = parseServiceState(objectOf(answer)?.['state'])
    return refused(shown === null ? because : `${because}; get_status shows ${shown}`, shown)
  }
}

/** After a request that got no whole answer. */
export function afterTransportError(
  row: OutboxRow,
  error: { message: string; mayHaveArrived: boolean },
  chance: Chance,
): Step {
  return again(
    row,
    { error: error.message, askFirst: row.askFirst || error.mayHaveArrived, answer: null },
    chance,
  )
}

interface Trouble {
  readonly error: string
  readonly askFirst: boolean
  readonly answer: Answer | null
}

function again(row: OutboxRow, { error, askFirst, answer }: Trouble, { now, random }: Chance): Step {
  const backoff = row.action === 'cancel' ? CANCEL_BACKOFF : BACKOFF
  const delay = backoffDelay(backoff, row.failures + 1, random)
  const delayMs = Math.max(retryAfterMs(answer?.retryAfter ?? null, now) ?? 0, delay)
  if (now + delayMs < row.deadlineAt) return { kind: 'again', delayMs, askFirst, error }
  // One last try at the deadline itself, unless it is over.
  const left = row.deadlineAt - now
  if (left > 0) return { kind: 'again', delayMs: left, askFirst, error }
  return refused(`not within its deadline: ${error}`)
}
