import type { Database } from '@release-task/database'
import type { ReleaseId, TaskId } from '@release-task/protocol'
import { pollQueries } from './task-queries.ts'

const BATCH = 200
const NEVER_MS = 365 * 24 * 60 * 60 * 1000 // a year

/** With polling switched off the endpoint still asks; then the next time lies far away. */
export function pollDistance(pollIntervalMs: number): number {
  return pollIntervalMs || NEVER_MS
}

/** One question for a task's state, claimed for this process. */
export interface Poll {
  readonly taskId: TaskId
  readonly releaseId: ReleaseId
  /** The database's clock when it was claimed: what happened to the task since, the answer may not know. */
  readonly now: number
}

interface PollRow {
  readonly task_id: TaskId
  readonly release_id: ReleaseId
  readonly due_at: number
  readonly claimed_until: number | null
  readonly now: number
}

/** Which tasks are asked for their state: at most one question is under way for each (RC-15, F-40). */
export class PollStore {
  readonly #database: Database
  readonly #queries: ReturnType<typeof pollQueries>
  readonly #intervalMs: number
  readonly #claimMs: number

  /** @param claimMs how long a claim holds: longer than one question may take */
  constructor(database: Database, { pollIntervalMs, claimMs }: { pollIntervalMs: number; claimMs: number }) {
    this.#database = database
    this.#queries = pollQueries(database)
    this.#intervalMs = pollDistance(pollIntervalMs)
    this.#claimMs = claimMs
  }

  /** Tasks to be asked now; `everybody`: also those whose time has not come. */
  async claim(everybody = false): Promise<Poll[]> {
    const query = everybody ? this.#queries.everyone : this.#queries.due
    const rows = await this.#database.all<PollRow>(query, everybody ? {} : { limit: BATCH })
    const claimed = await Promise.all(rows.map((row) => this.#claimOne(row)))
    return rows
      .filter((_, index) => claimed[index])
      .map((row) => ({ taskId: row.task_id, releaseId: row.release_id, now: row.now }))
  }

  async #claimOne({ task_id, due_at, claimed_until }: PollRow): Promise<boolean> {
    const values = {
      task_id,
      due_was: due_at,
      claimed_was: claimed_until ?? 0,
      claim_ms: this.#claimMs,
    }
    return (await this.#database.commit([{ query: this.#queries.claim, values, expect: 1 }])) === 'committed'
  }

  /** The service answered: it is asked again after the interval. */
  async answered({ taskId: task_id }: Poll): Promise<void> {
    const values = { task_id, interval_ms: this.#intervalMs }
    await this.#database.commit([{ query: this.#queries.answered, values }])
  }

  /** No usable answer; how often is only told (RC-16). @returns how many in a row by now; 0: not asked any more */
  async missed({ taskId: task_id }: Poll): Promise<number> {
    const values = { task_id, interval_ms: this.#intervalMs }
    await this.#database.commit([{ query: this.#queries.missed, values }])
    const [row] = await this.#database.all<{ misses: number }>(this.#queries.misses, { task_id })
    return row?.misses ?? 0
  }
}
