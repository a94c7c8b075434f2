import { backoffDelay } from '@release-task/protocol'
import { attentionEvent, needsAttention } from './decide-attention.ts'
import { ended } from './decide-end.ts'
import type { Decision, Effect, Moment, WorkerCommand } from './decision.ts'
import type { TaskRecord, WorkError } from './record.ts'

const MOST_MESSAGE_CHARS = 500

/** A word of a worker: believed only from the attempt that holds the lease (WK-2). */
export function decideWorker(record: TaskRecord, command: WorkerCommand, moment: Moment): Decision {
  if (!record.lease || command.attempt !== record.attempt) return late(record, command)
  // A cancel came while it worked: whatever it says, its result is thrown away (TS-2).
  if (record.lease.work !== record.work) return afterCancel(record, command, moment)
  switch (command.type) {
    case 'studies':
      return toldStudies(record, command, moment)
    case 'progress':
      return progressed(record, command, moment)
    case 'step':
      return stepped(record, command, moment)
    case 'succeeded':
      return succeeded(record, command, moment)
    case 'failed':
      return failed(record, command, moment)
    case 'released':
      return released(record, moment)
  }
}

const accepted = (next: TaskRecord, effects: readonly Effect[]): Decision => ({
  kind: 'next',
  next: { ...next, revision: next.revision + 1 },
  effects,
  answer: { code: 200, state: next.state },
})

function info(event: string, message: string): Effect {
  return { type: 'event', level: 'info', event, message }
}

function refuseLate(message: string, effects: readonly Effect[]): Decision {
  return { kind: 'refused', code: 'LATE_REPORT', message, effects, answer: { code: 400, state: null } }
}

/** Refused, changes nothing, and is kept as an event (WK-2). */
function late(record: TaskRecord, command: WorkerCommand): Decision {
  const now = record.lease
    ? `attempt ${record.attempt} holds it`
    : `it is ${record.state} and nobody works on it`
  const message = `Refused "${command.type}" of attempt ${command.attempt} on ${record.id}: ${now}`
  const data = { attempt: command.attempt, current: record.attempt, said: command.type }
  return refuseLate(message, [{ type: 'event', level: 'warning', event: 'late_report', message, data }])
}

/** The worker has not stopped yet, or it has: only that it has is worth an event (WK-16). */
function afterCancel(record: TaskRecord, command: WorkerCommand, { now }: Moment): Decision {
  if (command.type === 'studies' || command.type === 'progress' || command.type === 'step')
    return refuseLate(`Refused "${command.type}" on ${record.id}: it is ${record.state} by now`, [])
  const acknowledgedAt = record.cancelAcknowledgedAt ?? (record.cancelRequestedAt === null ? null : now)
  const next = { ...record, lease: null, cancelAcknowledgedAt: acknowledgedAt, updatedAt: now }
  const message = `attempt ${command.attempt} has stopped after ${record.state}; its result is thrown away`
  return accepted(next, [info('work_stopped', message), { type: 'wake', delayMs: 0 }])
}

type Said<T extends WorkerCommand['type']> = Extract<WorkerCommand, { type: T }>

function toldStudies(record: TaskRecord, { studies }: Said<'studies'>, { now }: Moment): Decision {
  if (record.studies !== null) return { kind: 'unchanged', answer: { code: 200, state: record.state } }
  return accepted({ ...record, studies, updatedAt: now }, [])
}

function progressed(record: TaskRecord, said: Said<'progress'>, { now }: Moment): Decision {
  const progress = Math.min(100, Math.max(0, Math.trunc(said.percent) || 0))
  const message = said.message?.slice(0, MOST_MESSAGE_CHARS) ?? record.message
  if (progress === record.progress && message === record.message)
    return { kind: 'unchanged', answer: { code: 200, state: record.state } }
  const ahead = progress > record.bestProgress
  const next: TaskRecord = {
    ...record,
    progress,
    bestProgress: Math.max(progress, record.bestProgress),
    message,
    lastProgressAt: ahead ? now : record.lastProgressAt,
    crashes: ahead ? 0 : record.crashes,
    updatedAt: now,
  }
  // Canceled and failed tasks report nothing any more, so progress of a discard stays here.
  const { workAttempt: attempt } = record
  const effects: Effect[] =
    record.work === 'discard' ? [] : [{ type: 'report', state: null, progress, attempt }]
  return accepted(next, effects)
}

function stepped(record: TaskRecord, command: Said<'step'>, { now }: Moment): Decision {
  const { version, name, result, attempt } = command
  const work = record.work ?? 'stage'
  const next = { ...record, lastProgressAt: now, crashes: 0, updatedAt: now }
  return accepted(next, [
    { type: 'save_step', version, work, name, result, attempt },
    info('step_finished', `step "${name}" finished`),
  ])
}

function succeeded(record: TaskRecord, said: Said<'succeeded'>, { now }: Moment): Decision {
  const { result, attempt, message = record.message } = said
  const done: TaskRecord = {
    ...record,
    message: message?.slice(0, MOST_MESSAGE_CHARS) ?? null,
    work: null,
    dueAt: null,
    lease: null,
    failures: 0,
    crashes: 0,
    lastError: null,
    needsAttention: false,
    since: now,
    updatedAt: now,
  }
  if (record.work === 'discard') {
    // Why the task failed is still to be seen when its cleanup is done (SV-17).
    const { since, lastError } = record
    const cleaned: TaskRecord = { ...done, since, lastError, cleanup: 'done', cleanupEndedAt: now }
    return accepted(cleaned, [info('discarded', `discard finished, attempt ${attempt}`)])
  }
  if (record.work === 'publish') {
    const effects = [info('published', `publish finished, attempt ${attempt}`), report(record, 'published')]
    return accepted({ ...done, state: 'published', progress: 100, checkDueAt: null }, effects)
  }
  const staged = { summary: result.summary ?? null, staged: result.staged ?? null }
  const effects = [info('staged', `stage finished, attempt ${attempt}`), report(record, 'staged')]
  return accepted({ ...done, ...staged, state: 'staged', progress: 100 }, effects)
}

function report({ workAttempt }: TaskRecord, state: 'staged' | 'published' | 'failed'): Effect {
  return { type: 'report', state, progress: state === 'failed' ? null : 100, attempt: workAttempt }
}

/** Who waits for the release sees why it is not further; what is being undone is told to nobody (N-14). */
function failedAttempt({ work, workAttempt }: TaskRecord, error: string): Effect[] {
  if (work === 'discard') return []
  return [{ type: 'report', state: null, progress: null, attempt: workAttempt, error }]
}

/** Before anything is public, giving up is possible; afterwards only a person ends it (WK-8, WK-11). */
function failed(record: TaskRecord, command: Said<'failed'>, moment: Moment): Decision {
  const { now, policy } = moment
  const lastError: WorkError = { ...command.error, at: now }
  const failures = record.failures + 1
  // What worked long and silently before its first failure is tried again all the same: the time runs from there.
  const since = record.failures === 0 ? now : record.lastProgressAt
  const tired = now - since >= policy.stageRetryForMs
  if (record.work === 'stage' && (command.permanent || tired))
    return failForGood({ ...record, lastError }, command, moment)
  const delayMs = backoffDelay(policy.retry, failures, moment.random)
  // It lived to say so: that ends a row of crashes (WK-9).
  const free: TaskRecord = {
    ...record,
    lease: null,
    lastProgressAt: since,
    failures,
    crashes: 0,
    lastError,
    updatedAt: now,
  }
  const next = { ...free, dueAt: now + delayMs, needsAttention: needsAttention(free, command.permanent) }
  const message = `${record.work} failed, attempt ${command.attempt}: ${command.error.message}; next try in ${delayMs} ms`
  const told: Effect = {
    type: 'event',
    level: 'warning',
    event: `${record.work}_failed`,
    message,
    data: { failures },
  }
  const reported = failedAttempt(record, command.error.message)
  return accepted(next, [told, ...attentionEvent(record, next), ...reported, { type: 'wake', delayMs }])
}

function failForGood(record: TaskRecord, command: Said<'failed'>, moment: Moment): Decision {
  const why = command.permanent ? 'trying again cannot help' : 'it made no progress for too long'
  const message = `stage failed for good, attempt ${command.attempt} (${why}): ${command.error.message}`
  const { next, effects } = ended({ ...record, lease: null }, 'failed', moment)
  const told: Effect = { type: 'event', level: 'error', event: 'failed', message }
  return {
    kind: 'next',
    next,
    effects: [told, ...effects, report(record, 'failed')],
    answer: { code: 200, state: 'failed' },
  }
}

function released(record: TaskRecord, { now }: Moment): Decision {
  const next = { ...record, lease: null, dueAt: now, updatedAt: now }
  const message = `attempt ${record.attempt} gave its task back for a shutdown`
  return accepted(next, [info('work_released', message), { type: 'wake', delayMs: 0 }])
}
