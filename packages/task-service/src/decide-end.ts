import type { Effect, Moment } from './decision.ts'
import type { TaskRecord } from './record.ts'

/**
 * The record of a task that ends other than published. Where the author's code has run, `discard` is due; a worker
 * that still runs keeps its lease until it has stopped, so that `discard` never runs beside it (WK-17, WK-18).
 */
export function ended(
  record: TaskRecord,
  state: 'canceled' | 'failed',
  { now }: Moment,
): { next: TaskRecord; effects: Effect[] } {
  const discard = record.attempt > 0
  const canceled = state === 'canceled'
  const next: TaskRecord = {
    ...record,
    revision: record.revision + 1,
    state,
    endedFrom: record.state,
    work: discard ? 'discard' : null,
    dueAt: discard ? now : null,
    held: false,
    workAttempt: 0,
    failures: 0,
    crashes: 0,
    since: now,
    needsAttention: false,
    cancelRequestedAt: canceled ? now : record.cancelRequestedAt,
    cancelAcknowledgedAt: canceled && !record.lease ? now : record.cancelAcknowledgedAt,
    cleanup: discard ? 'pending' : 'none',
    checkDueAt: null,
    missingSince: null,
    updatedAt: now,
  }
  const effects: Effect[] = discard ? [{ type: 'notify' }, { type: 'wake', delayMs: 0 }] : []
  return { next, effects }
}
