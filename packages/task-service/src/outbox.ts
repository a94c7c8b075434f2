import type { Database, SqlValue } from '@release-task/database'
import { deliveryWrites, reportReads } from './report-queries.ts'

const BATCH = 100
const GIVEN_BACK_MS = 1000 // 1 s

/**
 * `send`: not taken yet. `confirm`: taken, and read back (N-7). `refused`: answered 400, not repeated (N-11).
 * `missing`: the coordinator has no such task (N-5).
 */
export type ReportPhase = 'send' | 'confirm' | 'refused' | 'missing'

/** One task's report: the newest, being sent or being confirmed. */
export interface OutboxRow {
  readonly taskId: string
  /** null: not asked for. */
  readonly releaseId: string | null
  /** The task's revision that it tells: a newer report has a higher one, even if this one is gone by then. */
  readonly sequence: number
  readonly state: 'staged' | 'published' | 'failed' | null
  readonly progress: number | null
  readonly message: string | null
  readonly summary: unknown
  readonly attempt: number | null
  readonly error: string | null
  readonly phase: ReportPhase
  readonly dueAt: number
  readonly failures: number
  readonly confirmStep: number
  readonly lastError: string | null
  readonly createdAt: number
  readonly claimedBy: string | null
  readonly claimedUntil: number | null
  /** The database's clock when the row was read; 0 where it does not matter. */
  readonly now: number
}

/** What becomes of a row after a try. */
export interface Reschedule {
  readonly phase: ReportPhase
  readonly delayMs: number
  readonly failures: number
  readonly confirmStep: number
  readonly lastError: string | null
}

/** The reports that wait to be sent or confirmed; written by the store together with the change they tell. */
export class Outbox {
  readonly #database: Database
  readonly #reads: ReturnType<typeof reportReads>
  readonly #writes: ReturnType<typeof deliveryWrites>
  readonly #owner: string
  readonly #claimMs: number

  /** @param claimMs how long a claim holds that is not renewed */
  constructor(database: Database, { owner, claimMs }: { owner: string; claimMs: number }) {
    this.#database = database
    this.#reads = reportReads(database)
    this.#writes = deliveryWrites(database)
    this.#owner = owner
    this.#claimMs = claimMs
  }

  /** How often a claim is made to last longer. */
  get renewMs(): number {
    return this.#claimMs / 3
  }

  async get(taskId: string): Promise<OutboxRow | null> {
    const [row] = await this.#database.all<Record<string, SqlValue>>(this.#reads.get, { task_id: taskId })
    return row ? fromRow(row) : null
  }

  /** Rows whose time has come and that no living process works on; `isGone` tells which process is dead. */
  async due(isGone: (owner: string) => boolean): Promise<OutboxRow[]> {
    const rows = await this.#database.all<Record<string, SqlValue>>(this.#reads.due, { limit: BATCH })
    return rows
      .filter((row) => {
        const owner = row['claimed_by'] as string | null
        return owner === null || Number(row['claimed_until']) <= Number(row['now']) || isGone(owner)
      })
      .map(fromRow)
  }

  /** Milliseconds until the next row is due; null where there is none. */
  async nextDelayMs(): Promise<number | null> {
    const [row] = await this.#database.all<{ due_at: number | null; now: number }>(this.#reads.nextDue)
    return row?.due_at == null ? null : Math.max(0, row.due_at - row.now)
  }

  /** @returns false where another process was faster, or a newer report has come */
  async claim(row: OutboxRow): Promise<boolean> {
    const values = {
      task_id: row.taskId,
      sequence: row.sequence,
      owner: this.#owner,
      claim_ms: this.#claimMs,
      claimed_was: row.claimedUntil ?? 0,
      due_was: row.dueAt,
    }
    return (await this.#database.commit([{ query: this.#writes.claim, values, expect: 1 }])) === 'committed'
  }

  /** Gives the row back with its next time; a newer report that came meanwhile keeps its own. */
  async reschedule(row: OutboxRow, to: Reschedule): Promise<void> {
    const values = {
      task_id: row.taskId,
      sequence: row.sequence,
      phase: to.phase,
      delay_ms: Math.round(to.delayMs),
      failures: to.failures,
      confirm_step: to.confirmStep,
      last_error: to.lastError,
    }
    await this.#database.commit([{ query: this.#writes.reschedule, values }, this.#unclaim(row)])
  }

  /** The report has arrived for good. */
  async remove(row: OutboxRow): Promise<void> {
    const values = { task_id: row.taskId, sequence: row.sequence }
    await this.#database.commit([{ query: this.#writes.remove, values }, this.#unclaim(row)])
  }

  /** How many reports have not arrived, and since when the oldest waits. */
  async waiting(): Promise<{ count: number; oldestMs: number }> {
    const [row] = await this.#database.all<{ count: number; oldest: number | null; now: number }>(
      this.#reads.waiting,
    )
    return { count: row?.count ?? 0, oldestMs: row?.oldest == null ? 0 : row.now - row.oldest }
  }

  /** Makes the own claim last longer, also where a newer row has taken the place of the one that is being sent. */
  async renew(row: OutboxRow): Promise<void> {
    const values = { task_id: row.taskId, owner: this.#owner, claim_ms: this.#claimMs }
    await this.#database.commit([{ query: this.#writes.renew, values }])
  }

  /** Gives up the own claim of a row that could not be dealt with: somebody tries again in a moment. */
  async giveBack(row: OutboxRow): Promise<void> {
    const values = { task_id: row.taskId, owner: this.#owner, delay_ms: GIVEN_BACK_MS }
    await this.#database.commit([{ query: this.#writes.giveBack, values }])
  }

  #unclaim(row: OutboxRow) {
    return { query: this.#writes.unclaim, values: { task_id: row.taskId, owner: this.#owner } }
  }
}

function fromRow(row: Record<string, SqlValue>): OutboxRow {
  return {
    taskId: row['task_id'] as string,
    releaseId: (row['release_id'] as string | undefined) ?? null,
    sequence: row['sequence'] as number,
    state: row['state'] as OutboxRow['state'],
    progress: row['progress'] as number | null,
    message: row['message'] as string | null,
    summary: typeof row['summary'] === 'string' ? JSON.parse(row['summary']) : null,
    attempt: row['attempt'] as number | null,
    error: row['error'] as string | null,
    phase: row['phase'] as OutboxRow['phase'],
    dueAt: row['due_at'] as number,
    failures: row['failures'] as number,
    confirmStep: row['confirm_step'] as number,
    lastError: row['last_error'] as string | null,
    createdAt: row['created_at'] as number,
    claimedBy: row['claimed_by'] as string | null,
    claimedUntil: row['claimed_until'] as number | null,
    now: (row['now'] as number | undefined) ?? 0,
  }
}
