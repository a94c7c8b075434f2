import type { Action, ActionRequest, TableRow } from '@release-task/protocol'
import { RETRY, type Command, type Effect, type Moment, type Policy } from './decision.ts'
import type { Lease, TaskRecord } from './record.ts'

/** The moment at which the records below begin. */
export const NOW = 1_000_000_000
export const POLICY: Policy = { retry: RETRY, stageRetryForMs: 30 * 60_000, forgottenAfterMs: 60 * 60_000 }

export const at = (now: number, policy: Partial<Policy> = {}): Moment => ({
  now,
  // The whole of every delay, so that it can be told.
  random: 1,
  policy: { ...POLICY, ...policy },
})

const PENDING: TaskRecord = {
  id: 'TA_00000001',
  revision: 7,
  releaseId: 'RE_00000001',
  studies: ['SD_00000001'],
  state: 'pending',
  tombstone: false,
  progress: 0,
  bestProgress: 0,
  message: null,
  summary: null,
  staged: null,
  work: null,
  dueAt: null,
  held: false,
  attempt: 0,
  workAttempt: 0,
  lease: null,
  failures: 0,
  crashes: 0,
  lastError: null,
  since: NOW,
  lastProgressAt: NOW,
  needsAttention: false,
  endedFrom: null,
  cancelRequestedAt: null,
  cancelAcknowledgedAt: null,
  cleanup: 'none',
  cleanupEndedAt: null,
  missingSince: null,
  checkDueAt: NOW + 900_000,
  initializedVersion: '1.0.0',
  ranVersion: null,
  createdAt: NOW,
  updatedAt: NOW,
}

export const leaseOf = (work: Lease['work'], expiresAt = NOW + 15_000): Lease => ({
  owner: 'A',
  work,
  expiresAt,
})

/** A record as it may be in each row of the action table; `running` and `publishing` are being worked on. */
const RECORDS: { readonly [row in Exclude<TableRow, 'unknown'>]: Partial<TaskRecord> } = {
  pending: {},
  running: {
    state: 'running',
    work: 'stage',
    dueAt: NOW,
    attempt: 1,
    workAttempt: 1,
    lease: leaseOf('stage'),
  },
  staged: {
    state: 'staged',
    attempt: 1,
    workAttempt: 1,
    progress: 100,
    bestProgress: 100,
    staged: { folder: '1' },
  },
  publishing: {
    state: 'publishing',
    work: 'publish',
    dueAt: NOW,
    attempt: 2,
    workAttempt: 1,
    lease: leaseOf('publish'),
  },
  published: { state: 'published', attempt: 2, progress: 100, checkDueAt: null },
  failed: { state: 'failed', attempt: 2, endedFrom: 'running', cleanup: 'done', checkDueAt: null },
  canceled: { state: 'canceled', attempt: 2, endedFrom: 'staged', cleanup: 'done', checkDueAt: null },
  tombstone: { state: 'canceled', tombstone: true, checkDueAt: null },
}

export function aRecord(row: Exclude<TableRow, 'unknown'>, changes: Partial<TaskRecord> = {}): TaskRecord {
  return { ...PENDING, ...RECORDS[row], ...changes }
}

export function anAction(action: Action, request: Partial<ActionRequest> = {}): Command {
  return {
    type: 'action',
    version: '1.0.0',
    request: { action, taskId: PENDING.id, releaseId: PENDING.releaseId, studies: null, ...request },
  }
}

export function aClaim(changes: Partial<Extract<Command, { type: 'claim' }>> = {}): Command {
  return { type: 'claim', owner: 'B', version: '1.0.0', leaseMs: 15_000, goneOwner: null, ...changes }
}

export const anError = (message = 'no luck') => ({ message, stack: `Error: ${message}\n    at code` })

export const eventsOf = (effects: readonly Effect[] = []) =>
  effects.flatMap((effect) => (effect.type === 'event' ? [effect.event] : []))

/** Freezes all the way down, so that whatever writes to an input throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
