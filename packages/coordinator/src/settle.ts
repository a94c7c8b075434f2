import { pathForward, type CoordinatorTaskState } from '@release-task/protocol'
import {
  forEachTask,
  moveRelease,
  releaseEvent,
  send,
  withEffects,
  withRelease,
  type Change,
} from './change.ts'
import { toldForMs } from './decide-deadlines.ts'
import { endIfAllAnswered } from './stop.ts'
import { publishedVersion } from './version.ts'

/**
 * Takes the release as far as its tasks allow. It runs inside the decision that changed the last task, so nobody
 * else can have seen "all but one" at the same time (RC-1).
 */
export function settle(change: Change): Change {
  const next = step(change)
  return next === change ? change : settle(next)
}

function step(change: Change): Change {
  switch (change.release.state) {
    case 'initializing':
      return allReached(change, 'initialized') ? startAll(change) : change
    case 'running':
      return allReached(change, 'staged') ? moveRelease(change, 'staged') : change
    case 'publishing':
      return allReached(change, 'published') ? complete(change) : change
    case 'canceling':
      return endIfAllAnswered(change)
    default:
      return change
  }
}

function allReached(change: Change, state: CoordinatorTaskState): boolean {
  return change.release.tasks.every(
    (task) => task.state === state || pathForward(state, task.state).length > 0,
  )
}

function startAll(change: Change): Change {
  const { actionDeadlineMs } = change.moment.policy
  return forEachTask(moveRelease(change, 'running'), (so, task) =>
    send(so, task.id, 'start', toldForMs(task.deadlines, actionDeadlineMs)),
  )
}

export function publishAll(change: Change): Change {
  const { publishDeadlineMs } = change.moment.policy
  return forEachTask(moveRelease(change, 'publishing'), (so, task) =>
    send(so, task.id, 'publish', toldForMs(task.deadlines, publishDeadlineMs)),
  )
}

/** The final version exists from here on only, and the event already names it (RC-29, RC-32). */
function complete(change: Change): Change {
  const { latestVersion } = change.moment
  const version = publishedVersion(latestVersion, change.release.isMajor)
  const raised = withEffects(withRelease(change, { version }), {
    type: 'version',
    from: latestVersion,
    to: version,
  })
  return moveRelease(raised, 'published')
}

/** A release that nobody takes part in is staged at once, and says so (RC-3). */
export function warnIfNobody(change: Change): Change {
  if (change.release.tasks.length > 0) return change
  return releaseEvent(
    change,
    'warning',
    `release ${change.release.id} has no enabled task service; nothing is prepared`,
  )
}
