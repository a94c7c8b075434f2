import { backoffDelay } from '@release-task/protocol'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { CommitResult, Database } from './database.ts'
import { DatabaseError } from './errors.ts'
import { isConnectionTrouble, isDuplicate, isPassing, unreachable } from './postgres-errors.ts'
import { bind, type Prepared, type SqlValue, type Statement } from './statement.ts'

const PASSING_LIMIT_MS = 5 * 1000 // 5 s
const PING_LIMIT_MS = 3 * 1000 // 3 s
const PASSING_BACKOFF = { firstMs: 5, maxMs: 100 }

/**
 * PostgreSQL. A commit is an ordinary transaction on a connection of the pool: each of its statements sees what
 * others have committed by then, and waits for rows that they are changing.
 */
export class PostgresDatabase implements Database {
  readonly builder: Kysely<any>
  readonly now = sql<number>`cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)`
  readonly clock = null
  readonly #pool: Pool
  #closed = false

  constructor(pool: Pool) {
    this.#pool = pool
    this.builder = new Kysely({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    })
  }

  async commit(statements: readonly Statement[]): Promise<CommitResult> {
    const startedAt = performance.now()
    for (let failures = 1; ; failures++) {
      try {
        return await this.#transaction(statements)
      } catch (error) {
        // A row with this key is there by now: somebody else was faster.
        if (isDuplicate(error)) return 'conflict'
        if (!isPassing(error)) throw isConnectionTrouble(error) ? unreachable(error) : error
        if (performance.now() - startedAt > PASSING_LIMIT_MS)
          throw new DatabaseError('DATABASE_BUSY', 'The database was busy for 5 s; nothing was stored', error)
        await new Promise((resolve) =>
          setTimeout(resolve, backoffDelay(PASSING_BACKOFF, failures, Math.random())),
        )
      }
    }
  }

  async all<Row>(query: Prepared, values: Readonly<Record<string, SqlValue>> = {}): Promise<Row[]> {
    const client = await this.#connect()
    try {
      const { rows } = await client.query(query.sql, bindText(query, values))
      client.release()
      return rows as Row[]
    } catch (error) {
      client.release(true)
      throw isConnectionTrouble(error) ? unreachable(error) : error
    }
  }

  /** Sooner than the other limits: whoever asks whether the process is ready does not wait for long. */
  async ping(): Promise<void> {
    const asked = this.all({ sql: 'SELECT 1 FROM identity LIMIT 1', names: [] })
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(unreachable(new Error('no answer within 3 s'))), PING_LIMIT_MS)
    try {
      await Promise.race([asked, late])
    } finally {
      clearTimeout(timer)
      asked.catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool.end()
  }

  async #transaction(statements: readonly Statement[]): Promise<CommitResult> {
    const client = await this.#begin()
    try {
      const result = await runAll(client, statements)
      if (result === 'committed') await commit(client)
      else await client.query('ROLLBACK')
      client.release()
      return result
    } catch (error) {
      await rollBack(client, error)
      throw error
    }
  }

  /** Where a connection died unnoticed in the pool nothing has happened yet, and another one may be better. */
  async #begin(): Promise<PoolClient> {
    for (let tries = 1; ; tries++) {
      const client = await this.#connect()
      try {
        await client.query('BEGIN')
        return client
      } catch (error) {
        client.release(true)
        if (tries === 3 || !isConnectionTrouble(error)) throw error
      }
    }
  }

  async #connect(): Promise<PoolClient> {
    if (this.#closed) throw new DatabaseError('DATABASE_UNREACHABLE', 'The database is closed')
    return this.#pool.connect().catch((error: unknown) => {
      throw unreachable(error)
    })
  }
}

async function runAll(client: PoolClient, statements: readonly Statement[]): Promise<CommitResult> {
  for (const { query, values, expect } of statements) {
    const { rowCount } = await client.query(query.sql, bindText(query, values))
    if (expect !== undefined && rowCount !== expect) return 'conflict'
  }
  return 'committed'
}

/** Where the connection breaks just now, only the server knows what became of it. */
async function commit(client: PoolClient): Promise<void> {
  try {
    await client.query('COMMIT')
  } catch (error) {
    if (!isConnectionTrouble(error)) throw error
    throw new DatabaseError(
      'DATABASE_OUTCOME_UNKNOWN',
      'The connection broke while a change was stored: it may be stored, or not',
      error,
    )
  }
}

async function rollBack(client: PoolClient, error: unknown): Promise<void> {
  // Nothing is to be had any more from a connection that does not answer; the server undoes what was open on it.
  const isBroken = isConnectionTrouble(error) || error instanceof DatabaseError
  if (isBroken) return client.release(true)
  try {
    await client.query('ROLLBACK')
    client.release()
  } catch {
    // A connection in an unknown state is not used again; the server undoes what was open on it.
    client.release(true)
  }
}

/** PostgreSQL keeps no NUL in a text: what a program printed must not keep its task from being stored. */
function bindText(query: Prepared, values: Readonly<Record<string, SqlValue>>): SqlValue[] {
  return bind(query, values).map((value) =>
    typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value,
  )
}
