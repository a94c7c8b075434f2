import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseError } from './errors.ts'

/** One numbered `.sql` file. */
export interface Migration {
  /** Which package it belongs to: each numbers its own. */
  readonly owner: string
  readonly number: number
  readonly name: string
  readonly text: string
  readonly checksum: string
}

/**
 * The migrations of a folder in their order. Files are called `001-what.sql`; they use only what both databases
 * know (TEXT, INTEGER, BIGINT, CREATE TABLE, CREATE INDEX, ADD COLUMN), and add, so that the version before still runs.
 */
export function readMigrations(owner: string, folder: URL): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{3}-.*\.sql$/.test(name))
  return names.toSorted().map((name) => {
    const text = readFileSync(new URL(name, `${folder.href.replace(/\/$/, '')}/`), 'utf8')
    return { owner, number: Number(name.slice(0, 3)), name, text, checksum: checksumOf(text) }
  })
}

export const BASE_MIGRATIONS = new URL('../migrations/', import.meta.url)

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const CREATE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (owner, number)
)`

export interface AppliedMigration {
  readonly owner: string
  readonly number: number
  readonly name: string
  readonly checksum: string
}

/** The statements of every migration run; both databases understand them. */
export const MIGRATION_STATEMENTS = {
  create: CREATE,
  applied: 'SELECT owner, number, name, checksum FROM schema_migrations',
} as const

/**
 * The migrations that a database has not run yet, in their order.
 * @throws DatabaseError DATABASE_NEWER, DATABASE_MIGRATION_CHANGED
 */
export function missingMigrations(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): Migration[] {
  checkApplied(applied, migrations)
  return migrations.filter(
    (migration) => !applied.some((row) => row.owner === migration.owner && row.number === migration.number),
  )
}

function checkApplied(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  for (const row of applied) {
    const known = migrations.find((one) => one.owner === row.owner && one.number === row.number)
    if (!known)
      throw new DatabaseError(
        'DATABASE_NEWER',
        `The database has run migration ${row.owner}/${row.name}, which this version does not know: start the newer version`,
      )
    if (known.checksum !== row.checksum)
      throw new DatabaseError(
        'DATABASE_MIGRATION_CHANGED',
        `Migration ${row.owner}/${row.name} was changed after this database ran it: add a new one instead`,
      )
  }
}
