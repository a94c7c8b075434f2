import { parameter, prepare, type Database, type Statement } from '@release-task/database'
import { all, bump, count, counterValue, given, page } from './query-parts.ts'
import type { Row } from './row.ts'
import type { Page, Window } from './store.ts'

/** A change that somebody asked for. */
export interface AuditEntry {
  /** Who, as the token says: `user:…`, `machine:…` or `anonymous`. */
  readonly actor: string
  /** What, by the name of the permission: `release.publish`. */
  readonly action: string
  /** On which record; null where it is on none. */
  readonly subject: string | null
  /** What was asked for, as far as it is worth keeping. */
  readonly detail: unknown
}

export interface AuditRecord extends AuditEntry {
  readonly position: number
  /** Epoch ms. */
  readonly at: number
}

export interface AuditFilter {
  readonly actor: string | null
  readonly action: string | null
  readonly subject: string | null
}

const MOST_DETAIL_CHARS = 20_000

/** Statements of the audit trail; it is written in the commit of the change, so neither is there without the other. */
export function auditQueries({ builder, now }: Database) {
  const listed = builder
    .selectFrom('audit')
    .where(given('actor'))
    .where(given('action'))
    .where(given('subject'))
  return {
    bump: bump(builder, 'audit'),
    insert: prepare(
      builder.insertInto('audit').values({
        ...all(['actor', 'action', 'subject', 'detail']),
        at: now,
        position: counterValue(builder, 'audit'),
      }),
    ),
    list: prepare(listed.selectAll().orderBy('position', 'desc').limit(page.limit).offset(page.offset)),
    count: prepare(listed.select(count)),
    after: prepare(
      listed.selectAll().where('position', '>', parameter('after')).orderBy('position').limit(page.limit),
    ),
  }
}

/** The audit trail: written with changes, read by admins, never changed. */
export class AuditStore {
  readonly #database: Database
  readonly #queries: ReturnType<typeof auditQueries>

  constructor(database: Database) {
    this.#database = database
    this.#queries = auditQueries(database)
  }

  /** For the commit of the change. */
  statements({ actor, action, subject, detail }: AuditEntry): Statement[] {
    const text = detail === undefined ? null : JSON.stringify(detail)
    const kept =
      text !== null && text.length > MOST_DETAIL_CHARS ? JSON.stringify({ tooLong: text.length }) : text
    return [
      { query: this.#queries.bump, values: {}, expect: 1 },
      { query: this.#queries.insert, values: { actor, action, subject, detail: kept }, expect: 1 },
    ]
  }

  /** Newest first. */
  async list(filter: AuditFilter, window: Window): Promise<Page<AuditRecord>> {
    const rows = await this.#database.all<Row>(this.#queries.list, { ...filter, ...window })
    const [total] = await this.#database.all<{ count: number }>(this.#queries.count, { ...filter })
    return { count: total?.count ?? 0, results: rows.map(fromRow) }
  }

  /** Oldest first, after a position. */
  async after(filter: AuditFilter, after: number, limit: number): Promise<AuditRecord[]> {
    const rows = await this.#database.all<Row>(this.#queries.after, { ...filter, after, limit })
    return rows.map(fromRow)
  }
}

function fromRow(row: Row): AuditRecord {
  return {
    position: row['position'] as number,
    at: row['at'] as number,
    actor: row['actor'] as string,
    action: row['action'] as string,
    subject: row['subject'] as string | null,
    detail: typeof row['detail'] === 'string' ? JSON.parse(row['detail']) : null,
  }
}
