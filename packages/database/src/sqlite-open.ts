import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from './errors.ts'
import { foreign, type Identity } from './identity.ts'
import {
  MIGRATION_STATEMENTS,
  missingMigrations,
  type AppliedMigration,
  type Migration,
} from './migrations.ts'
import { openSqliteConnection, SqliteDatabase, type SqliteOptions } from './sqlite.ts'

/** Opens, migrates and claims a file, or `:memory:`. @throws DatabaseError */
export async function openSqlite(
  path: string,
  options: SqliteOptions,
  own: Identity,
  migrations: readonly Migration[],
): Promise<SqliteDatabase> {
  const connection = await connect(path, options)
  try {
    await retryWhileBusy(() => migrate(connection, migrations, options.clock()))
    await retryWhileBusy(() => claimIdentity(connection, own, path))
  } catch (error) {
    connection.close()
    throw error
  }
  return new SqliteDatabase(connection, options.clock)
}

/** A further connection to a file that has been opened already. */
export async function connectSqlite(path: string): Promise<SqliteDatabase> {
  return new SqliteDatabase(await connect(path, { sync: 'normal', clock: Date.now }), Date.now)
}

async function connect(path: string, options: SqliteOptions): Promise<DatabaseSync> {
  try {
    if (path !== ':memory:') mkdirSync(dirname(resolve(path)), { recursive: true })
    return await retryWhileBusy(() => openSqliteConnection(path, options))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new DatabaseError('DATABASE_UNREACHABLE', `Cannot open the database ${path}: ${why}`, error)
  }
}

/** Another process may be opening or migrating the same file this very moment. */
async function retryWhileBusy<T>(work: () => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return work()
    } catch (error) {
      if (error instanceof DatabaseError || tries === 50 || !/locked|busy/.test(String(error))) throw error
      await new Promise((resolveTimer) => setTimeout(resolveTimer, 20 + Math.random() * 80))
    }
  }
}

/** All missing migrations in one transaction, or none. */
function migrate(connection: DatabaseSync, migrations: readonly Migration[], now: number): void {
  connection.exec('BEGIN IMMEDIATE')
  try {
    connection.exec(MIGRATION_STATEMENTS.create)
    const applied = connection.prepare(MIGRATION_STATEMENTS.applied).all() as unknown as AppliedMigration[]
    for (const migration of missingMigrations(applied, migrations)) apply(connection, migration, now)
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

function apply(connection: DatabaseSync, migration: Migration, now: number): void {
  connection.exec(migration.text)
  connection
    .prepare(
      'INSERT INTO schema_migrations (owner, number, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?)',
    )
    .run(migration.owner, migration.number, migration.name, migration.checksum, now)
}

function claimIdentity(connection: DatabaseSync, own: Identity, path: string): void {
  for (const [key, value] of Object.entries(own)) {
    connection
      .prepare('INSERT INTO identity (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING')
      .run(key, value)
    const row = connection.prepare('SELECT value FROM identity WHERE name = ?').get(key)
    if (row?.['value'] !== value) throw foreign(path, key, String(row?.['value']), value)
  }
}
