import type { Database } from '@release-task/database'
import { newId, type TaskServiceId } from '@release-task/protocol'
import { CoordinatorError } from './errors.ts'
import { serviceQueries } from './queries.ts'
import type { Row } from './row.ts'
import type { Page, Window } from './store.ts'

const MOST_DRAWS = 20
const BATCH = 100

/** A registered task service. */
export interface TaskService {
  readonly id: TaskServiceId
  readonly name: string
  readonly description: string
  readonly url: string
  readonly author: string
  readonly enabled: boolean
  /** Failed health checks in a row. */
  readonly lastOkStatus: number
  readonly createdAt: number
}

export type TaskServiceFields = Pick<TaskService, 'name' | 'description' | 'url' | 'author' | 'enabled'>

/** The registered services. */
export class TaskServiceStore {
  readonly #database: Database
  readonly #queries: ReturnType<typeof serviceQueries>
  readonly #random: () => number

  constructor(database: Database, random: () => number) {
    this.#database = database
    this.#queries = serviceQueries(database)
    this.#random = random
  }

  async get(id: string): Promise<TaskService | null> {
    const [row] = await this.#database.all<Row>(this.#queries.get, { id })
    return row ? fromRow(row) : null
  }

  async byUrl(url: string): Promise<TaskService | null> {
    const [row] = await this.#database.all<Row>(this.#queries.byUrl, { url })
    return row ? fromRow(row) : null
  }

  async all(): Promise<TaskService[]> {
    return (await this.#database.all<Row>(this.#queries.all)).map(fromRow)
  }

  async enabled(): Promise<TaskService[]> {
    return (await this.#database.all<Row>(this.#queries.enabled)).map(fromRow)
  }

  async list(enabled: boolean | null, window: Window): Promise<Page<TaskService>> {
    const where = { enabled: enabled === null ? null : Number(enabled) }
    const rows = await this.#database.all<Row>(this.#queries.list, { ...where, ...window })
    const [total] = await this.#database.all<{ count: number }>(this.#queries.count, where)
    return { count: total?.count ?? 0, results: rows.map(fromRow) }
  }

  /** @returns null where the address is registered already */
  async insert(fields: TaskServiceFields): Promise<TaskService | null> {
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      const id = newId('TS', this.#random)
      const values = { ...toRow(fields), kf_id: id, last_ok_status: 0 }
      const result = await this.#database.commit([{ query: this.#queries.insert, values, expect: 1 }])
      if (result === 'committed') return this.get(id)
      if (await this.byUrl(fields.url)) return null
    }
    throw new CoordinatorError('ID_COLLISION', `No free id for a task service in ${MOST_DRAWS} draws`)
  }

  async update(id: string, fields: TaskServiceFields): Promise<void> {
    await this.#database.commit([{ query: this.#queries.update, values: { ...toRow(fields), kf_id: id } }])
  }

  /** A release under way that has a task of this service; null: none, it may go (RC-35). */
  async usedBy(id: string): Promise<string | null> {
    const [row] = await this.#database.all<{ kf_id: string }>(this.#queries.inUse, { id })
    return row?.kf_id ?? null
  }

  /** With its tasks of ended releases; its events stay without a link (CR-32). */
  async remove(id: string): Promise<void> {
    const { removeTasks, unlinkEvents, remove } = this.#queries
    await this.#database.commit(
      [removeTasks, unlinkEvents, remove].map((query) => ({ query, values: { id } })),
    )
  }

  async countHealth(id: string, healthy: boolean): Promise<void> {
    const query = healthy ? this.#queries.healthy : this.#queries.unhealthy
    await this.#database.commit([{ query, values: { id } }])
  }

  /** Services whose health is to be checked now, claimed for this process. */
  async claimChecks(intervalMs: number): Promise<TaskService[]> {
    const rows = await this.#database.all<Row>(this.#queries.checksDue, { limit: BATCH })
    const claimed = await Promise.all(
      rows.map(async (row) => {
        const values = { id: row['kf_id'] ?? '', was: row['check_due_at'] ?? 0, interval_ms: intervalMs }
        return (
          (await this.#database.commit([{ query: this.#queries.claimCheck, values, expect: 1 }])) ===
          'committed'
        )
      }),
    )
    return rows.filter((_, index) => claimed[index]).map(fromRow)
  }
}

function toRow({ name, description, url, author, enabled }: TaskServiceFields) {
  return { name, description, url, author, enabled: enabled ? 1 : 0 }
}

function fromRow(row: Row): TaskService {
  return {
    id: row['kf_id'] as TaskServiceId,
    name: row['name'] as string,
    description: row['description'] as string,
    url: row['url'] as string,
    author: row['author'] as string,
    enabled: row['enabled'] === 1,
    lastOkStatus: row['last_ok_status'] as number,
    createdAt: row['created_at'] as number,
  }
}
