import type { SqlValue } from '@release-task/database'
import type { CoordinatorTask, Deadlines, ReleaseRecord } from './record.ts'

/** A row as both databases give it: no booleans, no JSON. */
export type Row = Readonly<Record<string, SqlValue>>

const flag = (value: boolean): number => (value ? 1 : 0)
const json = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value)
const parsed = (value: SqlValue | undefined): any => (typeof value === 'string' ? JSON.parse(value) : null)

/** Every column of `releases` but its position, which the database gives. */
export function releaseToRow(release: ReleaseRecord): Record<string, SqlValue> {
  return {
    kf_id: release.id,
    revision: release.revision,
    name: release.name,
    description: release.description,
    state: release.state,
    version: release.version,
    tags: JSON.stringify(release.tags),
    author: release.author,
    is_major: flag(release.isMajor),
    created_at: release.createdAt,
    since: release.since,
    due_at: release.dueAt,
    outcome: release.outcome,
    reason: release.reason,
    stopped_from: release.stoppedFrom,
    needs_attention: flag(release.needsAttention),
  }
}

export function deadlinesToRow(deadlines: Deadlines): Record<string, SqlValue> {
  return { accept_ms: deadlines.accept, silence_ms: deadlines.silence, total_ms: deadlines.total }
}

export function deadlinesFromRow(row: Row): Deadlines {
  const value = (column: string) => row[column] as number | null
  return { accept: value('accept_ms'), silence: value('silence_ms'), total: value('total_ms') }
}

export function taskToRow(task: CoordinatorTask, releaseId: string, place: number): Record<string, SqlValue> {
  return {
    kf_id: task.id,
    release_id: releaseId,
    task_service_id: task.serviceId,
    place,
    state: task.state,
    progress: task.progress,
    message: task.message,
    summary: json(task.summary),
    attempt: task.attempt,
    last_error: task.lastError,
    needs_attention: flag(task.needsAttention),
    cancel_pending: flag(task.cancelPending),
    created_at: task.createdAt,
    since: task.since,
    last_activity_at: task.lastActivityAt,
    ...deadlinesToRow(task.deadlines),
    overdue: task.overdue,
  }
}

export function taskFromRow(row: Row): CoordinatorTask {
  const value = <T>(column: string) => row[column] as T
  return {
    id: value('kf_id'),
    serviceId: value('task_service_id'),
    state: value('state'),
    progress: value('progress'),
    message: value('message'),
    summary: parsed(row['summary']),
    attempt: value('attempt'),
    lastError: value('last_error'),
    needsAttention: row['needs_attention'] === 1,
    cancelPending: row['cancel_pending'] === 1,
    createdAt: value('created_at'),
    since: value('since'),
    lastActivityAt: value('last_activity_at'),
    deadlines: deadlinesFromRow(row),
    overdue: value('overdue'),
  }
}

export function releaseFromRow(row: Row, studies: readonly Row[], tasks: readonly Row[]): ReleaseRecord {
  const value = <T>(column: string) => row[column] as T
  return {
    id: value('kf_id'),
    revision: value('revision'),
    name: value('name'),
    description: value('description'),
    state: value('state'),
    version: value('version'),
    studies: studies.map((study) => study['study_id']) as unknown as ReleaseRecord['studies'],
    tags: parsed(row['tags']),
    author: value('author'),
    isMajor: row['is_major'] === 1,
    createdAt: value('created_at'),
    since: value('since'),
    dueAt: value('due_at'),
    outcome: value('outcome'),
    reason: value('reason'),
    stoppedFrom: value('stopped_from'),
    needsAttention: row['needs_attention'] === 1,
    tasks: tasks.map(taskFromRow),
  }
}
