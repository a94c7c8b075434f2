import type { CoordinatorTaskState, TaskId } from '@release-task/protocol'
import { moveTask, taskEvent, taskOf, withEffects, withTask, type Change } from './change.ts'
import { hasEnded, isAhead, mayBe, moveForward } from './decide-forward.ts'
import type { Command, Decision, Outcome } from './decision.ts'
import { failTask } from './stop.ts'

type Answer = Extract<Command, { type: 'answer' }>
type Refused = Extract<Outcome, { kind: 'refused' }>

/** What an accepted action means for the task at the least; the service may be further already (RC-10, RC-12). */
const ACCEPTED: { readonly [action: string]: CoordinatorTaskState } = {
  initialize: 'initialized',
  start: 'running',
  publish: 'publishing',
}

/** A service answered an action, or its deadline ended (RC-10). Late answers are judged by the present state (F-08). */
export function decideAnswer(change: Change, answer: Answer): Change | Decision {
  const { taskId, action, outcome } = answer
  if (!change.release.tasks.some((task) => task.id === taskId)) return { kind: 'unchanged' }
  const told = withEffects(change, { type: 'told', taskId, action })
  if (action === 'cancel') return answeredCancel(told, taskId, outcome)
  if (outcome.kind === 'refused') return refused(told, answer, outcome)
  const least = moveForward(told, taskId, ACCEPTED[action] ?? 'initialized')
  const { state } = outcome
  return state !== null && mayBe(change, state) ? moveForward(least, taskId, state) : least
}

function refused(change: Change, { taskId, action }: Answer, { reason, shown }: Refused): Change {
  const told = taskEvent(change, taskId, 'error', `request to ${action} task failed: ${reason}`)
  // It has ended, or the service went on by itself and so had taken the action (RC-12).
  if (isBeyond(change, taskId, action)) return told
  const state = action === 'initialize' ? 'rejected' : 'failed'
  return failTask(told, taskId, { state, reason, itself: shown === 'failed' || shown === 'canceled' })
}

function isBeyond(change: Change, taskId: TaskId, action: string): boolean {
  const least = ACCEPTED[action]
  return least !== undefined && !isAhead(change, taskId, least)
}

/** `cancel` has been heard, or refused for good: either way nobody waits for it any more (RC-10, RC-20). */
function answeredCancel(change: Change, taskId: TaskId, outcome: Outcome): Change {
  const heard = withTask(change, taskId, { cancelPending: false })
  if (outcome.kind === 'accepted') return endAs(heard, taskId, outcome.state)
  const message = `request to cancel task failed: ${outcome.reason}`
  return endAs(taskEvent(heard, taskId, 'error', message), taskId, outcome.shown)
}

/** A task ends as its service shows it: one that had published stays published (RC-21). */
function endAs(change: Change, taskId: TaskId, shown: CoordinatorTaskState | null): Change {
  if (shown === 'published') return endPublished(change, taskId)
  if (hasEnded(change, taskId)) return change
  return moveTask(change, taskId, shown === 'failed' ? 'failed' : 'canceled')
}

function endPublished(change: Change, taskId: TaskId): Change {
  const { state } = taskOf(change, taskId)
  if (state === 'published') return change
  if (!hasEnded(change, taskId) && mayBe(change, 'published')) return moveForward(change, taskId, 'published')
  // Too late for the task's own state, and yet people must know.
  const message = `task ${taskId} is ${state} here, and its service shows published`
  const told = taskEvent(change, taskId, 'warning', message)
  return hasEnded(told, taskId) ? told : moveTask(told, taskId, 'canceled')
}
