import type { Kysely, RawBuilder } from 'kysely'
import type { Prepared, SqlValue, Statement } from './statement.ts'

/**
 * `conflict`: a statement touched another number of rows than expected, or would write a key a second time; nothing
 * of the commit is stored.
 */
export type CommitResult = 'committed' | 'conflict'

/**
 * A database as both sides use it. Queries are written once with `builder`, prepared, and run by `all` and
 * `commit`; the same text serves every database, `now` being the one expression that differs.
 */
export interface Database {
  /** Builds queries; it cannot run them. */
  readonly builder: Kysely<any>
  /** Epoch milliseconds by the database's own clock, by which leases are written and compared. */
  readonly now: RawBuilder<number>
  /** The same clock without a query, where it is this host's own; null where only the database can tell. */
  readonly clock: (() => number) | null
  /**
   * All statements or none. Durable when it resolves. On SQLite nothing else runs between the statements; on
   * PostgreSQL each sees what others have committed by then, so what must not change meanwhile is written first.
   * @throws DatabaseError DATABASE_BUSY when another process kept the database for five seconds;
   * DATABASE_UNREACHABLE when the connection broke before it; DATABASE_OUTCOME_UNKNOWN when it broke during it, and then it
   * may be stored all the same
   */
  commit(statements: readonly Statement[]): Promise<CommitResult>
  /** The rows of a prepared query, in one consistent view. */
  all<Row>(query: Prepared, values?: Readonly<Record<string, SqlValue>>): Promise<Row[]>
  /** Resolves where the database answers. @throws whatever the database says */
  ping(): Promise<void>
  close(): Promise<void>
}
