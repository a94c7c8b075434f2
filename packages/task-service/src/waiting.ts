import { isFinal, type WaitingFor } from '@release-task/protocol'
import type { OutboxRow } from './outbox.ts'
import type { TaskRecord } from './record.ts'

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** What a task waits for, in the one object that everybody shows (WK-21, WK-22). null: nothing, it has ended. */
export function waitingFor(
  record: TaskRecord,
  report: OutboxRow | null,
  policy: { readonly stageRetryForMs: number },
): WaitingFor | null {
  if (record.tombstone) return null
  if (record.work) return waitingForWork(record, policy)
  if (report && report.phase !== 'confirm' && report.state !== null)
    return waitingForCoordinator(record, report)
  if (isFinal(record.state)) return null
  const next = record.state === 'pending' ? "the coordinator's start" : "the coordinator's publish, or cancel"
  return { ...empty(record), whom: 'action', what: `waits for ${next}` }
}

function empty(record: TaskRecord): WaitingFor {
  return {
    whom: 'action',
    what: '',
    since: new Date(record.since).toISOString(),
    attempt: record.attempt > 0 ? record.attempt : null,
    last_error: record.lastError?.message ?? null,
    next_try: null,
    gives_up_at: null,
  }
}

function waitingForWork(record: TaskRecord, policy: { readonly stageRetryForMs: number }): WaitingFor {
  const { work, lease } = record
  const givesUpAt = work === 'stage' ? iso(record.lastProgressAt + policy.stageRetryForMs) : null
  const base = { ...empty(record), gives_up_at: record.failures > 0 ? givesUpAt : null }
  if (lease && lease.work !== work)
    return { ...base, whom: 'code', what: `waits for ${lease.work} to stop, then ${work} runs` }
  if (lease) return { ...base, whom: 'code', what: `${work} runs, attempt ${record.attempt}` }
  const what =
    record.failures > 0
      ? `${work} failed ${record.failures} times and is tried again`
      : `${work} is about to run`
  const next = { ...base, what, next_try: iso(record.dueAt) }
  return record.needsAttention ? { ...next, whom: 'person' } : { ...next, whom: 'code' }
}

function waitingForCoordinator(record: TaskRecord, report: OutboxRow): WaitingFor {
  return {
    ...empty(record),
    whom: 'coordinator',
    what: `waits for the coordinator to take the report "${report.state}"`,
    since: new Date(report.createdAt).toISOString(),
    last_error: report.lastError,
    next_try: iso(report.dueAt),
  }
}
