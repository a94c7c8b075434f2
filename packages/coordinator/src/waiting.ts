import { isFinalCoordinatorTask, isFinalRelease, type WaitingFor } from '@release-task/protocol'
import { deadlinesOf, type Deadline, type Phase } from './decide-deadlines.ts'
import type { Policy } from './decision.ts'
import type { OutboxRow } from './outbox.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

const NOTHING = { attempt: null, last_error: null, next_try: null, gives_up_at: null }

/** Where a task stands: its release, what is still to be told to its service, and the settings. */
export interface Place {
  readonly release: Phase
  readonly row: OutboxRow | null
  readonly policy: Policy
}

/** What a task waits for, as the coordinator knows it (WK-21, WK-22). null: nothing, it has ended. */
export function taskWaitingFor(task: CoordinatorTask, place: Place): WaitingFor | null {
  const { row } = place
  const gives_up_at = givesUpAt(task, place)
  const isTold = row && (task.cancelPending || !isFinalCoordinatorTask(task.state))
  // A person who was called because `publish` is not taken is waited for; who has canceled is not.
  if (isTold && !(task.needsAttention && row.action === 'publish'))
    return { ...waitingForAnswer(task, row), gives_up_at }
  if (isFinalCoordinatorTask(task.state)) return null
  const { lastError: last_error, attempt } = task
  const base = { ...NOTHING, since: iso(task.since), last_error }
  if (task.needsAttention)
    return {
      ...base,
      whom: 'person',
      what: `needs a person to look at it: ${task.lastError ?? 'no word of it'}`,
    }
  if (task.state === 'publishing')
    return { ...base, attempt, whom: 'service', what: 'waits for the service to report published' }
  if (task.state === 'running')
    return { ...base, attempt, whom: 'service', what: 'waits for the service to report staged', gives_up_at }
  if (task.state === 'staged' && place.release.state === 'staged')
    return { ...base, whom: 'coordinator', what: 'waits for the release to be published' }
  return { ...base, whom: 'coordinator', what: 'waits for the other tasks of the release' }
}

function waitingForAnswer(task: CoordinatorTask, row: OutboxRow): WaitingFor {
  return {
    whom: 'service',
    what: `waits for the service to answer ${row.action}`,
    since: iso(task.since),
    attempt: row.failures + 1,
    last_error: row.lastError,
    next_try: iso(row.dueAt),
    gives_up_at: null,
  }
}

/** The deadlines of a task as they are shown, in the order in which they end. */
export function shownDeadlines(task: CoordinatorTask, place: Place): Deadline[] {
  return deadlinesOf(place.release, task, place.policy)
    .map((one) => ({ ...one, endsAt: endOf(one, place.row) }))
    .toSorted((one, other) => one.endsAt - other.endsAt)
}

/** Where `accept` is a setting, whoever tells the action ends it, by the time in the outbox (RC-7). */
function endOf({ name, isOwn, endsAt }: Deadline, row: OutboxRow | null): number {
  return name === 'accept' && !isOwn && row && row.action !== 'cancel' ? row.deadlineAt : endsAt
}

/** The first end that stops the release; from `publishing` on that is only a refusal of `publish` (RC-22, RC-38). */
function givesUpAt(task: CoordinatorTask, place: Place): string | null {
  if (place.row?.action === 'cancel') return iso(place.row.deadlineAt)
  const stops = ({ name, isOwn }: Deadline) =>
    place.release.state !== 'publishing' || (name === 'accept' && !isOwn)
  const first = shownDeadlines(task, place).find(stops)
  return first ? iso(first.endsAt) : null
}

/** What a release waits for: the person who publishes, or the tasks that are behind. */
export function releaseWaitingFor(
  release: ReleaseRecord,
  { rows, policy }: { rows: readonly OutboxRow[]; policy: Policy },
): WaitingFor | null {
  if (isFinalRelease(release.state)) return null
  const base = { ...NOTHING, since: iso(release.since) }
  if (release.state === 'staged')
    return { ...base, whom: 'person', what: 'waits for a person to publish it, or to cancel it' }
  if (release.state === 'waiting') return { ...base, whom: 'coordinator', what: 'is about to begin' }
  if (release.needsAttention)
    return {
      ...base,
      whom: 'person',
      what: 'needs a person to look at it: it has been publishing for too long',
    }
  const waits = release.tasks
    .map((task) => taskWaitingFor(task, { release, row: rowOf(task, rows), policy }))
    .filter((one) => one !== null)
  const person = waits.find((one) => one.whom === 'person')
  if (person) return person
  const behind = waits.filter((one) => one.whom === 'service')
  const first = behind.find((one) => one.last_error !== null) ?? behind[0]
  if (!first) return { ...base, whom: 'coordinator', what: 'is about to go on' }
  const what = `${first.what} (${behind.length} of ${release.tasks.length} tasks)`
  // Who does not answer `cancel` is told for a day, but the release does not wait for that (RC-20).
  const canceledBy = release.state === 'canceling' && release.dueAt !== null ? iso(release.dueAt) : null
  return { ...first, what, gives_up_at: canceledBy ?? earliest(behind) }
}

/** The first deadline of any task ends the release. */
function earliest(waits: readonly WaitingFor[]): string | null {
  const times = waits.map((one) => one.gives_up_at).filter((time) => time !== null)
  return times.toSorted()[0] ?? null
}

function rowOf(task: CoordinatorTask, rows: readonly OutboxRow[]): OutboxRow | null {
  return rows.find((row) => row.taskId === task.id) ?? null
}
