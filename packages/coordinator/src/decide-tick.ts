import { releaseEvent, taskEvent, withRelease, withTask, type Change } from './change.ts'
import type { Decision, Moment } from './decision.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'
import { endUnanswered, stopRelease } from './stop.ts'

/** Time has passed: deadlines that ended (RC-17, RC-20). */
export function decideTick(change: Change): Change | Decision {
  const { release, moment } = change
  if (release.state === 'canceling' && moment.now >= release.since + moment.policy.actionDeadlineMs)
    return endUnanswered(change)
  const expired = release.state === 'publishing' ? askForPerson(change) : cancelExpired(change)
  if (expired !== change) return expired
  return release.dueAt === nextLook(release, moment) ? { kind: 'unchanged' } : change
}

/** Nothing is public yet: an expired deadline cancels the release. */
function cancelExpired(change: Change): Change {
  const { release, moment } = change
  const silent = release.tasks.find((task) => isSilent(release, task, moment))
  if (silent) {
    const reason = `task ${silent.id} has not been heard of for too long`
    return stopRelease(taskEvent(change, silent.id, 'error', reason), 'canceled', reason)
  }
  if (!isExpired(release, moment)) return change
  const reason = `release ${release.id} has been ${release.state} for too long`
  return stopRelease(releaseEvent(change, 'error', reason), 'canceled', reason)
}

/** From `publishing` on only a person ends a release: something may be public already. */
function askForPerson(change: Change): Change {
  const { release, moment } = change
  const silent = release.tasks.filter((task) => isSilent(release, task, moment))
  const marked = silent.reduce(
    (so, task) => callForAttention(so, task, 'has not been heard of for too long while publishing'),
    change,
  )
  if (!isExpired(release, moment)) return marked
  const message = `release ${release.id} needs attention: it has been publishing for too long`
  return releaseEvent(withRelease(marked, { needsAttention: true }), 'warning', message)
}

/** Marks a task for a person; its state stays (RC-17). */
function callForAttention(change: Change, task: CoordinatorTask, why: string): Change {
  const marked = withTask(change, task.id, { needsAttention: true, lastError: why })
  return taskEvent(marked, task.id, 'warning', `task ${task.id} needs attention: ${why}`)
}

/** Whether the service works on the task now, in a release that waits for it. */
export function worksNow(release: ReleaseRecord, task: CoordinatorTask): boolean {
  return (
    (release.state === 'running' && task.state === 'running') ||
    (release.state === 'publishing' && task.state === 'publishing')
  )
}

function isSilent(release: ReleaseRecord, task: CoordinatorTask, { now, policy }: Moment): boolean {
  return worksNow(release, task) && !task.needsAttention && now >= task.lastActivityAt + policy.taskTimeoutMs
}

/** Phases that RELEASE_TIMEOUT bounds; `staged` waits for a person as long as that takes. */
function isTimed({ state, needsAttention }: ReleaseRecord): boolean {
  return !needsAttention && (state === 'initializing' || state === 'running' || state === 'publishing')
}

function isExpired(release: ReleaseRecord, { now, policy }: Moment): boolean {
  return isTimed(release) && now >= release.since + policy.releaseTimeoutMs
}

/** When a release must be looked at again though nothing happens to it; null: never. */
export function nextLook(release: ReleaseRecord, { now, policy }: Moment): number | null {
  if (release.state === 'waiting') return Math.min(release.dueAt ?? now, now)
  if (release.state === 'canceling') return release.since + policy.actionDeadlineMs
  const silences = release.tasks
    .filter((task) => worksNow(release, task) && !task.needsAttention)
    .map((task) => task.lastActivityAt + policy.taskTimeoutMs)
  const times = isTimed(release) ? [...silences, release.since + policy.releaseTimeoutMs] : silences
  return times.length === 0 ? null : Math.min(...times)
}
