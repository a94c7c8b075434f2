import type { Database, SqlValue } from '@release-task/database'
import type { Action, ReleaseId, TaskId } from '@release-task/protocol'
import { actionQueries } from './action-queries.ts'

const BATCH = 200
const GIVEN_BACK_MS = 1000 // 1 s

/** One thing that a service is still to be told, the newest for its task. */
export interface OutboxRow {
  readonly taskId: TaskId
  readonly releaseId: ReleaseId
  readonly action: Exclude<Action, 'get_status'>
  /** The revision of the release that caused it: a newer action has a higher one, even if this one is gone by then. */
  readonly sequence: number
  readonly deadlineAt: number
  readonly failures: number
  /** The service may have heard it already: ask before repeating (RC-8). */
  readonly askFirst: boolean
  readonly lastError: string | null
  readonly claimedUntil: number | null
  readonly dueAt: number
  /** The database's clock when the row was read; 0 where it does not matter. */
  readonly now: number
}

export class ActionOutbox {
  readonly #database: Database
  readonly #queries: ReturnType<typeof actionQueries>
  readonly #owner: string
  readonly #claimMs: number
  /** The database's clock at the last look: what was due by then needs no timer. */
  #lookedAt = 0

  /** @param claimMs how long a claim holds that is not renewed */
  constructor(database: Database, { owner, claimMs }: { owner: string; claimMs: number }) {
    this.#database = database
    this.#queries = actionQueries(database)
    this.#owner = owner
    this.#claimMs = claimMs
  }

  /** How often a claim is made to last longer. */
  get renewMs(): number {
    return this.#claimMs / 3
  }

  /** Rows whose time has come and that no living process works on; `isGone` tells which process is dead. */
  async due(isGone: (owner: string) => boolean): Promise<OutboxRow[]> {
    const [clock] = await this.#database.all<{ now: number }>(this.#queries.clock)
    this.#lookedAt = clock?.now ?? 0
    const values = { until: this.#lookedAt, limit: BATCH }
    const rows = await this.#database.all<Record<string, SqlValue>>(this.#queries.due, values)
    return rows
      .filter((row) => {
        const owner = row['claimed_by'] as string | null
        return owner === null || Number(row['claimed_until']) <= Number(row['now']) || isGone(owner)
      })
      .map(fromRow)
  }

  async ofRelease(releaseId: string): Promise<OutboxRow[]> {
    const rows = await this.#database.all<Record<string, SqlValue>>(this.#queries.ofRelease, {
      release_id: releaseId,
    })
    return rows.map(fromRow)
  }

  /**
   * Milliseconds until the next row becomes due that was not at the last look; null where there is none. Rows that
   * are being worked on must not hide it: a service that hangs would hold up what is to be said to the others.
   */
  async nextDelayMs(): Promise<number | null> {
    const values = { after: this.#lookedAt }
    const [row] = await this.#database.all<{ due_at: number | null; now: number }>(
      this.#queries.nextDue,
      values,
    )
    return row?.due_at == null ? null : Math.max(1, row.due_at - row.now)
  }

  /** Whether the row is still there, and no newer action in its place. */
  async isCurrent({ taskId, sequence }: OutboxRow): Promise<boolean> {
    const rows = await this.#database.all(this.#queries.current, { task_id: taskId, sequence })
    return rows.length > 0
  }

  /** How many actions no service has taken yet, and for how long the oldest is due. */
  async waiting(): Promise<{ count: number; oldestMs: number }> {
    const [row] = await this.#database.all<{ count: number; oldest: number | null; now: number }>(
      this.#queries.waiting,
    )
    const oldestMs = row?.oldest == null ? 0 : Math.max(0, row.now - row.oldest)
    return { count: row?.count ?? 0, oldestMs }
  }

  /** @returns false where another process was faster, or a newer action has come */
  async claim(row: OutboxRow): Promise<boolean> {
    const { taskId: task_id, sequence } = row
    const values = {
      task_id,
      sequence,
      owner: this.#owner,
      claim_ms: this.#claimMs,
      claimed_was: row.claimedUntil ?? 0,
    }
    return (await this.#database.commit([{ query: this.#queries.claim, values, expect: 1 }])) === 'committed'
  }

  /** Gives the row back for another try; a newer action that came meanwhile keeps its own time. */
  async again(row: OutboxRow, to: { delayMs: number; askFirst: boolean; error: string }): Promise<void> {
    const values = {
      task_id: row.taskId,
      sequence: row.sequence,
      delay_ms: Math.round(to.delayMs),
      failures: row.failures + 1,
      ask_first: to.askFirst ? 1 : 0,
      last_error: to.error,
    }
    await this.#database.commit([{ query: this.#queries.again, values }, this.#unclaim(row)])
  }

  /** The service has been told. */
  async remove(row: OutboxRow): Promise<void> {
    const values = { task_id: row.taskId, sequence: row.sequence }
    await this.#database.commit([{ query: this.#queries.remove, values }, this.#unclaim(row)])
  }

  /** Makes the own claim last longer, also where a newer row has taken the place of the one that is being sent. */
  async renew(row: OutboxRow): Promise<void> {
    const values = { task_id: row.taskId, owner: this.#owner, claim_ms: this.#claimMs }
    await this.#database.commit([{ query: this.#queries.renew, values }])
  }

  /** Gives up the own claim of a row that could not be dealt with: somebody tries again in a moment. */
  async giveBack(row: OutboxRow): Promise<void> {
    const values = { task_id: row.taskId, owner: this.#owner, delay_ms: GIVEN_BACK_MS }
    await this.#database.commit([{ query: this.#queries.giveBack, values }])
  }

  #unclaim(row: OutboxRow) {
    return { query: this.#queries.unclaim, values: { task_id: row.taskId, owner: this.#owner } }
  }
}

function fromRow(row: Record<string, SqlValue>): OutboxRow {
  return {
    taskId: row['task_id'] as TaskId,
    releaseId: row['release_id'] as ReleaseId,
    action: row['action'] as OutboxRow['action'],
    sequence: row['sequence'] as number,
    deadlineAt: row['deadline_at'] as number,
    failures: row['failures'] as number,
    askFirst: row['ask_first'] === 1,
    lastError: row['last_error'] as string | null,
    claimedUntil: row['claimed_until'] as number | null,
    dueAt: row['due_at'] as number,
    now: (row['now'] as number | undefined) ?? 0,
  }
}
