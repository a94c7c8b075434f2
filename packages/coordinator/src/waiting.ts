import { isFinalCoordinatorTask, isFinalRelease, type WaitingFor } from '@release-task/protocol'
import type { OutboxRow } from './outbox.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

const NOTHING = { attempt: null, last_error: null, next_try: null, gives_up_at: null }

/** What a task waits for, as the coordinator knows it (WK-21, WK-22). null: nothing, it has ended. */
export function taskWaitingFor(
  task: CoordinatorTask,
  { row, taskTimeoutMs }: { row: OutboxRow | null; taskTimeoutMs: number },
): WaitingFor | null {
  if (row && (task.cancelPending || !isFinalCoordinatorTask(task.state))) return waitingForAnswer(task, row)
  if (isFinalCoordinatorTask(task.state)) return null
  const base = { ...NOTHING, since: iso(task.since), last_error: task.lastError }
  if (task.needsAttention)
    return {
      ...base,
      whom: 'person',
      what: `needs a person to look at it: ${task.lastError ?? 'no word of it'}`,
    }
  if (task.state === 'publishing')
    return { ...base, whom: 'service', what: 'waits for the service to report published' }
  if (task.state === 'running') {
    const gives_up_at = iso(task.lastActivityAt + taskTimeoutMs)
    return { ...base, whom: 'service', what: 'waits for the service to report staged', gives_up_at }
  }
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
    gives_up_at: iso(row.deadlineAt),
  }
}

/** What a release waits for: the person who publishes, or the tasks that are behind. */
export function releaseWaitingFor(
  release: ReleaseRecord,
  { rows, taskTimeoutMs }: { rows: readonly OutboxRow[]; taskTimeoutMs: number },
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
    .map((task) => taskWaitingFor(task, { row: rowOf(task, rows), taskTimeoutMs }))
    .filter((one) => one !== null)
  const person = waits.find((one) => one.whom === 'person')
  if (person) return person
  const behind = waits.filter((one) => one.whom === 'service')
  const first = behind.find((one) => one.last_error !== null) ?? behind[0]
  if (!first) return { ...base, whom: 'coordinator', what: 'is about to go on' }
  const what = `${first.what} (${behind.length} of ${release.tasks.length} tasks)`
  // Who does not answer `cancel` is told for a day, but the release does not wait for that (RC-20).
  const canceledBy = release.state === 'canceling' && release.dueAt !== null ? iso(release.dueAt) : null
  return { ...first, what, gives_up_at: canceledBy ?? first.gives_up_at }
}

function rowOf(task: CoordinatorTask, rows: readonly OutboxRow[]): OutboxRow | null {
  return rows.find((row) => row.taskId === task.id) ?? null
}
