import type { CommitResult, Database, Prepared, SqlValue, Statement } from '@release-task/database'
import type { TaskState } from '@release-task/protocol'
import type { Effect } from './decision.ts'
import type { Json } from './define.ts'
import { expiryQueries, historyQueries, listQueries, taskQueries, tombstoneQueries } from './queries.ts'
import type { TaskRecord, Work } from './record.ts'
import { reportWrites } from './report-queries.ts'
import { fromRow, toRow, type TaskRow } from './row.ts'

const MOST_EVENTS = 1000
const MOST_MESSAGE_CHARS = 800
const BATCH = 200

export interface Loaded {
  readonly record: TaskRecord | null
  /** Epoch ms by the database's clock, at the moment of loading. */
  readonly now: number
}

export interface TaskEvent {
  readonly position: number
  readonly at: number
  readonly level: string
  readonly type: string
  readonly message: string
  readonly data: Json
}

export interface DueTask {
  readonly id: string
  readonly dueAt: number
  readonly leaseOwner: string | null
  readonly leaseExpired: boolean
}

export interface TaskFilter {
  readonly state: TaskState | null
  readonly releaseId: string | null
  readonly limit: number
  readonly offset: number
}

/** What a commit changes: the record from `before` to `next` (or neither), and what goes with it. */
export interface Change {
  readonly id: string
  readonly before: TaskRecord | null
  readonly next: TaskRecord | null
  readonly effects: readonly Effect[]
  readonly now: number
}

/**
 * The tasks of one service in its database. It knows SQL and no rules: what may follow what is `decide`'s; here a
 * change is stored only if the record is still the one that it was decided on.
 */
export class TaskStore {
  readonly #database: Database
  readonly #tasks: ReturnType<typeof taskQueries>
  readonly #lists: ReturnType<typeof listQueries>
  readonly #tombstones: ReturnType<typeof tombstoneQueries>
  readonly #expiry: ReturnType<typeof expiryQueries>
  readonly #history: ReturnType<typeof historyQueries>
  readonly #reports: ReturnType<typeof reportWrites>

  constructor(database: Database) {
    this.#database = database
    this.#tasks = taskQueries(database)
    this.#lists = listQueries(database)
    this.#tombstones = tombstoneQueries(database)
    this.#expiry = expiryQueries(database)
    this.#history = historyQueries(database)
    this.#reports = reportWrites(database)
  }

  async load(id: string): Promise<Loaded> {
    const { clock } = this.#database
    // Where the clock needs no query, a task that there is not costs no row.
    if (clock) {
      const [found] = await this.#database.all<TaskRow>(this.#tasks.one, { id })
      return { record: found ? fromRow(found) : null, now: clock() }
    }
    const [row] = await this.#database.all<TaskRow & { now: number }>(this.#tasks.load, { id })
    return { record: row && row['id'] !== null ? fromRow(row) : null, now: row?.now ?? 0 }
  }

  /** All of the change or nothing. `conflict`: the record is another by now; load and decide again. */
  commit(change: Change): Promise<CommitResult> {
    const record = change.next ? [this.#recordStatement(change.before, change.next)] : []
    return this.#database.commit([
      ...record,
      ...change.effects.flatMap((effect) => this.#effect(change, effect)),
    ])
  }

  async list(filter: TaskFilter): Promise<{ count: number; tasks: TaskRecord[] }> {
    const where = { state: filter.state, release_id: filter.releaseId }
    const page = { ...where, limit: filter.limit, offset: filter.offset }
    const rows = await this.#database.all<TaskRow>(this.#lists.list, page)
    const [total] = await this.#database.all<{ count: number }>(this.#lists.count, where)
    return { count: total?.count ?? 0, tasks: rows.map(fromRow) }
  }

  /** Events after a position, oldest first. */
  eventsAfter(taskId: string, after: number): Promise<TaskEvent[]> {
    return this.#events(this.#history.eventsAfter, { task_id: taskId, after, limit: MOST_EVENTS })
  }

  /** The newest events, oldest first. */
  async newestEvents(taskId: string): Promise<TaskEvent[]> {
    const newest = await this.#events(this.#history.newestEvents, { task_id: taskId, limit: MOST_EVENTS })
    return newest.toReversed()
  }

  async #events(query: Prepared, values: Record<string, SqlValue>): Promise<TaskEvent[]> {
    const rows = await this.#database.all<Record<string, SqlValue>>(query, values)
    return rows.map((row) => ({ ...row, data: parse(row['data']) }) as unknown as TaskEvent)
  }

  /** The kept result of a durable step; undefined where it has not finished in this version. */
  async step(taskId: string, version: string, work: Work, name: string): Promise<Json | undefined> {
    const [row] = await this.#database.all<{ result: string }>(this.#history.step, {
      task_id: taskId,
      version,
      work,
      name,
    })
    return row && (JSON.parse(row.result) as Json)
  }

  /** The same of all durable steps of one phase, by name, the oldest first. */
  async steps(taskId: string, version: string, work: Work): Promise<{ readonly [name: string]: Json }> {
    const phase = { task_id: taskId, version, work }
    const rows = await this.#database.all<{ name: string; result: string }>(this.#history.steps, phase)
    return Object.fromEntries(rows.map(({ name, result }) => [name, JSON.parse(result) as Json]))
  }

  /**
   * Tasks whose work is due, also those that somebody holds, the longest due first.
   * @param after the last of the page before; null for the first page. An empty page is the end.
   */
  async due(after: DueTask | null, limit = BATCH): Promise<DueTask[]> {
    const from = { after_due_at: after?.dueAt ?? 0, after_id: after?.id ?? '' }
    const rows = await this.#database.all<Record<string, SqlValue>>(this.#lists.due, { ...from, limit })
    return rows.map((row) => ({
      id: row['id'] as string,
      dueAt: row['due_at'] as number,
      leaseOwner: row['lease_owner'] as string | null,
      leaseExpired: Number(row['lease_expires_at']) <= Number(row['now']),
    }))
  }

  /** Tasks of which the coordinator should be asked whether it still knows them. */
  async checksDue(): Promise<string[]> {
    const rows = await this.#database.all<{ id: string }>(this.#lists.checksDue, { limit: BATCH })
    return rows.map((row) => row.id)
  }

  async deleteTombstones(ageMs: number): Promise<void> {
    const values = { age_ms: ageMs }
    const { removeEvents, remove } = this.#tombstones
    await this.#database.commit([
      { query: removeEvents, values },
      { query: remove, values },
    ])
  }

  /** Removes events and steps of tasks that ended so long ago; 0: keeps them for ever. */
  async deleteHistory({ eventsMs, stepsMs }: { eventsMs: number; stepsMs: number }): Promise<void> {
    const { events, steps } = this.#expiry
    if (eventsMs > 0) await this.#database.commit([{ query: events, values: { age_ms: eventsMs } }])
    if (stepsMs > 0) await this.#database.commit([{ query: steps, values: { age_ms: stepsMs } }])
  }

  /** Releases with a task here that has not ended, or that is still being undone. */
  async releasesUnderWay(): Promise<string[]> {
    const rows = await this.#database.all<{ release_id: string }>(this.#lists.underWay)
    return rows.map((row) => row.release_id)
  }

  /** How long the oldest work is due that nobody does; 0: there is none. */
  async oldestDueMs(): Promise<number> {
    const [row] = await this.#database.all<{ due_at: number | null; now: number }>(this.#lists.oldestDue)
    return row?.due_at == null ? 0 : Math.max(0, row.now - row.due_at)
  }

  async countByState(): Promise<Map<string, number>> {
    const rows = await this.#database.all<{ state: string; count: number }>(this.#lists.countByState)
    return new Map(rows.map((row) => [row.state, row.count]))
  }

  #recordStatement(before: TaskRecord | null, next: TaskRecord): Statement {
    if (!before) return { query: this.#tasks.insert, values: toRow(next), expect: 1 }
    const values = { ...toRow(next), was: before.revision }
    if (before.lease === next.lease) return { query: this.#tasks.update, values, expect: 1 }
    // A holder ends its own lease whenever it was renewed last. Taking one from its holder, which a new attempt
    // number shows, must fail if the holder has renewed it since it was read.
    const guard = before.lease && next.attempt !== before.attempt ? before.lease.expiresAt : null
    return { query: this.#tasks.updateLease, values: { ...values, guard }, expect: 1 }
  }

  #effect(change: Change, effect: Effect): Statement[] {
    switch (effect.type) {
      case 'event':
        return this.#event(change, effect)
      case 'report':
        return [{ query: this.#reports.put, values: reportValues(change, effect) }]
      case 'withdraw_report':
        return [{ query: this.#reports.withdraw, values: { task_id: change.id } }]
      case 'save_step':
        return [{ query: this.#history.saveStep, values: stepValues(change, effect) }]
      default:
        return []
    }
  }

  #event(change: Change, effect: Extract<Effect, { type: 'event' }>): Statement[] {
    const { level, event: type, message } = effect
    const data = effect.data === undefined ? null : JSON.stringify(effect.data)
    const values = { task_id: change.id, at: change.now, level, type, message, data }
    return [
      { query: this.#history.bump, values: {}, expect: 1 },
      { query: this.#history.insertEvent, values },
    ]
  }
}

function reportValues(change: Change, effect: Extract<Effect, { type: 'report' }>) {
  const { state, progress, attempt, error } = effect
  const summary = state === 'staged' && change.next?.summary ? JSON.stringify(change.next.summary) : null
  // The revision: a report that comes later has a higher one, even if this row is gone by then.
  return {
    task_id: change.id,
    sequence: change.next?.revision ?? 0,
    state,
    progress,
    message: reportedMessage(change.next, effect),
    summary,
    attempt,
    error: error?.slice(0, MOST_MESSAGE_CHARS) ?? null,
  }
}

/**
 * With `failed` goes the cause: the coordinator shows it to whoever asks why. What tells of an attempt alone is no word
 * of the author's code.
 */
function reportedMessage(
  record: TaskRecord | null,
  { state, progress }: Extract<Effect, { type: 'report' }>,
): string | null {
  if (state === null && progress === null) return null
  if (state !== 'failed') return record?.message ?? null
  return record?.lastError?.message.slice(0, MOST_MESSAGE_CHARS) ?? null
}

function stepValues(change: Change, effect: Extract<Effect, { type: 'save_step' }>) {
  const { version, work, name, attempt } = effect
  return {
    task_id: change.id,
    version,
    work,
    name,
    attempt,
    result: JSON.stringify(effect.result),
    at: change.now,
  }
}

function parse(text: SqlValue | undefined): Json {
  return typeof text === 'string' ? (JSON.parse(text) as Json) : null
}
