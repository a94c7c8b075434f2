import { isFinalCoordinatorTask, type CoordinatorTaskState, type TaskId } from '@release-task/protocol'
import { changeOf, moveTask, taskEvent, taskOf, withTask, type Change } from './change.ts'
import { isAhead, mayBe, moveForward } from './decide-forward.ts'
import { isOverStill, worksNow } from './decide-deadlines.ts'
import type { Command, Decision, Word } from './decision.ts'
import type { CoordinatorTask } from './record.ts'
import { failTask, stopRelease, tellNoMore } from './stop.ts'

type Of<T extends Command['type']> = Extract<Command, { type: T }>

/** A service reports (RC-23 to RC-26). What does not fit is refused, changes nothing, and is kept as an event. */
export function decideReport(change: Change, report: Of<'report'>): Change | Decision {
  const task = change.release.tasks.find((one) => one.id === report.taskId)
  if (!task) return { kind: 'refused', refusal: { code: 'NOT_FOUND' }, effects: [] }
  const { state } = report
  if (saysNothing(report)) return { kind: 'unchanged' }
  if (isFinalCoordinatorTask(task.state)) {
    const repeated = state === task.state && (report.progress === null || report.progress === task.progress)
    return repeated ? { kind: 'unchanged' } : refuse(change, task, report)
  }
  const heard = hear(report.unconfirmed ? warnUnconfirmed(change, task.id) : change, task.id, report)
  if (state === null || state === task.state) return heard
  if (state === 'failed' || state === 'canceled') return ended(heard, task.id, report)
  const legal = isAhead(change, task.id, state) && mayBe(change, state)
  return legal ? forward(heard, task.id, { ...report, state }) : refuse(change, task, report)
}

/** Whoever looks at the release later must see that this rests on an address alone (AU-10). */
function warnUnconfirmed(change: Change, taskId: TaskId): Change {
  const message = `report of task ${taskId} believed without a token: its service cannot answer get_status`
  return taskEvent(change, taskId, 'warning', message)
}

function saysNothing(word: Word): boolean {
  return !isActivity(word) && word.attempt === null && word.error === null
}

/** That work fails or begins again is none: who is called for a silence must not wait for what never gets on (RC-39). */
function isActivity({ state, progress, message, summary }: Word): boolean {
  return state !== null || progress !== null || message !== null || summary !== null
}

function hear(change: Change, taskId: TaskId, word: Word): Change {
  const heard = isActivity(word) ? hearActivity(change, taskId, word) : change
  const task = taskOf(heard, taskId)
  // A report may be held up on its way until after that of the next attempt.
  if (task.attempt !== null && word.attempt !== null && word.attempt < task.attempt) return heard
  return withTask(heard, taskId, {
    attempt: word.attempt ?? task.attempt,
    lastError: word.error ?? task.lastError,
  })
}

function hearActivity(change: Change, taskId: TaskId, word: Word): Change {
  const task = taskOf(change, taskId)
  return withTask(change, taskId, {
    progress: word.progress ?? task.progress,
    message: word.message ?? task.message,
    summary: word.summary ?? task.summary,
    // What a person was called for is over once the service is heard of, unless it was no silence (RC-38).
    ...(isOverStill(task)
      ? {}
      : { needsAttention: false, overdue: null, lastError: task.needsAttention ? null : task.lastError }),
    lastActivityAt: change.moment.now,
  })
}

/** Accepted, and the states between are passed; whoever has published is told nothing any more (RC-19). */
function forward(
  change: Change,
  taskId: TaskId,
  { state, attempt }: Word & { readonly state: CoordinatorTaskState },
): Change {
  const passed = moveForward(change, taskId, state)
  // The attempt is one of the phase that it has come to, also where that one was passed unseen.
  const moved = withTask(passed, taskId, { attempt: attempt ?? taskOf(passed, taskId).attempt })
  return state === 'published' ? tellNoMore(moved, taskId) : moved
}

function refuse(change: Change, task: CoordinatorTask, report: Word): Decision {
  const message = `The task in state ${task.state} of a release in state ${change.release.state} cannot take ${wordText(report)}.`
  const before = changeOf(change.release, change.moment)
  const { effects } = taskEvent(before, task.id, 'warning', `report of task ${task.id} refused: ${message}`)
  return { kind: 'refused', refusal: { code: 'STATE_CONFLICT', message }, effects }
}

function wordText(word: Word): string {
  const { state, progress, attempt } = word
  if (state !== null) return `state ${state}`
  if (progress !== null) return `progress ${progress}`
  return isActivity(word) ? 'a message or summary' : `news of attempt ${attempt ?? 'unknown'}`
}

/** The service itself ended the task: there is nothing left to tell it (RC-19). */
function ended(change: Change, taskId: TaskId, { state, ...word }: Word): Change {
  const heard = tellNoMore(change, taskId)
  if (state === 'failed') {
    // In its own words, where it has some: whoever looks at the release wants the cause, not the fact.
    const cause = word.message ?? word.error
    const reason = cause === null ? 'the service reports failed' : `the service reports failed: ${cause}`
    return failTask(heard, taskId, { state, reason: reason.slice(0, 900), itself: true })
  }
  const moved = moveTask(heard, taskId, 'canceled')
  return stopRelease(moved, 'canceled', `task ${taskId}: the service reports canceled`, taskId)
}

/** A poll is about the task as it was when the question was sent; of another one it says nothing (RC-15, F-03). */
function polledTask(change: Change, { taskId, askedAt }: Of<'poll'> | Of<'lost'>): CoordinatorTask | null {
  const task = change.release.tasks.find((one) => one.id === taskId)
  // In the same millisecond it may have been before or after; the next poll tells.
  return !task || isFinalCoordinatorTask(task.state) || task.lastActivityAt >= askedAt ? null : task
}

/** What a poll shows is taken as a report would be, but nothing it shows is an error of the asker (RC-13, RC-14). */
export function decidePoll(change: Change, poll: Of<'poll'>): Change | Decision {
  const task = polledTask(change, poll)
  const { state } = poll
  if (!task || state === null) return { kind: 'unchanged' }
  if (state === 'failed' || state === 'canceled') return ended(hear(change, task.id, poll), task.id, poll)
  if (state === task.state) return decideNews(change, task, poll)
  if (!isAhead(change, task.id, state)) return { kind: 'unchanged' }
  if (mayBe(change, state)) return forward(hear(change, task.id, poll), task.id, { ...poll, state })
  const reason = `the service shows ${state}, and was never told to publish`
  const told = taskEvent(change, task.id, 'error', `task ${task.id}: ${reason}`)
  return failTask(told, task.id, { state: 'failed', reason, itself: false })
}

/** Only news counts as activity: a service that says the same for ever is as good as silent (RC-17). */
function decideNews(
  change: Change,
  task: CoordinatorTask,
  { progress, message, ...poll }: Word,
): Change | Decision {
  const isNew = (progress ?? task.progress) !== task.progress || (message ?? task.message) !== task.message
  return isNew ? hear(change, task.id, { progress, message, ...poll }) : { kind: 'unchanged' }
}

/** The service does not know the task any more: nothing can come of it, also while publishing (RC-16). */
export function decideLost(change: Change, lost: Of<'lost'>): Change | Decision {
  const task = polledTask(change, lost)
  if (!task || !worksNow(change.release, task)) return { kind: 'unchanged' }
  const reason = `the service does not know the task: ${lost.reason}`
  const told = taskEvent(change, task.id, 'error', `task ${task.id}: ${reason}`)
  return failTask(told, task.id, { state: 'failed', reason, itself: false })
}
