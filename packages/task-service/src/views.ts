import { waitingForSchema, type TaskAnswer, type TaskState } from '@release-task/protocol'
import { z } from 'zod'
import type { OutboxRow } from './outbox.ts'
import type { TaskRecord } from './record.ts'
import type { TaskEvent } from './store.ts'
import { waitingFor } from './waiting.ts'

const iso = (ms: number): string => new Date(ms).toISOString()
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))

/** The answer to an action: `state` may be an earlier one than the record's, in a replay (SV-11). */
export function taskAnswer(name: string, record: TaskRecord, state: TaskState): TaskAnswer {
  return {
    name,
    kf_id: record.id,
    task_id: record.id,
    release_id: record.releaseId,
    state,
    progress: record.progress,
    date_submitted: iso(record.createdAt),
  }
}

export const taskViewSchema = z.object({
  name: z.string(),
  kf_id: z.string(),
  task_id: z.string(),
  release_id: z.string(),
  state: z.string(),
  progress: z.int(),
  date_submitted: z.string(),
  message: z.string().nullable(),
  studies: z.array(z.string()).nullable(),
  summary: z.record(z.string(), z.unknown()).nullable(),
  waiting_for: waitingForSchema.nullable(),
  work: z.enum(['stage', 'publish', 'discard']).nullable(),
  attempt: z.int(),
  failures: z.int(),
  crashes: z.int(),
  needs_attention: z.boolean(),
  last_error: z.object({ message: z.string(), stack: z.string(), at: z.string() }).nullable(),
  ended_from: z.string().nullable(),
  cancel_requested_at: z.string().nullable(),
  cancel_acknowledged_at: z.string().nullable(),
  cleanup: z.enum(['none', 'pending', 'done', 'given_up']),
  cleanup_ended_at: z.string().nullable(),
  initialized_version: z.string().nullable(),
  ran_version: z.string().nullable(),
  report: z
    .object({
      state: z.string().nullable(),
      delivered: z.boolean(),
      failures: z.int(),
      next_try: z.string(),
      last_error: z.string().nullable(),
    })
    .nullable(),
  updated_at: z.string(),
})
export type TaskView = z.output<typeof taskViewSchema>

/** Everything that people and programs may want to know of a task (SV-17). */
export function taskView(
  name: string,
  record: TaskRecord,
  report: OutboxRow | null,
  policy: { readonly stageRetryForMs: number },
): TaskView {
  return {
    ...taskAnswer(name, record, record.state),
    message: record.message,
    studies: record.studies as string[] | null,
    summary: record.summary,
    waiting_for: waitingFor(record, report, policy),
    work: record.work,
    attempt: record.attempt,
    failures: record.failures,
    crashes: record.crashes,
    needs_attention: record.needsAttention,
    last_error: record.lastError && { ...record.lastError, at: iso(record.lastError.at) },
    ended_from: record.endedFrom,
    cancel_requested_at: isoOrNull(record.cancelRequestedAt),
    cancel_acknowledged_at: isoOrNull(record.cancelAcknowledgedAt),
    cleanup: record.cleanup,
    cleanup_ended_at: isoOrNull(record.cleanupEndedAt),
    initialized_version: record.initializedVersion,
    ran_version: record.ranVersion,
    report: report && reportView(report),
    updated_at: iso(record.updatedAt),
  }
}

function reportView(report: OutboxRow) {
  return {
    state: report.state,
    delivered: report.phase === 'confirm',
    failures: report.failures,
    next_try: iso(report.dueAt),
    last_error: report.lastError,
  }
}

export const eventViewSchema = z.object({
  id: z.int(),
  at: z.string(),
  level: z.string(),
  type: z.string(),
  message: z.string(),
  data: z.unknown(),
})

export function eventView(event: TaskEvent): z.output<typeof eventViewSchema> {
  const { position, at, level, type, message, data } = event
  return { id: position, at: iso(at), level, type, message, data }
}
