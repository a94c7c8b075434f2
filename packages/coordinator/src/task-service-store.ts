import type { Database, Statement } from '@release-task/database'
import { newId, type TaskServiceId } from '@release-task/protocol'
import { AuditStore } from './audit-store.ts'
import { CoordinatorError } from './errors.ts'
import type { Asked } from './execute.ts'
import { NO_DEADLINES, type Deadlines } from './record.ts'
import { deadlinesFromRow, deadlinesToRow, type Row } from './row.ts'
import { serviceReads, serviceRemoval, serviceWrites } from './service-queries.ts'
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
  readonly deadlines: Deadlines
  /** As it last said itself; null where it never did. */
  readonly version: string | null
}

/** Four failed checks in a row (RC-36). */
export function isDown(service: TaskService): boolean {
  return service.lastOkStatus > 3
}

export type TaskServiceFields = Pick<TaskService, 'name' | 'description' | 'url' | 'author' | 'enabled'> & {
  /** Those that are given; null takes one away. */
  readonly deadlines?: Partial<Deadlines> | undefined
}

/** The registered services. */
export class TaskServiceStore {
  readonly #database: Database
  readonly #reads: ReturnType<typeof serviceReads>
  readonly #writes: ReturnType<typeof serviceWrites>
  readonly #removal: ReturnType<typeof serviceRemoval>
  readonly #audit: AuditStore
  readonly #random: () => number

  constructor(database: Database, random: () => number) {
    this.#database = database
    this.#reads = serviceReads(database)
    this.#writes = serviceWrites(database)
    this.#removal = serviceRemoval(database)
    this.#audit = new AuditStore(database)
    this.#random = random
  }

  async get(id: string): Promise<TaskService | null> {
    const [row] = await this.#database.all<Row>(this.#reads.get, { id })
    return row ? fromRow(row) : null
  }

  async byUrl(url: string): Promise<TaskService | null> {
    const [row] = await this.#database.all<Row>(this.#reads.byUrl, { url })
    return row ? fromRow(row) : null
  }

  async all(): Promise<TaskService[]> {
    return (await this.#database.all<Row>(this.#reads.all)).map(fromRow)
  }

  async enabled(): Promise<TaskService[]> {
    return (await this.#database.all<Row>(this.#reads.enabled)).map(fromRow)
  }

  async list(enabled: boolean | null, window: Window): Promise<Page<TaskService>> {
    const where = { enabled: enabled === null ? null : Number(enabled) }
    const rows = await this.#database.all<Row>(this.#reads.list, { ...where, ...window })
    const [total] = await this.#database.all<{ count: number }>(this.#reads.count, where)
    return { count: total?.count ?? 0, results: rows.map(fromRow) }
  }

  /** @returns null where the address is registered already */
  async insert(
    fields: TaskServiceFields & { readonly version?: string | null },
    by: Asked | null = null,
  ): Promise<TaskService | null> {
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      const id = newId('TS', this.#random)
      const values = { ...toRow(fields), kf_id: id, last_ok_status: 0, version: fields.version ?? null }
      const result = await this.#database.commit([
        { query: this.#writes.insert, values, expect: 1 },
        ...this.#audited(id, by),
      ])
      if (result === 'committed') return this.get(id)
      if (await this.byUrl(fields.url)) return null
    }
    throw new CoordinatorError('ID_COLLISION', `No free id for a task service in ${MOST_DRAWS} draws`)
  }

  /** Changes what is given. @returns false where another service has the address, or this one is gone */
  async update(id: string, fields: Partial<TaskServiceFields>, by: Asked | null = null): Promise<boolean> {
    const { name = null, description = null, url = null, author = null, enabled = null } = fields
    const isEnabled = enabled === null ? null : Number(enabled)
    const own = editedDeadlines(fields.deadlines ?? {})
    const values = { id, name, description, url, author, enabled: isEnabled, ...own }
    const result = await this.#database.commit([
      { query: this.#writes.update, values, expect: 1 },
      ...this.#audited(id, by),
    ])
    return result === 'committed'
  }

  /** A release under way that has a task of this service; null: none, it may go (RC-35). */
  async usedBy(id: string): Promise<string | null> {
    const [row] = await this.#database.all<{ kf_id: string }>(this.#reads.inUse, { id })
    return row?.kf_id ?? null
  }

  /**
   * With its tasks of ended releases and what was still to be told for them; its events stay without a link (CR-32).
   * @returns false where it is in use, also since a moment ago, or gone already
   */
  async remove(id: string, by: Asked | null = null): Promise<boolean> {
    const { hold, service, actions, polls, tasks, eventLinks } = this.#removal
    const result = await this.#database.commit([
      { query: hold, values: { id }, expect: 1 },
      { query: service, values: { id }, expect: 1 },
      ...[actions, polls, tasks, eventLinks].map((query) => ({ query, values: { id } })),
      ...this.#audited(id, by),
    ])
    return result === 'committed'
  }

  /** In the commit of the change: who asked for it. */
  #audited(subject: string, by: Asked | null): Statement[] {
    if (!by?.audit) return []
    return this.#audit.statements({ ...by.audit, actor: by.actor, subject })
  }

  /** @param version what a healthy service says of itself; null keeps what is known */
  async countHealth(id: string, healthy: boolean, version: string | null = null): Promise<void> {
    const statement = healthy
      ? { query: this.#writes.healthy, values: { id, version } }
      : { query: this.#writes.unhealthy, values: { id } }
    await this.#database.commit([statement])
  }

  /** Services whose health is to be checked now, claimed for this process. */
  async claimChecks(intervalMs: number): Promise<TaskService[]> {
    const rows = await this.#database.all<Row>(this.#reads.checksDue, { limit: BATCH })
    const claimed = await Promise.all(
      rows.map(async (row) => {
        const values = { id: row['kf_id'] ?? '', was: row['check_due_at'] ?? 0, interval_ms: intervalMs }
        return (
          (await this.#database.commit([{ query: this.#writes.claimCheck, values, expect: 1 }])) ===
          'committed'
        )
      }),
    )
    return rows.filter((_, index) => claimed[index]).map(fromRow)
  }
}

function toRow({ name, description, url, author, enabled, deadlines }: TaskServiceFields) {
  const own = deadlinesToRow({ ...NO_DEADLINES, ...deadlines })
  return { name, description, url, author, enabled: enabled ? 1 : 0, ...own }
}

/** null keeps what is there, 0 takes it away: a deadline is never 0 long. */
function editedDeadlines(given: Partial<Deadlines>) {
  const edited = (ms: number | null | undefined) => (ms === undefined ? null : (ms ?? 0))
  const { accept, silence, total } = given
  return deadlinesToRow({ accept: edited(accept), silence: edited(silence), total: edited(total) })
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
    deadlines: deadlinesFromRow(row),
    version: row['version'] as string | null,
  }
}
