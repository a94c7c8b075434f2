import {
  isFinalCoordinatorTask,
  pathForward,
  type CoordinatorTaskState,
  type ReleaseState,
  type TaskId,
} from '@release-task/protocol'
import { moveTask, taskOf, type Change } from './change.ts'

/** States of a release in which a task may already have gone so far: every action that it takes was sent (RC-14). */
const NEEDS: { readonly [state in CoordinatorTaskState]?: readonly ReleaseState[] } = {
  initialized: ['initializing', 'running', 'staged', 'publishing'],
  running: ['running', 'staged', 'publishing'],
  staged: ['running', 'staged', 'publishing'],
  publishing: ['publishing'],
  published: ['publishing'],
}

/** Whether the actions that lead to `state` were sent; of a release that is stopped, before it was stopped. */
export function mayBe({ release }: Change, state: CoordinatorTaskState): boolean {
  return NEEDS[state]?.includes(release.stoppedFrom ?? release.state) ?? false
}

/** Whether `state` lies ahead of the task on its way to `published`. */
export function isAhead(change: Change, taskId: TaskId, state: CoordinatorTaskState): boolean {
  return pathForward(taskOf(change, taskId).state, state).length > 0
}

export function hasEnded(change: Change, taskId: TaskId): boolean {
  return isFinalCoordinatorTask(taskOf(change, taskId).state)
}

/** Passes every state between, each with its event (RC-14). A task that is already there, or has ended, stays. */
export function moveForward(change: Change, taskId: TaskId, to: CoordinatorTaskState): Change {
  return pathForward(taskOf(change, taskId).state, to).reduce(
    (so, state) => moveTask(so, taskId, state),
    change,
  )
}
