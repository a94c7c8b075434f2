import { isFinal } from '@release-task/protocol'
import { ended } from './decide-end.ts'
import type { Answer, Command, CoordinatorShows, Decision, Effect, Moment, Policy } from './decision.ts'
import type { TaskRecord } from './record.ts'

const CHECK_INTERVAL_MS = 15 * 60 * 1000 // 15 min between questions whether the coordinator still knows a task
const LEAST_CHECK_INTERVAL_MS = 1000 // 1 s

const shown = (record: TaskRecord): Answer => ({ code: 200, state: record.state })

/** Several questions within the time after which a task counts as forgotten, whatever that is set to. */
export function checkIntervalMs({ forgottenAfterMs }: Policy): number {
  return Math.min(CHECK_INTERVAL_MS, Math.max(LEAST_CHECK_INTERVAL_MS, Math.round(forgottenAfterMs / 4)))
}

/**
 * What the coordinator shows when it is asked: a task that it ended is canceled here too (N-9); one that it does
 * not know, once that has been so without a break for long, and never while it publishes (WK-20).
 */
export function decideCoordinatorShows(
  record: TaskRecord,
  state: CoordinatorShows,
  moment: Moment,
): Decision {
  if (isFinal(record.state)) return { kind: 'unchanged', answer: shown(record) }
  if (state === 'canceled' || state === 'failed' || state === 'rejected')
    return cancelUnasked(record, `the coordinator shows the task as ${state}`, moment)
  // Whatever is no clear "not found" is a break: one wrong address must not discard a release.
  const missingSince = state === 'missing' ? (record.missingSince ?? moment.now) : null
  const forgotten = missingSince !== null && moment.now - missingSince >= moment.policy.forgottenAfterMs
  if (forgotten && record.state !== 'publishing')
    return cancelUnasked(record, 'the coordinator has not known the task for long', moment)
  return checkedAgain(record, missingSince, moment)
}

function checkedAgain(record: TaskRecord, missingSince: number | null, { now, policy }: Moment): Decision {
  const next = {
    ...record,
    missingSince,
    checkDueAt: now + checkIntervalMs(policy),
    revision: record.revision + 1,
    updatedAt: now,
  }
  const message = 'the coordinator does not know this task'
  const lost: Effect = { type: 'event', level: 'warning', event: 'missing', message }
  const effects = missingSince !== null && record.missingSince === null ? [lost] : []
  return { kind: 'next', next, effects, answer: shown(record) }
}

function cancelUnasked(record: TaskRecord, why: string, moment: Moment): Decision {
  const { next, effects } = ended(record, 'canceled', moment)
  const message = `canceled while ${record.state}: ${why}`
  const told: Effect = { type: 'event', level: 'warning', event: 'canceled', message }
  return { kind: 'next', next, effects: [told, ...effects, { type: 'withdraw_report' }], answer: shown(next) }
}

type Refused = Extract<Command, { type: 'report_refused' }>

/** The coordinator does not take a report: the answer is kept (N-11), and a person is told (N-8). */
export function decideReportRefused(record: TaskRecord, { status, state, text }: Refused): Decision {
  const then = status === 400 ? 'it is not repeated' : 'it is kept, and tried every minute'
  const what = state === null ? 'progress' : `"${state}"`
  const message = `the coordinator refused the report of ${what} with ${status}: ${text}; ${then}`
  const told: Effect = { type: 'event', level: 'error', event: 'report_refused', message, data: { status } }
  return { kind: 'unchanged', answer: shown(record), effects: [told] }
}
