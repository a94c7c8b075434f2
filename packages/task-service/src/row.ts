import type { SqlValue } from '@release-task/database'
import type { Lease, TaskRecord, Work } from './record.ts'

/** A row of `tasks`, as both databases give it: no booleans, no JSON. */
export type TaskRow = Readonly<Record<string, SqlValue>>

/** The columns that only a change of the lease writes: its renewal runs beside everything else. */
export const LEASE_COLUMNS = ['lease_owner', 'lease_work', 'lease_expires_at'] as const

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
const flag = (value: boolean): number => (value ? 1 : 0)

/** Every column of a record by its name. */
export function toRow(record: TaskRecord): Record<string, SqlValue> {
  return {
    id: record.id,
    revision: record.revision,
    release_id: record.releaseId,
    studies: json(record.studies),
    state: record.state,
    tombstone: flag(record.tombstone),
    progress: record.progress,
    best_progress: record.bestProgress,
    message: record.message,
    summary: json(record.summary),
    staged: json(record.staged),
    work: record.work,
    due_at: record.dueAt,
    held: flag(record.held),
    attempt: record.attempt,
    work_attempt: record.workAttempt,
    lease_owner: record.lease?.owner ?? null,
    lease_work: record.lease?.work ?? null,
    lease_expires_at: record.lease?.expiresAt ?? null,
    failures: record.failures,
    crashes: record.crashes,
    last_error: json(record.lastError),
    since: record.since,
    last_progress_at: record.lastProgressAt,
    needs_attention: flag(record.needsAttention),
    ended_from: record.endedFrom,
    cancel_requested_at: record.cancelRequestedAt,
    cancel_acknowledged_at: record.cancelAcknowledgedAt,
    cleanup: record.cleanup,
    cleanup_ended_at: record.cleanupEndedAt,
    missing_since: record.missingSince,
    check_due_at: record.checkDueAt,
    initialized_version: record.initializedVersion,
    ran_version: record.ranVersion,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

const parsed = (value: SqlValue | undefined): any => (typeof value === 'string' ? JSON.parse(value) : null)

function leaseOf(row: TaskRow): Lease | null {
  if (row['lease_owner'] === null) return null
  return {
    owner: row['lease_owner'] as string,
    work: row['lease_work'] as Work,
    expiresAt: row['lease_expires_at'] as number,
  }
}

/** The record of a row. Only `toRow` writes rows, so their forms are trusted here. */
export function fromRow(row: TaskRow): TaskRecord {
  const value = <T>(column: string) => row[column] as T
  return {
    id: value('id'),
    revision: value('revision'),
    releaseId: value('release_id'),
    studies: parsed(row['studies']),
    state: value('state'),
    tombstone: row['tombstone'] === 1,
    progress: value('progress'),
    bestProgress: value('best_progress'),
    message: value('message'),
    summary: parsed(row['summary']),
    staged: parsed(row['staged']),
    work: value('work'),
    dueAt: value('due_at'),
    held: row['held'] === 1,
    attempt: value('attempt'),
    workAttempt: value('work_attempt'),
    lease: leaseOf(row),
    failures: value('failures'),
    crashes: value('crashes'),
    lastError: parsed(row['last_error']),
    since: value('since'),
    lastProgressAt: value('last_progress_at'),
    needsAttention: row['needs_attention'] === 1,
    endedFrom: value('ended_from'),
    cancelRequestedAt: value('cancel_requested_at'),
    cancelAcknowledgedAt: value('cancel_acknowledged_at'),
    cleanup: value('cleanup'),
    cleanupEndedAt: value('cleanup_ended_at'),
    missingSince: value('missing_since'),
    checkDueAt: value('check_due_at'),
    initializedVersion: value('initialized_version'),
    ranVersion: value('ran_version'),
    createdAt: value('created_at'),
    updatedAt: value('updated_at'),
  }
}
