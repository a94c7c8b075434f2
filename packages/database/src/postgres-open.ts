import type { Client, Pool } from 'pg'
import { DatabaseError } from './errors.ts'
import { foreign, type Identity } from './identity.ts'
import {
  MIGRATION_STATEMENTS,
  missingMigrations,
  type AppliedMigration,
  type Migration,
} from './migrations.ts'
import { isConnectionTrouble } from './postgres-errors.ts'
import { PostgresDatabase } from './postgres.ts'

const CONNECTIONS = 10
const CONNECT_LIMIT_MS = 5 * 1000 // 5 s, also for a free connection of the pool
const STATEMENT_LIMIT_MS = 10 * 1000 // 10 s
const ANSWER_LIMIT_MS = 12 * 1000 // 12 s: longer than the server's own limit, for a server that does not answer
// A process that is suspended in the middle of a commit must not hold up everybody else's.
const IDLE_IN_TRANSACTION_LIMIT_MS = 5 * 1000 // 5 s
const MIGRATION_LOCK = 7_215_001 // any number that all processes share
const BIGINT_TYPE = 20

export interface PostgresOptions {
  /** `normal`: a crash of the server may lose the last commits. */
  readonly sync: 'full' | 'normal'
  /** The address without its password. */
  readonly shown: string
  readonly connections?: number
  /** How long an answer is waited for. */
  readonly answerMs?: number
}

/** Opens, migrates and claims a database. @throws DatabaseError */
export async function openPostgres(
  url: string,
  options: PostgresOptions,
  own: Identity,
  migrations: readonly Migration[],
): Promise<PostgresDatabase> {
  try {
    await prepareSchema(url, migrations, { own, shown: options.shown })
  } catch (error) {
    if (!isConnectionTrouble(error)) throw error
    const why = error instanceof Error ? error.message || String(error) : String(error)
    throw new DatabaseError(
      'DATABASE_UNREACHABLE',
      `Cannot open the database ${options.shown}: ${why}`,
      error,
    )
  }
  return new PostgresDatabase(await openPool(url, options))
}

/** Further connections to a database that has been opened already. */
export async function connectPostgres(url: string, options: PostgresOptions): Promise<PostgresDatabase> {
  return new PostgresDatabase(await openPool(url, options))
}

async function loadPackage() {
  return import('pg').catch((cause: unknown) => {
    throw new DatabaseError(
      'DATABASE_PACKAGE_MISSING',
      'PostgreSQL needs the package "pg": npm install pg@8',
      cause,
    )
  })
}

async function openPool(url: string, { sync, connections, answerMs }: PostgresOptions): Promise<Pool> {
  const pg = await loadPackage()
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'release-task',
    max: connections ?? CONNECTIONS,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    statement_timeout: STATEMENT_LIMIT_MS,
    query_timeout: answerMs ?? ANSWER_LIMIT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_LIMIT_MS,
    keepAlive: true,
    // Counts and epoch milliseconds fit a number; as text they would be compared as text.
    types: {
      getTypeParser: (type: number, format?: any) =>
        type === BIGINT_TYPE ? Number : pg.types.getTypeParser(type, format),
    },
    ...(sync === 'normal' ? { options: '-c synchronous_commit=off' } : {}),
  })
  // An idle connection that breaks has left the pool already; the next query opens another.
  pool.on('error', () => undefined)
  // One that breaks in use tells so twice, by its query and by this event, and nobody hearing this would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/**
 * All missing migrations in one transaction, or none; of several processes at once one does it. On a connection of its
 * own: a migration may take longer than any statement of the day, and so may waiting for another process's.
 */
async function prepareSchema(
  url: string,
  migrations: readonly Migration[],
  { own, shown }: { own: Identity; shown: string },
): Promise<void> {
  const pg = await loadPackage()
  const client = new pg.Client({
    connectionString: url,
    application_name: 'release-task migration',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await migrate(client, migrations)
    await claimIdentity(client, own, shown)
    await client.query('COMMIT')
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function migrate(client: Client, migrations: readonly Migration[]): Promise<void> {
  await client.query(MIGRATION_STATEMENTS.create)
  const { rows } = await client.query<AppliedMigration>(MIGRATION_STATEMENTS.applied)
  for (const { owner, number, name, text, checksum } of missingMigrations(rows, migrations)) {
    await client.query(text)
    await client.query(
      `INSERT INTO schema_migrations (owner, number, name, checksum, applied_at)
       VALUES ($1, $2, $3, $4, cast(extract(epoch from clock_timestamp()) * 1000 as bigint))`,
      [owner, number, name, checksum],
    )
  }
}

async function claimIdentity(client: Client, own: Identity, shown: string): Promise<void> {
  for (const [key, value] of Object.entries(own)) {
    const insert = 'INSERT INTO identity (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING'
    await client.query(insert, [key, value])
    const found = await client.query<{ value: string }>('SELECT value FROM identity WHERE name = $1', [key])
    const holder = found.rows[0]?.value ?? ''
    if (holder !== value) throw foreign(shown, key, holder, value)
  }
}
