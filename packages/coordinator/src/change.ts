import {
  canMoveCoordinatorTask,
  canMoveRelease,
  isFinalCoordinatorTask,
  type CoordinatorTaskState,
  type ReleaseState,
  type TaskId,
} from '@release-task/protocol'
import type { Effect, EventType, Moment } from './decision.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'

/** A release on its way through one decision: what it has become, and what goes with that. */
export interface Change {
  readonly release: ReleaseRecord
  readonly effects: readonly Effect[]
  readonly moment: Moment
}

export function changeOf(release: ReleaseRecord, moment: Moment): Change {
  return { release, effects: [], moment }
}

export function withEffects(change: Change, ...effects: readonly Effect[]): Change {
  return { ...change, effects: [...change.effects, ...effects] }
}

/** What is stored as text of an event is at most so long (CR-36). */
const MOST_CHARACTERS = 1000

export function withRelease(change: Change, fields: Partial<ReleaseRecord>): Change {
  return { ...change, release: { ...change.release, ...fields } }
}

export function taskOf(change: Change, taskId: TaskId): CoordinatorTask {
  const task = change.release.tasks.find((one) => one.id === taskId)
  if (!task) throw new Error(`Release ${change.release.id} has no task ${taskId}`)
  return task
}

export function withTask(change: Change, taskId: TaskId, fields: Partial<CoordinatorTask>): Change {
  const tasks = change.release.tasks.map((task) => (task.id === taskId ? { ...task, ...fields } : task))
  return withRelease(change, { tasks })
}

/** An event about the whole release. */
export function releaseEvent(change: Change, eventType: EventType, message: string): Change {
  const text = message.slice(0, MOST_CHARACTERS)
  return withEffects(change, { type: 'event', eventType, message: text, taskId: null, serviceId: null })
}

/** An event about one task. */
export function taskEvent(change: Change, taskId: TaskId, eventType: EventType, message: string): Change {
  const { serviceId } = taskOf(change, taskId)
  const text = message.slice(0, MOST_CHARACTERS)
  return withEffects(change, { type: 'event', eventType, message: text, taskId, serviceId })
}

/**
 * Moves the release. The message has the exact shape that readers parse: its last word is the new state (RC-31).
 * @throws Error where the table of moves has no such move: a mistake in our code, never in the input
 */
export function moveRelease(change: Change, to: ReleaseState): Change {
  const { id, version, state: from } = change.release
  if (!canMoveRelease(from, to)) throw new Error(`Release ${id} cannot move from ${from} to ${to}`)
  const moved = withRelease(change, { state: to, since: change.moment.now, needsAttention: false })
  const message = `release ${id}, version ${version} changed from ${from} to ${to}`
  return releaseEvent(moved, to === 'failed' ? 'error' : 'info', message)
}

/** Moves a task, with the event that tells it (RC-31). @throws Error as `moveRelease` */
export function moveTask(change: Change, taskId: TaskId, to: CoordinatorTaskState): Change {
  const { state: from, id, lastError } = taskOf(change, taskId)
  if (!canMoveCoordinatorTask(from, to)) throw new Error(`Task ${id} cannot move from ${from} to ${to}`)
  const { now } = change.moment
  const progress = progressAt(to)
  const moved = withTask(change, taskId, {
    state: to,
    since: now,
    lastActivityAt: now,
    needsAttention: false,
    overdue: null,
    // What a person was called for, or an attempt has failed by, is over where the task goes on; where it ends it
    // tells why.
    lastError: GOES_ON.includes(to) ? null : lastError,
    ...progress,
  })
  const eventType = to === 'failed' || to === 'rejected' ? 'error' : 'info'
  return polling(taskEvent(moved, taskId, eventType, `task ${id} changed from ${from} to ${to}`), taskId, to)
}

const GOES_ON: readonly CoordinatorTaskState[] = ['staged', 'publishing', 'published']

const BEGINS = { progress: 0, message: null, attempt: null }

/** Each phase has a progress, and attempts, of its own. */
function progressAt(state: CoordinatorTaskState): Partial<CoordinatorTask> {
  if (state === 'staged' || state === 'published') return { progress: 100, message: null }
  return state === 'running' || state === 'publishing' ? BEGINS : {}
}

/** Only work that runs is asked how far it is (RC-15). */
function polling(change: Change, taskId: TaskId, state: CoordinatorTaskState): Change {
  if (state === 'running' || state === 'publishing') return withEffects(change, { type: 'poll_from', taskId })
  if (state === 'staged' || isFinalCoordinatorTask(state))
    return withEffects(change, { type: 'poll_no_more', taskId })
  return change
}

export function send(
  change: Change,
  taskId: TaskId,
  action: 'initialize' | 'start' | 'publish' | 'cancel',
  forMs: number,
): Change {
  return withEffects(change, { type: 'send', taskId, action, forMs })
}

/** The same step for every task, in order. */
export function forEachTask(change: Change, step: (change: Change, task: CoordinatorTask) => Change): Change {
  return change.release.tasks.reduce(step, change)
}
