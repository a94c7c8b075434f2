import { releaseEvent, taskEvent, withRelease, withTask, type Change } from './change.ts'
import {
  isBoundBySetting,
  overdueText,
  pendingDeadlines,
  timeoutText,
  type Deadline,
} from './decide-deadlines.ts'
import type { Decision, Moment } from './decision.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'
import { endUnanswered, stopRelease } from './stop.ts'

/** Time has passed: deadlines that ended (RC-17, RC-20, RC-38). */
export function decideTick(change: Change): Change | Decision {
  const { release, moment } = change
  if (release.state === 'canceling' && moment.now >= release.since + moment.policy.actionDeadlineMs)
    return endUnanswered(change)
  const expired = release.state === 'publishing' ? askForPerson(change) : cancelExpired(change)
  if (expired !== change) return expired
  return release.dueAt === nextLook(release, moment) ? { kind: 'unchanged' } : change
}

interface Overdue {
  readonly task: CoordinatorTask
  readonly deadline: Deadline
}

/** Every deadline of a task that has ended, and had not when somebody looked last. */
function overdueIn({ release, moment: { now, policy } }: Change): Overdue[] {
  return release.tasks.flatMap((task) =>
    pendingDeadlines(release, task, policy)
      .filter(({ endsAt }) => now >= endsAt)
      .map((deadline) => ({ task, deadline })),
  )
}

/** Nothing is public yet: an expired deadline cancels the release. */
function cancelExpired(change: Change): Change {
  const { release, moment } = change
  const [first] = overdueIn(change)
  if (first) {
    const { id, serviceId } = first.task
    const why = overdueText(release, first.task, first.deadline)
    const reason = `task ${id} of task service ${serviceId}: ${why}`
    return stopRelease(taskEvent(change, id, 'error', reason), 'canceled', reason)
  }
  if (!isExpired(release, moment)) return change
  const why = timeoutText(release, moment.policy)
  const reason = `release ${release.id} has been ${release.state} for too long: ${why}`
  return stopRelease(releaseEvent(change, 'error', reason), 'canceled', reason)
}

/** From `publishing` on only a person ends a release: something may be public already. */
function askForPerson(change: Change): Change {
  const { release, moment } = change
  const marked = overdueIn(change).reduce(callForAttention, change)
  if (!isExpired(release, moment)) return marked
  const why = timeoutText(release, moment.policy)
  const message = `release ${release.id} needs attention: it has been publishing for too long: ${why}`
  return releaseEvent(withRelease(marked, { needsAttention: true }), 'warning', message)
}

/** Marks a task for a person; its state stays (RC-17, RC-38). */
function callForAttention(change: Change, { task, deadline }: Overdue): Change {
  const { id, serviceId } = task
  const ended = overdueText(change.release, task, deadline)
  // Whoever is called wants to know at once what the code says.
  const failed = task.needsAttention ? null : task.lastError
  const lastError = failed === null ? ended : `${ended}; last error: ${failed}`
  const marked = withTask(change, id, { needsAttention: true, lastError, overdue: deadline.name })
  const message = `task ${id} of task service ${serviceId} needs attention: ${lastError}`
  return taskEvent(marked, id, 'warning', message)
}

/** Phases that RELEASE_TIMEOUT bounds; `staged` waits for a person as long as that takes. */
function isTimed(release: ReleaseRecord, { policy }: Moment): boolean {
  const { state, needsAttention } = release
  const isPhase = state === 'initializing' || state === 'running' || state === 'publishing'
  return isPhase && !needsAttention && isBoundBySetting(release, policy)
}

function isExpired(release: ReleaseRecord, moment: Moment): boolean {
  return isTimed(release, moment) && moment.now >= release.since + moment.policy.releaseTimeoutMs
}

/** When a release must be looked at again though nothing happens to it; null: never. */
export function nextLook(release: ReleaseRecord, moment: Moment): number | null {
  const { now, policy } = moment
  if (release.state === 'waiting') return Math.min(release.dueAt ?? now, now)
  if (release.state === 'canceling') return release.since + policy.actionDeadlineMs
  const ends = release.tasks.flatMap((task) =>
    pendingDeadlines(release, task, policy).map((one) => one.endsAt),
  )
  const times = isTimed(release, moment) ? [...ends, release.since + policy.releaseTimeoutMs] : ends
  return times.length === 0 ? null : Math.min(...times)
}
