import {
  isFinalCoordinatorTask,
  isFinalRelease,
  pathForward,
  type CoordinatorTaskState,
  type ReleaseState,
  type TaskId,
} from '@release-task/protocol'
import { changeOf, moveTask, taskEvent, taskOf, withTask, type Change } from './change.ts'
import { moveForward } from './decide-answer.ts'
import type { Command, Decision, Word } from './decision.ts'
import type { CoordinatorTask } from './record.ts'
import { reachedState } from './settle.ts'
import { failTask, stopRelease } from './stop.ts'

type Of<T extends Command['type']> = Extract<Command, { type: T }>

/** States of a release in which a task may already have gone so far: the action that it takes was sent. */
const NEEDS: { readonly [state in CoordinatorTaskState]?: readonly ReleaseState[] } = {
  initialized: ['initializing', 'running', 'staged', 'publishing'],
  running: ['running', 'staged', 'publishing'],
  staged: ['running', 'staged', 'publishing'],
  publishing: ['publishing'],
  published: ['publishing'],
}

function mayBe(change: Change, state: CoordinatorTaskState): boolean {
  return NEEDS[state]?.includes(reachedState(change)) ?? false
}

/** A service reports (RC-23 to RC-26). What does not fit is refused, changes nothing, and is kept as an event. */
export function decideReport(change: Change, report: Of<'report'>): Change | Decision {
  const task = change.release.tasks.find((one) => one.id === report.taskId)
  if (!task) return { kind: 'refused', refusal: { code: 'NOT_FOUND' }, effects: [] }
  const { state } = report
  if (isFinalCoordinatorTask(task.state)) {
    const repeated = state === task.state && (report.progress === null || report.progress === task.progress)
    return repeated ? { kind: 'unchanged' } : refuse(change, task, report)
  }
  const heard = hear(change, task.id, report)
  if (state === null || state === task.state) return heard
  if (state === 'failed' || state === 'canceled') return ended(heard, task.id, state)
  const ahead = pathForward(task.state, state).length > 0
  return ahead && mayBe(change, state) ? moveForward(heard, task.id, state) : refuse(change, task, report)
}

function hear(change: Change, taskId: TaskId, word: Word): Change {
  const task = taskOf(change, taskId)
  return withTask(change, taskId, {
    progress: word.progress ?? task.progress,
    message: word.message ?? task.message,
    summary: word.summary ?? task.summary,
    needsAttention: false,
    lastActivityAt: change.moment.now,
  })
}

function refuse(change: Change, task: CoordinatorTask, report: Word): Decision {
  const said = report.state === null ? `progress ${report.progress}` : `state ${report.state}`
  const message = `The task in state ${task.state} of a release in state ${change.release.state} cannot take ${said}.`
  const before = changeOf(change.release, change.moment)
  const { effects } = taskEvent(before, task.id, 'warning', `report of task ${task.id} refused: ${message}`)
  return { kind: 'refused', refusal: { code: 'STATE_CONFLICT', message }, effects }
}

/** The service itself ended the task: it is not told `cancel` (RC-19). */
function ended(change: Change, taskId: TaskId, state: 'failed' | 'canceled'): Change {
  const heard = withTask(change, taskId, { cancelPending: false })
  if (state === 'failed')
    return failTask(heard, taskId, { state, reason: 'the service reports failed', itself: true })
  const moved = moveTask(heard, taskId, 'canceled')
  return stopRelease(moved, 'canceled', `task ${taskId}: the service reports canceled`, taskId)
}

/** What a poll shows is taken as a report would be, but nothing it shows is an error of the asker (RC-13, RC-14). */
export function decidePoll(change: Change, poll: Of<'poll'>): Change | Decision {
  const task = change.release.tasks.find((one) => one.id === poll.taskId)
  if (!task || isFinalCoordinatorTask(task.state) || task.lastActivityAt > poll.askedAt)
    return { kind: 'unchanged' }
  const { state } = poll
  if (state === 'failed' || state === 'canceled') return ended(hear(change, task.id, poll), task.id, state)
  const ahead = state !== null && pathForward(task.state, state).length > 0
  if (ahead && mayBe(change, state)) return moveForward(hear(change, task.id, poll), task.id, state)
  if (ahead) {
    const reason = `the service shows ${state} before it was asked to`
    return failTask(taskEvent(change, task.id, 'error', reason), task.id, {
      state: 'failed',
      reason,
      itself: false,
    })
  }
  if (poll.progress === null || poll.progress === task.progress) return { kind: 'unchanged' }
  return hear(change, task.id, poll)
}

/** The service does not know the task any more: nothing can come of it. */
export function decideLost(change: Change, { taskId, reason }: Of<'lost'>): Change | Decision {
  const task = change.release.tasks.find((one) => one.id === taskId)
  if (!task || isFinalCoordinatorTask(task.state) || isFinalRelease(change.release.state))
    return { kind: 'unchanged' }
  const told = taskEvent(
    change,
    taskId,
    'error',
    `request to get_status task failed: ${reason}`.slice(0, 1000),
  )
  return failTask(told, taskId, { state: 'failed', reason, itself: true })
}
