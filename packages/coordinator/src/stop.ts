import {
  isFinalCoordinatorTask,
  isFinalRelease,
  type ReleaseOutcome,
  type TaskId,
} from '@release-task/protocol'
import {
  forEachTask,
  moveRelease,
  moveTask,
  releaseEvent,
  send,
  taskEvent,
  taskOf,
  withRelease,
  withTask,
  type Change,
} from './change.ts'
import type { CoordinatorTask } from './record.ts'

const CANCEL_FOR_MS = 24 * 60 * 60 * 1000 // 24 h: a service that is away for the night hears of it in the morning

/**
 * Stops a release: how it will end is decided here, once (RC-18). `cancel` goes to every task that may have been
 * told anything, unless its service itself said that it ended (RC-19).
 * @param ended the task whose service reported its end
 */
export function stopRelease(
  change: Change,
  outcome: ReleaseOutcome,
  reason: string,
  ended: TaskId | null = null,
): Change {
  const { state } = change.release
  if (isFinalRelease(state) || state === 'canceling') return change
  const { now, policy } = change.moment
  const decided = withRelease(change, { outcome, reason, stoppedFrom: state })
  const moved = moveRelease(decided, 'canceling')
  const told = forEachTask(moved, (so, task) => tellCancel(so, task, task.id === ended))
  return withRelease(told, { dueAt: now + policy.actionDeadlineMs })
}

function tellCancel(change: Change, task: CoordinatorTask, endedItself: boolean): Change {
  if (endedItself || task.state === 'published' || task.state === 'canceled') return change
  return send(withTask(change, task.id, { cancelPending: true }), task.id, 'cancel', CANCEL_FOR_MS)
}

/** A task ends badly, and its release with it. */
export function failTask(
  change: Change,
  taskId: TaskId,
  { state, reason, itself }: { state: 'failed' | 'rejected'; reason: string; itself: boolean },
): Change {
  const failed = withTask(moveTask(change, taskId, state), taskId, { lastError: reason })
  return stopRelease(failed, 'failed', `task ${taskId}: ${reason}`, itself ? taskId : null)
}

/** The last step of a release that is being stopped, once nobody is waited for. */
export function endIfAllAnswered(change: Change): Change {
  const { release } = change
  if (release.state !== 'canceling' || release.tasks.some((task) => task.cancelPending)) return change
  return end(change)
}

/** The time to answer is over: the release ends, and who did not answer is named (RC-20). */
export function endUnanswered(change: Change): Change {
  const silent = change.release.tasks.filter((task) => task.cancelPending)
  const told = silent.reduce(
    (so, task) =>
      taskEvent(
        so,
        task.id,
        'warning',
        `task ${task.id} has not acknowledged cancel; it is told for 24 hours`,
      ),
    change,
  )
  return end(told)
}

function end(change: Change): Change {
  const canceled = forEachTask(change, (so, task) =>
    isFinalCoordinatorTask(taskOf(so, task.id).state) ? so : moveTask(so, task.id, 'canceled'),
  )
  const ended = moveRelease(tellPartial(canceled), change.release.outcome ?? 'canceled')
  return withRelease(ended, { dueAt: null })
}

/** What became public stays public; people must know (RC-21). */
function tellPartial(change: Change): Change {
  const published = change.release.tasks.filter((task) => task.state === 'published').map((task) => task.id)
  if (published.length === 0) return change
  return releaseEvent(
    change,
    'warning',
    `release ${change.release.id} was partially published: ${published.join(', ')}`,
  )
}
