import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { backoffDelay } from '@release-task/protocol'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import type { CommitResult, Database } from './database.ts'
import { DatabaseError } from './errors.ts'
import { bind, type Prepared, type SqlValue, type Statement } from './statement.ts'

const BUSY_LIMIT_MS = 5 * 1000 // 5 s
const BUSY_BACKOFF = { firstMs: 5, maxMs: 100 }

export interface SqliteOptions {
  /** `full`: a commit survives a power cut. `normal`: only the end of the process. */
  readonly sync: 'full' | 'normal'
  /** Epoch milliseconds; the database's clock in tests. */
  readonly clock: () => number
}

interface Waiting {
  readonly statements: readonly Statement[]
  resolve(result: CommitResult): void
  reject(error: unknown): void
}

type Verdict = CommitResult | { readonly error: unknown }

function isBusy(error: unknown): boolean {
  // 5 SQLITE_BUSY, 6 SQLITE_LOCKED; the low byte of the extended code
  const code = (error as { errcode?: number }).errcode ?? 0
  return (code & 0xff) === 5 || (code & 0xff) === 6
}

/** 1555 SQLITE_CONSTRAINT_PRIMARYKEY, 2067 SQLITE_CONSTRAINT_UNIQUE: a row with this key is there by now. */
function isDuplicate(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode ?? 0
  return code === 1555 || code === 2067
}

/** Opens the file with the settings that every connection needs. */
export function openSqliteConnection(path: string, options: SqliteOptions): DatabaseSync {
  // No busy timeout: it would stop the whole event loop. Busy is tried again asynchronously instead.
  const connection = new DatabaseSync(path, { timeout: 0 })
  connection.exec('PRAGMA journal_mode = WAL')
  connection.exec(`PRAGMA synchronous = ${options.sync === 'full' ? 'FULL' : 'NORMAL'}`)
  connection.function('now_ms', () => options.clock())
  return connection
}

/**
 * node:sqlite. A transaction runs in one synchronous stretch, so no other code of this process ever sees it open.
 * Commits that were asked for in the same turn of the event loop share one transaction, and so one fsync.
 */
export class SqliteDatabase implements Database {
  readonly builder: Kysely<any>
  readonly now = sql<number>`now_ms()`
  readonly clock: () => number
  readonly connection: DatabaseSync
  readonly #prepared = new Map<Prepared, StatementSync>()
  readonly #frame: Frame
  #waiting: Waiting[] = []
  #closed = false

  constructor(connection: DatabaseSync, clock: () => number) {
    this.connection = connection
    this.clock = clock
    this.#frame = prepareFrame(connection)
    this.builder = new Kysely({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    })
  }

  commit(statements: readonly Statement[]): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new DatabaseError('DATABASE_UNREACHABLE', 'The database is closed'))
      this.#waiting.push({ statements, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush())
    })
  }

  async all<Row>(query: Prepared, values: Readonly<Record<string, SqlValue>> = {}): Promise<Row[]> {
    // Beside other processes even a read finds the file locked for a moment.
    return this.#whenFree(() => this.#prepare(query).all(...bind(query, values)) as Row[])
  }

  async ping(): Promise<void> {
    this.connection.prepare('SELECT 1 FROM identity LIMIT 1').get()
  }

  async close(): Promise<void> {
    await this.#flush()
    this.#closed = true
    if (this.connection.isOpen) this.connection.close()
  }

  async #flush(): Promise<void> {
    const group = this.#waiting
    this.#waiting = []
    if (group.length === 0) return
    try {
      const verdicts = await this.#whenFree(() => this.#transaction(group))
      for (const [index, waiting] of group.entries()) settle(waiting, verdicts[index] ?? 'conflict')
    } catch (error) {
      // COMMIT itself failed, or nobody got in: nothing of the group is stored, and none of it was answered.
      for (const waiting of group) waiting.reject(error)
    }
  }

  async #whenFree<T>(attempt: () => T): Promise<T> {
    const startedAt = performance.now()
    for (let failures = 1; ; failures++) {
      try {
        return attempt()
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() - startedAt > BUSY_LIMIT_MS)
          throw new DatabaseError('DATABASE_BUSY', 'The database was busy for 5 s; nothing was stored', error)
        await new Promise((resolve) =>
          setTimeout(resolve, backoffDelay(BUSY_BACKOFF, failures, Math.random())),
        )
      }
    }
  }

  #transaction(group: readonly Waiting[]): Verdict[] {
    this.#frame.begin.run()
    try {
      const verdicts = group.map((waiting) => this.#savepoint(waiting.statements))
      this.#frame.commit.run()
      return verdicts
    } catch (error) {
      if (this.connection.isTransaction) this.connection.exec('ROLLBACK')
      throw error
    }
  }

  #savepoint(statements: readonly Statement[]): Verdict {
    this.#frame.savepoint.run()
    const verdict = this.#runAll(statements)
    // Some errors (disk full) end the whole transaction; then there is no savepoint to go back to.
    if (!this.connection.isTransaction) throw (verdict as { error: unknown }).error
    if (verdict !== 'committed') this.#frame.rollbackTo.run()
    this.#frame.release.run()
    return verdict
  }

  #runAll(statements: readonly Statement[]): Verdict {
    try {
      for (const { query, values, expect } of statements) {
        const { changes } = this.#prepare(query).run(...bind(query, values))
        if (expect !== undefined && Number(changes) !== expect) return 'conflict'
      }
      return 'committed'
    } catch (error) {
      return isDuplicate(error) ? 'conflict' : { error }
    }
  }

  #prepare(query: Prepared): StatementSync {
    const known = this.#prepared.get(query)
    if (known) return known
    const statement = this.connection.prepare(query.sql)
    this.#prepared.set(query, statement)
    return statement
  }
}

/** The statements around every commit, compiled once. */
interface Frame {
  readonly begin: StatementSync
  readonly commit: StatementSync
  readonly savepoint: StatementSync
  readonly rollbackTo: StatementSync
  readonly release: StatementSync
}

function prepareFrame(connection: DatabaseSync): Frame {
  return {
    begin: connection.prepare('BEGIN IMMEDIATE'),
    commit: connection.prepare('COMMIT'),
    savepoint: connection.prepare('SAVEPOINT member'),
    rollbackTo: connection.prepare('ROLLBACK TO member'),
    release: connection.prepare('RELEASE member'),
  }
}

function settle(waiting: Waiting, verdict: Verdict): void {
  if (typeof verdict === 'string') waiting.resolve(verdict)
  else waiting.reject(verdict.error)
}
