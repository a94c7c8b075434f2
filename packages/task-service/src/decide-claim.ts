import { ended } from './decide-end.ts'
import type { Command, Decision, Effect, Moment } from './decision.ts'
import type { TaskRecord } from './record.ts'

const MOST_CRASHES = 10
const ATTENTION_FROM = 5

type Claim = Extract<Command, { type: 'claim' }>

/** A worker asks for the task: it gets the lease and a new attempt number, or learns that there is nothing to do (WK-1). */
export function decideClaim(record: TaskRecord, claim: Claim, moment: Moment): Decision {
  const { now } = moment
  const nothing: Decision = { kind: 'unchanged', answer: { code: 200, state: record.state } }
  if (!record.work || record.dueAt === null || record.dueAt > now) return nothing
  const { lease } = record
  if (lease && lease.expiresAt > now && lease.owner !== claim.goneOwner) return nothing
  const crashed = lease !== null && lease.work === record.work
  const crashes = crashed ? record.crashes + 1 : record.crashes
  if (crashes >= MOST_CRASHES && record.work === 'stage') return failAfterCrashes(record, crashes, moment)
  return take({ ...record, crashes }, claim, crashed, now)
}

function take(record: TaskRecord, claim: Claim, crashed: boolean, now: number): Decision {
  const work = record.work ?? 'stage'
  const attempt = record.attempt + 1
  const next: TaskRecord = {
    ...record,
    revision: record.revision + 1,
    attempt,
    lease: { owner: claim.owner, work, expiresAt: now + claim.leaseMs },
    held: false,
    needsAttention: record.needsAttention || (work !== 'stage' && record.crashes >= ATTENTION_FROM),
    cancelAcknowledgedAt:
      work === 'discard' ? (record.cancelAcknowledgedAt ?? now) : record.cancelAcknowledgedAt,
    ranVersion: claim.version,
    updatedAt: now,
  }
  const effects = [...crashEvent(record, crashed), ...versionEvent(record, claim.version)]
  const message = `${work} started, attempt ${attempt}`
  const started: Effect = {
    type: 'event',
    level: 'info',
    event: `${work}_started`,
    message,
    data: { attempt },
  }
  return { kind: 'next', next, effects: [...effects, started], answer: { code: 200, state: record.state } }
}

function crashEvent(record: TaskRecord, crashed: boolean): Effect[] {
  if (!crashed) return []
  const message = `the worker of attempt ${record.attempt} is gone; ${record.work} is taken up again`
  return [
    { type: 'event', level: 'warning', event: 'worker_lost', message, data: { crashes: record.crashes } },
  ]
}

function versionEvent(record: TaskRecord, version: string): Effect[] {
  const before = record.ranVersion ?? record.initializedVersion
  if (before === null || before === version) return []
  const message = `task version changed from ${before} to ${version} within this release`
  return [{ type: 'event', level: 'warning', event: 'version_changed', message }]
}

function failAfterCrashes(record: TaskRecord, crashes: number, moment: Moment): Decision {
  const message = `stage ended its worker ${crashes} times in a row`
  const lastError = { message, stack: message, at: moment.now }
  const { next, effects } = ended({ ...record, lease: null, crashes }, 'failed', moment)
  const told: Effect = { type: 'event', level: 'error', event: 'failed', message }
  return {
    kind: 'next',
    next: { ...next, lastError },
    effects: [told, ...effects, { type: 'report', state: 'failed', progress: null }],
    answer: { code: 200, state: 'failed' },
  }
}
