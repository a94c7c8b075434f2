import { parseAddress, redacted } from './address.ts'
import type { Database } from './database.ts'
import { BASE_MIGRATIONS, readMigrations } from './migrations.ts'
import { connectSqlite, openSqlite } from './sqlite-open.ts'

export interface OpenOptions {
  /** `sqlite:PATH`, `sqlite::memory:` for a database that ends with the process, or `postgres://…`. */
  readonly url: string
  /** Which of the two sides it belongs to; its migrations carry the same name. */
  readonly side: 'task-service' | 'coordinator'
  /** The service's own name; another name finds the door closed. */
  readonly name: string
  readonly migrations: URL
  readonly sync?: 'full' | 'normal'
  /** Epoch milliseconds; PostgreSQL has its own. */
  readonly clock?: () => number
}

/**
 * Opens the database of one service, migrates it, and makes sure that it is this service's own.
 * @throws DatabaseError with a message for whoever starts the program
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const address = parseAddress(options.url)
  const own = { side: options.side, name: options.name }
  const sync = options.sync ?? 'full'
  const migrations = [
    ...readMigrations('database', BASE_MIGRATIONS),
    ...readMigrations(options.side, options.migrations),
  ]
  if (address.kind === 'sqlite')
    return openSqlite(address.path, { sync, clock: options.clock ?? Date.now }, own, migrations)
  const { openPostgres } = await import('./postgres-open.ts')
  return openPostgres(address.url, { sync, shown: redacted(address.url) }, own, migrations)
}

/**
 * A further connection to a database that this process has opened already: no migrations, no questions.
 * @param answerMs how long an answer of a server is waited for, where that is not the usual time
 */
export async function openConnection(url: string, answerMs?: number): Promise<Database> {
  const address = parseAddress(url)
  if (address.kind === 'sqlite') return connectSqlite(address.path)
  const { connectPostgres } = await import('./postgres-open.ts')
  return connectPostgres(address.url, {
    sync: 'normal',
    shown: redacted(url),
    connections: 2,
    ...(answerMs === undefined ? {} : { answerMs }),
  })
}
