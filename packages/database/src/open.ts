import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from './errors.ts'
import { BASE_MIGRATIONS, migrateSqlite, readMigrations, sqlitePath } from './migrate.ts'
import { openSqliteConnection, SqliteDatabase } from './sqlite.ts'

export interface OpenOptions {
  /** `sqlite:PATH`, or `sqlite::memory:` for a database that ends with the process. */
  readonly url: string
  /** Which of the two sides it belongs to; its migrations carry the same name. */
  readonly side: 'task-service' | 'coordinator'
  /** The service's own name; another name finds the door closed. */
  readonly name: string
  readonly migrations: URL
  readonly sync?: 'full' | 'normal'
  /** Epoch milliseconds. */
  readonly clock?: () => number
}

/**
 * Opens the database of one service, migrates it, and makes sure that it is this service's own.
 * @throws DatabaseError with a message for whoever starts the program
 */
export async function openDatabase(options: OpenOptions): Promise<SqliteDatabase> {
  const path = sqlitePath(options.url)
  if (path === null || path === '')
    throw new DatabaseError('DATABASE_URL_INVALID', `DATABASE_URL=${options.url}: write sqlite:PATH`)
  const clock = options.clock ?? Date.now
  const connection = connect(path, { sync: options.sync ?? 'full', clock })
  try {
    const migrations = [
      ...readMigrations('database', BASE_MIGRATIONS),
      ...readMigrations(options.side, options.migrations),
    ]
    await retryWhileBusy(() => migrateSqlite(connection, migrations, clock()))
    claimIdentity(connection, { side: options.side, name: options.name }, path)
  } catch (error) {
    connection.close()
    throw error
  }
  return new SqliteDatabase(connection, clock)
}

function connect(path: string, options: { sync: 'full' | 'normal'; clock: () => number }): DatabaseSync {
  try {
    if (path !== ':memory:') mkdirSync(dirname(resolve(path)), { recursive: true })
    return openSqliteConnection(path, options)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new DatabaseError('DATABASE_UNREACHABLE', `Cannot open the database ${path}: ${why}`, error)
  }
}

/** Another process may be migrating the same file this very moment. */
async function retryWhileBusy(work: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return work()
    } catch (error) {
      if (error instanceof DatabaseError || tries === 50 || !/locked|busy/.test(String(error))) throw error
      await new Promise((resolveTimer) => setTimeout(resolveTimer, 20 + Math.random() * 80))
    }
  }
}

function claimIdentity(connection: DatabaseSync, own: { side: string; name: string }, path: string): void {
  for (const [key, value] of Object.entries(own)) {
    connection
      .prepare('INSERT INTO identity (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING')
      .run(key, value)
    const row = connection.prepare('SELECT value FROM identity WHERE name = ?').get(key)
    if (row?.['value'] !== value)
      throw new DatabaseError(
        'DATABASE_FOREIGN',
        `The database ${path} belongs to the ${key} "${String(row?.['value'])}", not to "${value}": give each service its own`,
      )
  }
}

/** A further connection to a database that this process has opened already: no migrations, no questions. */
export function openConnection(url: string): SqliteDatabase {
  const path = sqlitePath(url)
  if (path === null) throw new DatabaseError('DATABASE_URL_INVALID', `${url}: write sqlite:PATH`)
  return new SqliteDatabase(connect(path, { sync: 'normal', clock: Date.now }), Date.now)
}
