import type { Database } from '@release-task/database'
import { eventQueries } from './event-queries.ts'
import type { Row } from './row.ts'
import type { Page, Window } from './store.ts'

export interface ReleaseEvent {
  readonly position: number
  readonly id: string
  readonly eventType: string
  readonly message: string
  readonly releaseId: string | null
  readonly taskServiceId: string | null
  readonly taskId: string | null
  /** Who caused it; null: the coordinator itself. */
  readonly actor: string | null
  readonly createdAt: number
}

export interface EventFilter {
  readonly release: string | null
  readonly task_service: string | null
  readonly task: string | null
  readonly event_type: string | null
}

/** What happened, to be read; events are written only together with the change that they tell. */
export class EventStore {
  readonly #database: Database
  readonly #queries: ReturnType<typeof eventQueries>

  constructor(database: Database) {
    this.#database = database
    this.#queries = eventQueries(database)
  }

  async get(id: string): Promise<ReleaseEvent | null> {
    const [row] = await this.#database.all<Row>(this.#queries.get, { id })
    return row ? eventFromRow(row) : null
  }

  async list(filter: EventFilter, window: Window): Promise<Page<ReleaseEvent>> {
    const rows = await this.#database.all<Row>(this.#queries.list, { ...filter, ...window })
    const [total] = await this.#database.all<{ count: number }>(this.#queries.count, { ...filter })
    return { count: total?.count ?? 0, results: rows.map(eventFromRow) }
  }

  /**
   * The position of the newest event, 0 where there is none. Positions are seen in order: an event with this one or a
   * lower one is there already, or will never be.
   */
  async newest(): Promise<number> {
    const [row] = await this.#database.all<{ value: number }>(this.#queries.newest)
    return row?.value ?? 0
  }

  /** Oldest first, after a position. */
  async after(filter: EventFilter, after: number, limit: number): Promise<ReleaseEvent[]> {
    const rows = await this.#database.all<Row>(this.#queries.after, { ...filter, after, limit })
    return rows.map(eventFromRow)
  }
}

export function eventFromRow(row: Row): ReleaseEvent {
  return {
    position: row['position'] as number,
    id: row['kf_id'] as string,
    eventType: row['event_type'] as string,
    message: row['message'] as string,
    releaseId: row['release_id'] as string | null,
    taskServiceId: row['task_service_id'] as string | null,
    taskId: row['task_id'] as string | null,
    actor: row['actor'] as string | null,
    createdAt: row['created_at'] as number,
  }
}
