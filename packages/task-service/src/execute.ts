import { isGone, type CommitResult } from '@release-task/database'
import type { Logger } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import { decide } from './decide.ts'
import type { Command, Decision, Effect, Policy } from './decision.ts'
import type { RecentRecords } from './recent-records.ts'
import type { TaskRecord } from './record.ts'
import type { Change, TaskStore } from './store.ts'

const MOST_TRIES = 100
const TIMER_MARGIN_MS = 5

export interface Executed {
  readonly decision: Decision
  /** The record after the decision; null where there is none. */
  readonly record: TaskRecord | null
}

const LOG_LEVEL = { info: 'info', warning: 'warn', error: 'error' } as const

/** Runs a command on a task: load, decide, commit, and again while somebody else was faster. */
export type Execute = (id: string, command: Command) => Promise<Executed>

export interface ExecuteDependencies {
  readonly store: TaskStore
  /** null where other processes change the same records. */
  readonly recent: RecentRecords | null
  readonly queue: Queue
  readonly policy: Policy
  readonly random: () => number
  /** There may be a report to send. */
  readonly reportsChanged: (id: string) => void
  readonly refusedLate: () => void
  readonly log: Logger
}

export function createExecute(deps: ExecuteDependencies): Execute {
  return async (id, command) => {
    for (let tries = 0; ; tries++) {
      const { record, now } = deps.recent?.load(id) ?? (await deps.store.load(id))
      const moment = { now, random: deps.random(), policy: deps.policy }
      const decision = decide(record, withGoneOwner(record, command), moment)
      const next = ('next' in decision && decision.next) || null
      const effects = decision.effects ?? []
      if (!next && effects.length === 0) return { decision, record }
      const result = await commit(deps, { id, before: record, next, effects, now })
      if (result === 'committed') {
        after(deps, { id, releaseId: (next ?? record)?.releaseId }, decision, effects)
        return { decision, record: next ?? record }
      }
      if (tries === MOST_TRIES)
        throw new Error(`Task ${id} changed ${MOST_TRIES} times while "${command.type}" was decided`)
    }
  }
}

async function commit({ store, recent }: ExecuteDependencies, change: Change): Promise<CommitResult> {
  // Whatever goes wrong, the next one looks into the database.
  recent?.drop(change.id)
  const result = await store.commit(change)
  if (result === 'committed' && change.next) recent?.keep(change.next)
  return result
}

/** Whether the holder of a lease is dead is a fact of this host, looked up at the edge and handed in. */
function withGoneOwner(record: TaskRecord | null, command: Command): Command {
  if (command.type !== 'claim' || !record?.lease) return command
  return { ...command, goneOwner: isGone(record.lease.owner) ? record.lease.owner : null }
}

interface About {
  readonly id: string
  readonly releaseId: string | undefined
}

function after(
  deps: ExecuteDependencies,
  { id, releaseId }: About,
  decision: Decision,
  effects: readonly Effect[],
): void {
  if (decision.kind === 'refused' && decision.code === 'LATE_REPORT') deps.refusedLate()
  for (const effect of effects) {
    if (effect.type === 'wake') deps.queue.wake(id, delayOf(effect))
    else if (effect.type === 'notify') deps.queue.notify(id)
    else if (effect.type === 'event')
      deps.log[LOG_LEVEL[effect.level]](
        { task_id: id, release_id: releaseId, event: effect.event },
        effect.message,
      )
    else if (effect.type === 'report') deps.reportsChanged(id)
  }
}

/** A timer may fire a moment early, and what looks before its time finds nothing to do. */
function delayOf({ delayMs }: Extract<Effect, { type: 'wake' }>): number {
  return delayMs === 0 ? 0 : delayMs + TIMER_MARGIN_MS
}
