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
  withEffects,
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
  const decided = withRelease(change, { outcome, reason, stoppedFrom: state })
  const moved = moveRelease(decided, 'canceling')
  return forEachTask(moved, (so, task) => tellCancel(so, task, task.id === ended))
}

function tellCancel(change: Change, task: CoordinatorTask, endedItself: boolean): Change {
  if (endedItself || task.state === 'published' || task.state === 'canceled')
    return tellNoMore(change, task.id)
  return send(withTask(change, task.id, { cancelPending: true }), task.id, 'cancel', CANCEL_FOR_MS)
}

/** The service has said the last word: what was still to be told to it must not be sent any more (RC-5, RC-19). */
export function tellNoMore(change: Change, taskId: TaskId): Change {
  return withEffects(withTask(change, taskId, { cancelPending: false }), { type: 'tell_no_more', taskId })
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

/** The time to answer is over: the release ends, and the services that did not answer are named (RC-20). */
export function endUnanswered(change: Change): Change {
  const silent = change.release.tasks.filter((task) => task.cancelPending)
  return end(silent.reduce(tellSilent, change))
}

function tellSilent(change: Change, { id, serviceId }: CoordinatorTask): Change {
  const message = `task service ${serviceId} has not acknowledged cancel of task ${id}; it is told for 24 hours`
  return taskEvent(change, id, 'warning', message)
}

function end(change: Change): Change {
  const canceled = forEachTask(change, (so, task) =>
    isFinalCoordinatorTask(taskOf(so, task.id).state) ? so : moveTask(so, task.id, 'canceled'),
  )
  return moveRelease(tellPartial(canceled), change.release.outcome ?? 'canceled')
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
