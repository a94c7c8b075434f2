import { attentionEvent, needsAttention } from './decide-attention.ts'
import { ended } from './decide-end.ts'
import type { Command, Decision, Effect, Moment } from './decision.ts'
import type { TaskRecord, Work } from './record.ts'

const MOST_CRASHES = 10

type Claim = Extract<Command, { type: 'claim' }>

/** A worker asks for the task: it gets the lease and a new attempt number, or learns that there is nothing to do (WK-1). */
export function decideClaim(record: TaskRecord, claim: Claim, moment: Moment): Decision {
  const { now } = moment
  const { lease, work } = record
  const nothing: Decision = { kind: 'unchanged', answer: { code: 200, state: record.state } }
  if (!work || record.dueAt === null || record.dueAt > now) return nothing
  // Who asks does not work on it: a lease of its own is one whose claim was stored without its knowing.
  const isOwn = lease?.owner === claim.owner
  if (lease && lease.expiresAt > now && lease.owner !== claim.goneOwner && !isOwn) return nothing
  // A worker that a cancel found at other work has not failed at this one.
  const crashed = lease !== null && lease.work === work && !isOwn
  const counted = crashed ? { ...record, crashes: record.crashes + 1 } : record
  if (counted.crashes >= MOST_CRASHES && work === 'stage') return failAfterCrashes(counted, moment)
  return take(counted, work, claim, { crashed, now })
}

function take(
  record: TaskRecord,
  work: Work,
  claim: Claim,
  { crashed, now }: { crashed: boolean; now: number },
): Decision {
  const attempt = record.attempt + 1
  const workAttempt = record.workAttempt + 1
  const next: TaskRecord = {
    ...record,
    revision: record.revision + 1,
    attempt,
    workAttempt,
    lease: { owner: claim.owner, work, expiresAt: now + claim.leaseMs },
    held: false,
    needsAttention: needsAttention(record, false),
    cancelAcknowledgedAt: acknowledged(record, work, now),
    ranVersion: claim.version,
    updatedAt: now,
  }
  const effects: Effect[] = [
    ...crashEvent(record, crashed),
    ...attentionEvent(record, next),
    ...versionEvent(record, claim.version),
    {
      type: 'event',
      level: 'info',
      event: `${work}_started`,
      message: `${work} started, attempt ${attempt}`,
      data: { attempt },
    },
    ...furtherAttempt(work, workAttempt),
  ]
  return { kind: 'next', next, effects, answer: { code: 200, state: record.state } }
}

/** That work begins once more is worth telling; that it begins at all, the coordinator knows (N-14). */
function furtherAttempt(work: Work, attempt: number): Effect[] {
  return work === 'discard' || attempt === 1 ? [] : [{ type: 'report', state: null, progress: null, attempt }]
}

/** Where the worker that was to stop is gone without a word, the beginning of `discard` says that it has (WK-16). */
function acknowledged(record: TaskRecord, work: Work, now: number): number | null {
  const waits = work === 'discard' && record.cancelRequestedAt !== null
  return waits ? (record.cancelAcknowledgedAt ?? now) : record.cancelAcknowledgedAt
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

/** WK-9. The attempt number goes up although nobody begins: that fences off a holder that is only slow. */
function failAfterCrashes(record: TaskRecord, moment: Moment): Decision {
  const message = `stage ended its worker ${record.crashes} times in a row`
  const lastError = { message, stack: message, at: moment.now }
  const free: TaskRecord = { ...record, attempt: record.attempt + 1, lease: null, lastError }
  const { next, effects } = ended(free, 'failed', moment)
  const told: Effect = { type: 'event', level: 'error', event: 'failed', message }
  return {
    kind: 'next',
    next,
    effects: [
      told,
      ...effects,
      { type: 'report', state: 'failed', progress: null, attempt: record.workAttempt },
    ],
    answer: { code: 200, state: 'failed' },
  }
}
