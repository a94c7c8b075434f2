import type { CoordinatorTaskState, ReleaseState, TaskId, TaskServiceId } from '@release-task/protocol'
import { decide } from './decide.ts'
import type { Command, Decision, Effect, Moment, Policy, Word } from './decision.ts'
import { NO_DEADLINES, type CoordinatorTask, type ReleaseRecord } from './record.ts'

export const RELEASE = 'RE_00000001'
export const NOW = 1_700_000_000_000

export const POLICY: Policy = {
  actionDeadlineMs: 30_000,
  publishDeadlineMs: 600_000,
  taskTimeoutMs: 160_000_000,
  releaseTimeoutMs: 360_000_000,
}

export function momentAt(now: number, latestVersion = '0.3.2'): Moment {
  return { now, latestVersion, policy: POLICY }
}

export const taskId = (index: number): TaskId => `TA_0000000${index}`
export const serviceId = (index: number): TaskServiceId => `TS_0000000${index}`

export function taskIn(
  index: number,
  state: CoordinatorTaskState,
  fields: Partial<CoordinatorTask> = {},
): CoordinatorTask {
  return {
    id: taskId(index),
    serviceId: serviceId(index),
    state,
    progress: 0,
    message: null,
    summary: null,
    attempt: null,
    lastError: null,
    needsAttention: false,
    cancelPending: false,
    createdAt: NOW - 5000,
    since: NOW - 1000,
    lastActivityAt: NOW - 1000,
    deadlines: NO_DEADLINES,
    overdue: null,
    ...fields,
  }
}

/** A release in one state with a task in each of others. */
export function releaseIn(
  state: ReleaseState,
  tasks: readonly (CoordinatorTaskState | CoordinatorTask)[] = [],
  fields: Partial<ReleaseRecord> = {},
): ReleaseRecord {
  return {
    id: RELEASE,
    revision: 7,
    name: 'spring',
    description: '',
    state,
    version: '0.3.1',
    studies: ['SD_00000001', 'SD_00000002'],
    tags: ['a'],
    author: 'admin',
    isMajor: false,
    createdAt: NOW - 5000,
    since: NOW - 1000,
    dueAt: null,
    outcome: null,
    reason: null,
    stoppedFrom: null,
    needsAttention: false,
    tasks: tasks.map((task, index) => (typeof task === 'string' ? taskIn(index, task) : task)),
    ...fields,
  }
}

/** A release that is being stopped, with every task still to acknowledge. */
export function cancelingFrom(
  stoppedFrom: ReleaseState,
  tasks: readonly CoordinatorTaskState[],
  outcome: 'canceled' | 'failed' = 'canceled',
): ReleaseRecord {
  const waiting = tasks.map((state, index) => taskIn(index, state, { cancelPending: true }))
  return releaseIn('canceling', waiting, { stoppedFrom, outcome, reason: 'canceled by a person' })
}

export const SILENT: Word = {
  state: null,
  progress: null,
  message: null,
  summary: null,
  attempt: null,
  error: null,
}

export const report = (index: number, word: Partial<Word>): Command => ({
  type: 'report',
  taskId: taskId(index),
  ...SILENT,
  ...word,
})
export const poll = (index: number, word: Partial<Word>, askedAt = NOW): Command => ({
  type: 'poll',
  taskId: taskId(index),
  askedAt,
  ...SILENT,
  ...word,
})
export const accepted = (
  index: number,
  action: 'initialize' | 'start' | 'publish' | 'cancel',
  state: CoordinatorTaskState | null = null,
): Command => ({ type: 'answer', taskId: taskId(index), action, outcome: { kind: 'accepted', state } })
export const refused = (
  index: number,
  action: 'initialize' | 'start' | 'publish' | 'cancel',
  { reason = 'answered 400', shown = null }: { reason?: string; shown?: CoordinatorTaskState | null } = {},
): Command => ({
  type: 'answer',
  taskId: taskId(index),
  action,
  outcome: { kind: 'refused', reason, shown },
})
export const begin = (tasks: number, down: readonly number[] = []): Command => ({
  type: 'begin',
  tasks: Array.from({ length: tasks }, (_, index) => ({
    id: taskId(index),
    serviceId: serviceId(index),
    down: down.includes(index),
  })),
})

/** What a decision comes to, short enough to be compared at a glance. */
export interface Outcome {
  readonly kind: Decision['kind']
  readonly release: ReleaseRecord
  readonly state: ReleaseState
  readonly tasks: readonly CoordinatorTaskState[]
  readonly effects: readonly Effect[]
  /** `error: request to …` */
  readonly events: readonly string[]
  /** `cancel TA_…` */
  readonly sends: readonly string[]
  readonly refusal: string | null
}

export function run(record: ReleaseRecord, command: Command, moment: Moment = momentAt(NOW)): Outcome {
  const decision = decide(record, command, moment)
  const release = decision.kind === 'next' ? decision.next : record
  const effects = decision.kind === 'unchanged' ? [] : decision.effects
  return {
    kind: decision.kind,
    release,
    state: release.state,
    tasks: release.tasks.map((task) => task.state),
    effects,
    events: effects.flatMap((one) => (one.type === 'event' ? `${one.eventType}: ${one.message}` : [])),
    sends: effects.flatMap((one) => (one.type === 'send' ? `${one.action} ${one.taskId}` : [])),
    refusal: decision.kind === 'refused' ? refusalText(decision.refusal) : null,
  }
}

function refusalText(refusal: Extract<Decision, { kind: 'refused' }>['refusal']): string {
  if (refusal.code === 'NOT_FOUND') return refusal.code
  return refusal.code === 'FIELD_FIXED' ? `${refusal.field}: ${refusal.message}` : refusal.message
}
