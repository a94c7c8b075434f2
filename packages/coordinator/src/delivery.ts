import type { Answer } from '@release-task/http'
import {
  backoffDelay,
  parseProgress,
  parseServiceState,
  retryAfterMs,
  type CoordinatorTaskState,
} from '@release-task/protocol'
import type { Outcome, Word } from './decision.ts'
import type { OutboxRow } from './outbox.ts'

const BACKOFF = { firstMs: 500, maxMs: 10 * 1000 } // 0.5 s doubling to 10 s
const CANCEL_BACKOFF = { firstMs: 500, maxMs: 60 * 1000 } // cancel is told for a day
const EXCERPT = 200

/** What a try comes to. `send`: asked, and the service has not heard the action yet. `ask`: it must be asked. */
export type Step =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'again'; readonly delayMs: number; readonly askFirst: boolean; readonly error: string }
  | { readonly kind: 'send' }
  | { readonly kind: 'ask' }

export interface Chance {
  /** Epoch ms by the database's clock, as the row's deadline. */
  readonly now: number
  readonly random: number
}

/** The state that an accepted action means, as the coordinator calls it. */
const EXPECTED: { readonly [action: string]: CoordinatorTaskState } = {
  initialize: 'initialized',
  start: 'running',
  publish: 'publishing',
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
  }
}

const accepted = (state: CoordinatorTaskState | null): Step => ({
  kind: 'outcome',
  outcome: { kind: 'accepted', state },
})
const refused = (reason: string): Step => ({ kind: 'outcome', outcome: { kind: 'refused', reason } })

function excerpt({ status, text }: Answer): string {
  const body = text.replaceAll(/\s+/g, ' ').trim().slice(0, EXCERPT)
  return body ? `answered ${status}: ${body}` : `answered ${status}`
}

/** After the answer to an action (RC-7 to RC-10). */
export function afterAction(row: OutboxRow, answer: Answer, chance: Chance): Step {
  const { status } = answer
  if (status === 429) return again(row, { error: excerpt(answer), askFirst: false, answer }, chance)
  if (status >= 500) return again(row, { error: excerpt(answer), askFirst: true, answer }, chance)
  if (row.action === 'cancel') return afterCancel(row, answer, chance)
  if (status !== 200) return refused(excerpt(answer))
  const body = objectOf(answer)
  if (!body) return refused(`answered something that is not a JSON object: ${answer.text.slice(0, EXCERPT)}`)
  if (body['state'] === undefined) return accepted(null)
  return (
    judge(row, parseServiceState(body['state'])) ??
    refused(`answered the state ${JSON.stringify(body['state'])}`)
  )
}

/** Whether a state is the acceptance of an action: the expected one or, after `start` and `publish`, a later one. */
function judge({ action }: OutboxRow, state: CoordinatorTaskState | null): Step | null {
  const expected = EXPECTED[action]
  if (!expected || state === null) return null
  if (state === expected) return accepted(state)
  // A service that works fast may already be done with what it was asked for (F-21), but not with more.
  const done = { start: 'staged', publish: 'published' }[action as string]
  return state === done ? accepted(state) : null
}

function afterCancel(row: OutboxRow, answer: Answer, chance: Chance): Step {
  const { status } = answer
  if (status >= 300 && status < 400)
    return again(row, { error: excerpt(answer), askFirst: false, answer }, chance)
  // A service that does not know the task has nothing to cancel; any other refusal leaves the question what it is doing.
  if (status === 404) return accepted('canceled')
  if (status >= 400) return { kind: 'ask' }
  const body = objectOf(answer)
  const state = body ? parseServiceState(body['state']) : null
  if (state === null || state === 'canceled' || state === 'failed' || state === 'published')
    return accepted(state ?? 'canceled')
  return again(row, { error: excerpt(answer), askFirst: false, answer }, chance)
}

/** After `get_status`, asked because an answer was lost (RC-8) or a cancel refused. */
export function afterAsking(row: OutboxRow, answer: Answer, chance: Chance): Step {
  if (row.action === 'cancel') return afterAskingCanceled(answer)
  if (answer.status === 404 || answer.status === 400) return { kind: 'send' }
  const body = answer.status === 200 ? objectOf(answer) : null
  if (!body) return again(row, { error: `get_status ${excerpt(answer)}`, askFirst: true, answer }, chance)
  const state = parseServiceState(body['state'])
  if (state === 'failed' || state === 'canceled') return refused(`the service shows ${state}`)
  if (row.action === 'initialize' && state !== null && state !== 'waiting') return accepted(state)
  return judge(row, state) ?? { kind: 'send' }
}

/** The refusal of a cancel is an answer; the question only finds out whether the task was published before. */
function afterAskingCanceled(answer: Answer): Step {
  const state = parseServiceState(objectOf(answer)?.['state'])
  if (state === 'published' || state === 'failed' || state === 'canceled') return accepted(state)
  return refused(
    `the service refuses cancel and ${state ? `shows ${state}` : `get_status ${excerpt(answer)}`}`,
  )
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
