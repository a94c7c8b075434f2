import {
  isFinalCoordinatorTask,
  pathForward,
  type CoordinatorTaskState,
  type TaskId,
} from '@release-task/protocol'
import { moveTask, taskEvent, taskOf, withEffects, withTask, type Change } from './change.ts'
import type { Command, Decision } from './decision.ts'
import { failTask } from './stop.ts'

type Answer = Extract<Command, { type: 'answer' }>

/** What an accepted action means for the task at the least; the service may be further already (RC-12, RC-14). */
const ACCEPTED: { readonly [action: string]: CoordinatorTaskState } = {
  initialize: 'initialized',
  start: 'running',
  publish: 'publishing',
}

/** A service answered an action, or its deadline ended (RC-10). */
export function decideAnswer(change: Change, answer: Answer): Change | Decision {
  const { taskId, action, outcome } = answer
  if (!change.release.tasks.some((task) => task.id === taskId)) return { kind: 'unchanged' }
  const told = withEffects(change, { type: 'told', taskId, action })
  if (action === 'cancel') return answeredCancel(told, answer)
  if (outcome.kind === 'refused') return refused(told, answer, outcome.reason)
  const least = ACCEPTED[action] ?? 'initialized'
  const shown = outcome.state
  const target = shown && pathForward(least, shown).length > 0 ? shown : least
  return moveForward(told, taskId, target)
}

/** Passes every state between, each with its event. A task that is already there, or has ended, stays. */
export function moveForward(change: Change, taskId: TaskId, to: CoordinatorTaskState): Change {
  return pathForward(taskOf(change, taskId).state, to).reduce(
    (so, state) => moveTask(so, taskId, state),
    change,
  )
}

function refused(change: Change, { taskId, action }: Answer, reason: string): Change {
  const message = `request to ${action} task failed: ${reason}`.slice(0, 1000)
  const told = taskEvent(change, taskId, 'error', message)
  if (isFinalCoordinatorTask(taskOf(change, taskId).state)) return told
  // The service went on by itself in the meantime, so it had taken the action (RC-12).
  if (alreadyBeyond(change, taskId, action)) return told
  const state = action === 'initialize' && taskOf(change, taskId).state === 'waiting' ? 'rejected' : 'failed'
  return failTask(told, taskId, { state, reason, itself: false })
}

function alreadyBeyond(change: Change, taskId: TaskId, action: string): boolean {
  const { state } = taskOf(change, taskId)
  const least = ACCEPTED[action]
  return least !== undefined && (state === least || pathForward(least, state).length > 0)
}

/** `cancel` has been heard. A task that had been published before stays published (RC-21). */
function answeredCancel(change: Change, { taskId, outcome }: Answer): Change {
  const heard = withTask(change, taskId, { cancelPending: false })
  if (outcome.kind === 'refused') {
    const message = `request to cancel task failed: ${outcome.reason}`.slice(0, 1000)
    return endTask(taskEvent(heard, taskId, 'error', message), taskId, 'canceled')
  }
  const published = outcome.state === 'published' && taskOf(heard, taskId).state === 'publishing'
  if (published) return moveTask(heard, taskId, 'published')
  return endTask(heard, taskId, outcome.state === 'failed' ? 'failed' : 'canceled')
}

function endTask(change: Change, taskId: TaskId, to: 'canceled' | 'failed'): Change {
  return isFinalCoordinatorTask(taskOf(change, taskId).state) ? change : moveTask(change, taskId, to)
}
