import { taskEvent, withTask, type Change } from './change.ts'
import type { Decision, Moment } from './decision.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'
import { endUnanswered, stopRelease } from './stop.ts'

/** Time has passed: deadlines that ended (RC-17, RC-20). */
export function decideTick(change: Change): Change | Decision {
  const { release, moment } = change
  if (release.state === 'canceling' && moment.now >= release.since + moment.policy.actionDeadlineMs)
    return endUnanswered(change)
  const silent = release.tasks.filter((task) => isSilent(release, task, moment))
  const [first] = silent
  if (!first) return release.dueAt === nextLook(release, moment) ? { kind: 'unchanged' } : change
  if (release.state === 'publishing') return silent.reduce((so, task) => callForAttention(so, task), change)
  const reason = `task ${first.id} has not been heard of for too long`
  return stopRelease(taskEvent(change, first.id, 'error', reason), 'canceled', reason)
}

function worksNow(release: ReleaseRecord, task: CoordinatorTask): boolean {
  return (
    (release.state === 'running' && task.state === 'running') ||
    (release.state === 'publishing' && task.state === 'publishing')
  )
}

function isSilent(release: ReleaseRecord, task: CoordinatorTask, { now, policy }: Moment): boolean {
  return worksNow(release, task) && !task.needsAttention && now >= task.lastActivityAt + policy.taskTimeoutMs
}

/** From `publishing` on only a person ends a release: something may be public already. */
function callForAttention(change: Change, task: CoordinatorTask): Change {
  const marked = withTask(change, task.id, { needsAttention: true })
  return taskEvent(
    marked,
    task.id,
    'warning',
    `task ${task.id} needs attention: not heard of for too long while publishing`,
  )
}

/** When a release must be looked at again though nothing happens to it; null: never. */
export function nextLook(release: ReleaseRecord, { now, policy }: Moment): number | null {
  if (release.state === 'waiting') return Math.min(release.dueAt ?? now, now)
  if (release.state === 'canceling') return release.since + policy.actionDeadlineMs
  const times = release.tasks
    .filter((task) => worksNow(release, task) && !task.needsAttention)
    .map((task) => task.lastActivityAt + policy.taskTimeoutMs)
  return times.length === 0 ? null : Math.min(...times)
}
