import type { Policy } from './decision.ts'
import { NO_DEADLINES, type CoordinatorTask, type DeadlineName, type ReleaseRecord } from './record.ts'

/** A release as far as deadlines depend on it. */
export type Phase = Pick<ReleaseRecord, 'state' | 'since'>

/** A deadline that runs now; times are epoch milliseconds. */
export interface Deadline {
  readonly name: DeadlineName
  readonly forMs: number
  readonly endsAt: number
  /** The service's own; else a setting's. */
  readonly isOwn: boolean
}

/** The state in which a task has not yet taken what all tasks of the release are told now. */
const TO_TAKE: { readonly [release: string]: { readonly state: string; readonly action: string } } = {
  initializing: { state: 'waiting', action: 'initialize' },
  running: { state: 'initialized', action: 'start' },
  publishing: { state: 'staged', action: 'publish' },
}

const WITHOUT_END_MS = 365 * 24 * 60 * 60 * 1000 // a year, the longest deadline that can be set

/** How long an action is told: where the service has its own `accept`, until the release is stopped (RC-7, RC-38). */
export function toldForMs({ accept } = NO_DEADLINES, settingMs: number): number {
  return accept === null ? settingMs : WITHOUT_END_MS
}

/** Whether the service works on the task now, in a release that waits for it. */
export function worksNow(release: Phase, task: CoordinatorTask): boolean {
  return (
    (release.state === 'running' && task.state === 'running') ||
    (release.state === 'publishing' && task.state === 'publishing')
  )
}

/**
 * The deadlines that run for a task: its own, and settings where it has none (RC-38). `accept` counts from when the
 * action was told, `silence` from the last accepted word, an own `total` from when the task's phase began.
 */
export function deadlinesOf(release: Phase, task: CoordinatorTask, policy: Policy): Deadline[] {
  const { accept, silence, total } = task.deadlines
  if (TO_TAKE[release.state]?.state === task.state) {
    const isPublish = release.state === 'publishing'
    const settingMs = isPublish ? policy.publishDeadlineMs : policy.actionDeadlineMs
    return [deadline('accept', release.since, accept, settingMs)]
  }
  if (!worksNow(release, task)) return []
  const phase = total === null ? release.since : task.since
  return [
    deadline('silence', task.lastActivityAt, silence, policy.taskTimeoutMs),
    deadline('total', phase, total, policy.releaseTimeoutMs),
  ]
}

function deadline(name: DeadlineName, from: number, ownMs: number | null, settingMs: number): Deadline {
  const forMs = ownMs ?? settingMs
  return { name, forMs, endsAt: from + forMs, isOwn: ownMs !== null }
}

/**
 * The deadlines of a task whose end has a consequence here. ACTION_DEADLINE and PUBLISH_DEADLINE end by a refusal
 * (RC-7), RELEASE_TIMEOUT is the release's. What a person was called for once is not told again.
 */
export function pendingDeadlines(release: Phase, task: CoordinatorTask, policy: Policy): Deadline[] {
  const isTold = ({ name }: Deadline) => task.needsAttention && (name === 'silence' || name === task.overdue)
  return deadlinesOf(release, task, policy).filter(
    (one) => (one.isOwn || one.name === 'silence') && !isTold(one),
  )
}

/** Whether RELEASE_TIMEOUT bounds the phase: not where all that hold it up have deadlines of their own (RC-38). */
export function isBoundBySetting(release: ReleaseRecord, policy: Policy): boolean {
  const behind = release.tasks.filter((task) => deadlinesOf(release, task, policy).length > 0)
  return behind.length === 0 || boundBySetting(release, policy).length > 0
}

/** The tasks that hold the phase up and have nothing of their own that ends, but for a silence. */
function boundBySetting(release: ReleaseRecord, policy: Policy): CoordinatorTask[] {
  return release.tasks.filter((task) => {
    const deadlines = deadlinesOf(release, task, policy)
    return deadlines.length > 0 && !deadlines.some((one) => one.isOwn && one.name !== 'silence')
  })
}

/** That RELEASE_TIMEOUT has ended, and for whom. */
export function timeoutText(release: ReleaseRecord, policy: Policy): string {
  const tasks = boundBySetting(release, policy).map(
    ({ id, serviceId }) => `task ${id} of task service ${serviceId}`,
  )
  const whom = tasks.length === 0 ? '' : ` for ${tasks.join(', ')}`
  return `RELEASE_TIMEOUT of ${lengthText(policy.releaseTimeoutMs)} has ended${whom}`
}

const lengthText = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`)

/** A word of the service ends a silence, but not that its phase, or the taking of an action, takes too long. */
export function isOverStill({ overdue }: CoordinatorTask): boolean {
  return overdue === 'accept' || overdue === 'total'
}

/** Which deadline ended and how long it was, for the event and the person who reads it. */
export function overdueText(release: Phase, task: CoordinatorTask, { name, forMs, isOwn }: Deadline): string {
  const setting = isOwn ? '' : ' (TASK_TIMEOUT)'
  const what = {
    accept: `${TO_TAKE[release.state]?.action ?? 'the action'} was not taken`,
    silence: `it has not been heard of for that long while ${task.state}`,
    total: `it is still ${task.state}`,
  }[name]
  return `deadline ${name} of ${lengthText(forMs)}${setting} has ended: ${what}`
}
