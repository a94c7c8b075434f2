import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { open, rename, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseAddress } from './address.ts'
import { DatabaseError } from './errors.ts'
import type { Identity } from './identity.ts'

const BUSY_LIMIT_MS = 5 * 1000 // 5 s; only a database without write-ahead log makes a reader wait

export interface Backup extends Identity {
  readonly bytes: number
}

/**
 * Copies a database into one file while processes use it: everything that was committed when it began, and nothing
 * in part. The file appears under its name only once it is whole, checked and synced; one that is there already is
 * never touched.
 * @param accept is told whose database it is, and may throw: then no file appears
 * @throws DatabaseError BACKUP_UNSUPPORTED for PostgreSQL, with the command that does it
 */
export async function backupDatabase(
  url: string,
  file: string,
  accept: (identity: Identity) => void = () => {},
): Promise<Backup> {
  const source = sourcePath(url, file)
  const target = resolve(file)
  refuseExisting(target)
  const draft = `${target}.${randomUUID()}.draft`
  try {
    const bytes = await copyInto(draft, source)
    const identity = checkCopy(draft, source)
    accept(identity)
    refuseExisting(target) // it may have appeared meanwhile
    await rename(draft, target)
    await sync(dirname(target))
    return { bytes, ...identity }
  } finally {
    await unlink(draft).catch(() => undefined)
  }
}

function sourcePath(url: string, file: string): string {
  const address = parseAddress(url)
  if (address.kind === 'postgresql')
    throw new DatabaseError(
      'BACKUP_UNSUPPORTED',
      `PostgreSQL has its own tool for this: use pg_dump --format=custom --file ${quoted(file)} "$DATABASE_URL"`,
    )
  if (address.path === ':memory:')
    throw new DatabaseError('DATABASE_URL_INVALID', 'A database that lives in memory cannot be backed up')
  const path = resolve(address.path)
  if (!existsSync(path))
    throw new DatabaseError('DATABASE_UNREACHABLE', `There is no database ${address.path}`)
  return path
}

/** As a shell reads it back. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`
}

function refuseExisting(target: string): void {
  if (existsSync(target))
    throw new DatabaseError(
      'DATABASE_UNREACHABLE',
      `The file ${target} exists already and is not overwritten: choose another name, or move it away`,
    )
}

/** @returns the size of the copy, which is on the disk then */
async function copyInto(draft: string, source: string): Promise<number> {
  try {
    // Made before it is filled, so that nobody may read the copy who may not read the database.
    const { mode } = await stat(source)
    await using file = await open(draft, 'wx', mode & 0o777)
    vacuumInto(draft, source)
    await file.sync()
    return (await file.stat()).size
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new DatabaseError('DATABASE_UNREACHABLE', `Cannot copy ${source} to ${draft}: ${why}`, error)
  }
}

/** One read transaction for all of it: others go on writing, and what they write meanwhile is not in the copy. */
function vacuumInto(draft: string, source: string): void {
  const connection = new DatabaseSync(source, { readOnly: true, timeout: BUSY_LIMIT_MS })
  try {
    connection.prepare('VACUUM INTO ?').run(draft)
  } finally {
    connection.close()
  }
}

function checkCopy(draft: string, source: string): Identity {
  const connection = new DatabaseSync(draft, { readOnly: true })
  try {
    checkWhole(connection, source)
    return identityOf(connection, source)
  } finally {
    connection.close()
  }
}

function checkWhole(connection: DatabaseSync, source: string): void {
  const [{ integrity_check: verdict } = {}] = connection.prepare('PRAGMA integrity_check(1)').all()
  if (verdict !== 'ok')
    throw new DatabaseError('DATABASE_UNREACHABLE', `The database ${source} is damaged: ${String(verdict)}`)
}

function identityOf(connection: DatabaseSync, source: string): Identity {
  const known = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'identity'").get()
  const rows = known ? connection.prepare('SELECT name, value FROM identity').all() : []
  const { side, name } = Object.fromEntries(rows.map((row) => [row['name'], row['value']]))
  if (typeof side !== 'string' || typeof name !== 'string')
    throw new DatabaseError('DATABASE_FOREIGN', `${source} is the database of no coordinator or task service`)
  return { side, name }
}

async function sync(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
