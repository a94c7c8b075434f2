import { isFinal } from '@release-task/protocol'
import { ended } from './decide-end.ts'
import type { Answer, Decision, Effect, Moment } from './decision.ts'
import type { TaskRecord } from './record.ts'

const shown = (record: TaskRecord): Answer => ({ code: 200, state: record.state })

/** A person retries what waits for its next try, or ends what would never end by itself (SV-19). */
export function decidePerson(record: TaskRecord, what: 'retry' | 'give_up', moment: Moment): Decision {
  if (what === 'retry') return record.work && !record.lease ? retryNow(record, moment) : nothing(record, what)
  if (record.cleanup === 'pending') return giveUpCleanup(record, moment)
  return isFinal(record.state) ? nothing(record, what) : giveUp(record, moment)
}

function nothing(record: TaskRecord, what: 'retry' | 'give_up'): Decision {
  const why =
    what === 'retry' && record.lease
      ? `attempt ${record.attempt} works on it now`
      : `it is ${record.state} and nothing of it is due`
  const message = `Cannot ${what.replace('_', ' ')} ${record.id}: ${why}`
  return {
    kind: 'refused',
    code: 'PERSON_NOT_NEEDED',
    message,
    effects: [],
    answer: { code: 400, state: null },
  }
}

/** Work whose action is not answered yet keeps waiting for that, and only for that (WK-6). */
function retryNow(record: TaskRecord, { now }: Moment): Decision {
  const next: TaskRecord = {
    ...record,
    revision: record.revision + 1,
    dueAt: record.held ? record.dueAt : now,
    failures: 0,
    crashes: 0,
    needsAttention: false,
    lastProgressAt: now,
    updatedAt: now,
  }
  const message = `${record.work} is tried again at once, asked by a person`
  const told: Effect = { type: 'event', level: 'info', event: 'retried', message }
  return { kind: 'next', next, effects: [told, { type: 'wake', delayMs: 0 }], answer: shown(next) }
}

function giveUp(record: TaskRecord, moment: Moment): Decision {
  const { next, effects } = ended(record, 'failed', moment)
  const message = `given up by a person while ${record.state}`
  const told: Effect = { type: 'event', level: 'error', event: 'given_up', message }
  return {
    kind: 'next',
    next,
    effects: [
      told,
      ...effects,
      { type: 'report', state: 'failed', progress: null, attempt: record.workAttempt },
    ],
    answer: shown(next),
  }
}

/** A cleanup that cannot succeed must not be tried for ever; the task itself has ended already. */
function giveUpCleanup(record: TaskRecord, { now }: Moment): Decision {
  const next: TaskRecord = {
    ...record,
    revision: record.revision + 1,
    work: null,
    dueAt: null,
    cleanup: 'given_up',
    cleanupEndedAt: now,
    needsAttention: false,
    updatedAt: now,
  }
  const message = 'discard given up by a person'
  const told: Effect = { type: 'event', level: 'warning', event: 'cleanup_given_up', message }
  return { kind: 'next', next, effects: [told, { type: 'notify' }], answer: shown(next) }
}
