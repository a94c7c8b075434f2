import type { Database } from '@release-task/database'
import type { StudyId } from '@release-task/protocol'
import { AuditStore } from './audit-store.ts'
import type { Asked } from './execute.ts'
import { studyQueries } from './study-queries.ts'
import type { Row } from './row.ts'
import type { Page, Window } from './store.ts'

export interface Study {
  readonly id: StudyId
  readonly name: string
  readonly visible: boolean
  readonly deleted: boolean
  /** As the Data Service wrote it. */
  readonly createdAt: string | null
}

/** A study as its source lists it. */
export type ListedStudy = Omit<Study, 'deleted'>

export interface SyncPlan {
  readonly put: readonly ListedStudy[]
  readonly remove: readonly StudyId[]
  readonly created: number
}

/** The studies that releases can be made of. */
export class StudyStore {
  readonly #database: Database
  readonly #queries: ReturnType<typeof studyQueries>
  readonly #audit: AuditStore

  constructor(database: Database) {
    this.#database = database
    this.#queries = studyQueries(database)
    this.#audit = new AuditStore(database)
  }

  async get(id: string): Promise<Study | null> {
    const [row] = await this.#database.all<Row>(this.#queries.get, { id })
    return row ? fromRow(row) : null
  }

  async all(): Promise<Study[]> {
    return (await this.#database.all<Row>(this.#queries.all)).map(fromRow)
  }

  async list(window: Window): Promise<Page<Study>> {
    const rows = await this.#database.all<Row>(this.#queries.list, { ...window })
    const [total] = await this.#database.all<{ count: number }>(this.#queries.count)
    return { count: total?.count ?? 0, results: rows.map(fromRow) }
  }

  /** All of it or nothing: a sync that stops half-way would show studies that are gone (F-62). */
  async apply(plan: SyncPlan, by: Asked | null = null): Promise<void> {
    const put = plan.put.map(({ id, name, visible, createdAt }) => ({
      query: this.#queries.put,
      values: { kf_id: id, name, visible: visible ? 1 : 0, created_at: createdAt },
    }))
    const remove = plan.remove.map((kf_id) => ({ query: this.#queries.remove, values: { kf_id } }))
    const detail = { created: plan.created, removed: plan.remove }
    const audited = by?.audit
      ? this.#audit.statements({ action: by.audit.action, actor: by.actor, subject: null, detail })
      : []
    await this.#database.commit([...put, ...remove, ...audited])
  }
}

function fromRow(row: Row): Study {
  return {
    id: row['kf_id'] as StudyId,
    name: row['name'] as string,
    visible: row['visible'] === 1,
    deleted: row['deleted'] === 1,
    createdAt: row['created_at'] as string | null,
  }
}
