import { isFinalCoordinatorTask, isFinalRelease, type WaitingFor } from '@release-task/protocol'
import type { OutboxRow } from './outbox.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

const NOTHING = { attempt: null, last_error: null, next_try: null, gives_up_at: null }

/** What a task waits for, as the coordinator knows it (WK-21, WK-22). null: nothing, it has ended. */
export function taskWaitingFor(task: CoordinatorTask, row: OutboxRow | null): WaitingFor | null {
  if (row && (task.cancelPending || !isFinalCoordinatorTask(task.state))) return waitingForAnswer(task, row)
  if (isFinalCoordinatorTask(task.state)) return null
  const base = { ...NOTHING, since: iso(task.since), last_error: task.lastError }
  if (task.needsAttention)
    return { ...base, whom: 'person', what: 'has not been heard of for too long while publishing' }
  if (task.state === 'running' || task.state === 'publishing')
    return {
      ...base,
      whom: 'service',
      what: `waits for the service to report ${task.state === 'running' ? 'staged' : 'published'}`,
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
export function releaseWaitingFor(release: ReleaseRecord, rows: readonly OutboxRow[]): WaitingFor | null {
  if (isFinalRelease(release.state)) return null
  const base = { ...NOTHING, since: iso(release.since) }
  if (release.state === 'staged')
    return { ...base, whom: 'person', what: 'waits for a person to publish it, or to cancel it' }
  if (release.state === 'waiting') return { ...base, whom: 'coordinator', what: 'is about to begin' }
  const waits = release.tasks
    .map((task) => taskWaitingFor(task, rowOf(task, rows)))
    .filter((one) => one !== null)
  const person = waits.find((one) => one.whom === 'person')
  if (person) return person
  const behind = waits.filter((one) => one.whom === 'service')
  const first = behind.find((one) => one.last_error !== null) ?? behind[0]
  if (!first) return { ...base, whom: 'coordinator', what: 'is about to go on' }
  const what = `${first.what} (${behind.length} of ${release.tasks.length} tasks)`
  return { ...first, what }
}

function rowOf(task: CoordinatorTask, rows: readonly OutboxRow[]): OutboxRow | null {
  return rows.find((row) => row.taskId === task.id) ?? null
}
