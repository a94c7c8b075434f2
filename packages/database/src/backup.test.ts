import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import type { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { backupDatabase } from './backup.ts'
import type { Database } from './database.ts'
import { openDatabase } from './open.ts'
import { parameter, prepare } from './statement.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'migrations'))
  writeFileSync(
    join(folder, 'migrations/001-things.sql'),
    'CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL);',
  )
})

const path = (name: string) => join(folder, name)
const backup = (name: string) => backupDatabase(`sqlite:${path('state.db')}`, path(name))

async function openThings(name = 'state.db'): Promise<Database> {
  const database = await openDatabase({
    url: `sqlite:${path(name)}`,
    side: 'task-service',
    name: 'things',
    migrations: pathToFileURL(`${path('migrations')}/`),
  })
  onTestFinished(() => database.close())
  return database
}

const insertOf = ({ builder }: Database) =>
  prepare(builder.insertInto('things').values({ id: parameter('id'), size: parameter('size') }))

interface Content {
  readonly sizes: readonly number[]
  readonly counted: number
}

async function contentOf(database: Database): Promise<Content> {
  const { builder } = database
  const things = await database.all<{ size: number }>(
    prepare(builder.selectFrom('things').select('size').orderBy('size')),
  )
  const counters = await database.all<{ value: number }>(
    prepare(builder.selectFrom('counters').select('value')),
  )
  return { sizes: things.map(({ size }) => size), counted: counters[0]?.value ?? -1 }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const CHILD = fileURLToPath(new URL('backup.child.fixture.ts', import.meta.url))

/** Another process that commits as fast as it can. */
class Committer {
  /** What it has stored for certain. */
  stored = 0
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #waiting = new Set<() => void>()

  constructor() {
    this.#child = spawn(process.execPath, [CHILD, path('state.db')], { stdio: ['ignore', 'pipe', 'pipe'] })
    createInterface(this.#child.stdout).on('line', (line) => {
      this.stored = Number(line)
      for (const look of this.#waiting) look()
    })
    onTestFinished(() => void this.#child.kill('SIGKILL'))
  }

  reaches(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => void (this.stored >= count && resolve())
      this.#waiting.add(look)
      look()
    })
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}

test('a copy that was made while another process commits holds every commit before it, and no half of one', async () => {
  await (await openThings()).close()
  const committer = new Committer()
  for (const round of [1, 2, 3]) {
    await committer.reaches(committer.stored + 20)
    const before = committer.stored
    const copy = await backup(`copy-${round}.db`)
    expect(copy).toEqual({
      side: 'task-service',
      name: 'things',
      bytes: statSync(path(`copy-${round}.db`)).size,
    })
    const { sizes, counted } = await contentOf(await openThings(`copy-${round}.db`))
    expect(sizes).toEqual(upTo(sizes.length))
    expect(counted).toBe(sizes.length)
    expect(sizes.length).toBeGreaterThanOrEqual(before)
  }
  await committer.reaches(committer.stored + 20) // the backups did not end it
})

test('restoring: stop, put the copy in the place of the database, remove -wal and -shm, start', async () => {
  await (await openThings()).close()
  const committer = new Committer()
  await committer.reaches(30)
  await backup('copy.db')
  copyFileSync(path('copy.db'), path('looked-at.db'))
  const copied = await openThings('looked-at.db').then(contentOf)
  await committer.reaches(committer.stored + 30)
  await committer.kill()
  expect(existsSync(path('state.db-wal'))).toBe(true) // of the end that the backup does not know
  copyFileSync(path('copy.db'), path('state.db'))
  for (const rest of ['state.db-wal', 'state.db-shm']) rmSync(path(rest))

  const database = await openThings()
  expect(await contentOf(database)).toEqual(copied)
  expect(copied.sizes).toEqual(upTo(copied.counted))
  const next = copied.counted + 1
  expect(
    await database.commit([{ query: insertOf(database), values: { id: String(next), size: next } }]),
  ).toBe('committed')
  expect((await contentOf(database)).sizes).toEqual(upTo(next))
})

test('a database that nobody uses is copied, commits in its log included, and left as it is', async () => {
  const database = await openThings()
  await database.commit([{ query: insertOf(database), values: { id: '1', size: 1 } }])
  await backup('copy.db')
  expect((await contentOf(await openThings('copy.db'))).sizes).toEqual([1])
  await database.close()
  const before = readFileSync(path('state.db'))
  await backup('again.db')
  expect(readFileSync(path('state.db'))).toEqual(before)
})

test('only the copy appears, under its name, and with the rights of the database', async () => {
  await (await openThings()).close()
  chmodSync(path('state.db'), 0o600)
  mkdirSync(path('backups'))
  await backup('backups/copy.db')
  expect(readdirSync(path('backups'))).toEqual(['copy.db'])
  expect(statSync(path('backups/copy.db')).mode & 0o777).toBe(0o600)
})

test('a file that exists is never overwritten, also where it appears meanwhile', async () => {
  await (await openThings()).close()
  writeFileSync(path('copy.db'), 'precious')
  let copied = false
  const refused = backupDatabase(`sqlite:${path('state.db')}`, path('copy.db'), () => void (copied = true))
  await expect(refused).rejects.toThrow(`${path('copy.db')} exists already and is not overwritten`)
  expect(copied).toBe(false) // told before all the work
  const meanwhile = backupDatabase(`sqlite:${path('state.db')}`, path('late.db'), () =>
    writeFileSync(path('late.db'), 'precious'),
  )
  await expect(meanwhile).rejects.toThrow('exists already')
  for (const name of ['copy.db', 'late.db']) expect(readFileSync(path(name), 'utf8')).toBe('precious')
  expect(readdirSync(folder).filter((name) => name.includes('draft'))).toEqual([])
})

test('a refusal of whose database it is leaves no file', async () => {
  await (await openThings()).close()
  const refused = backupDatabase(`sqlite:${path('state.db')}`, path('copy.db'), ({ side, name }) => {
    throw new Error(`${side} ${name} is not wanted`)
  })
  await expect(refused).rejects.toThrow('task-service things is not wanted')
  expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([])
})

test('a database that is damaged leaves no file', async () => {
  const database = await openThings()
  for (const id of upTo(2000))
    await database.commit([{ query: insertOf(database), values: { id: `thing-${id}`, size: id } }])
  await database.close()
  const bytes = readFileSync(path('state.db'))
  bytes.fill(0x55, bytes.length - 3 * 4096)
  writeFileSync(path('state.db'), bytes)
  const refused = backup('copy.db')
  await expect(refused).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
  expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([])
})

test('a database whose rows break its own rules leaves no file', async () => {
  await (await openThings()).close()
  const connection = new DatabaseSync(path('state.db'), { defensive: false })
  connection.exec(`
    CREATE TABLE broken (size INTEGER);
    INSERT INTO broken VALUES (NULL);
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = 'CREATE TABLE broken (size INTEGER NOT NULL)' WHERE name = 'broken';
  `)
  connection.close()
  await expect(backup('copy.db')).rejects.toThrow(/state\.db is damaged: NULL value in broken/)
  expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([])
})

test('a database of somebody else, of nobody, or none at all is told', async () => {
  new DatabaseSync(path('state.db')).exec('CREATE TABLE other (id TEXT)')
  await expect(backup('copy.db')).rejects.toMatchObject({ code: 'DATABASE_FOREIGN' })
  rmSync(path('state.db'))
  await expect(backup('copy.db')).rejects.toThrow(`There is no database ${path('state.db')}`)
  writeFileSync(path('state.db'), 'a letter to grandmother, longer than a page header of sqlite '.repeat(20))
  await expect(backup('copy.db')).rejects.toThrow('file is not a database')
  await expect(backupDatabase('sqlite::memory:', path('copy.db'))).rejects.toMatchObject({
    code: 'DATABASE_URL_INVALID',
  })
  expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([])
})

test('a folder that does not exist is told', async () => {
  await (await openThings()).close()
  await expect(backup('missing/copy.db')).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
  await expect(backup('missing/copy.db')).rejects.toThrow(/Cannot copy .*missing\/copy\.db.*ENOENT/)
})

test('PostgreSQL is told its own tool, and no password', async () => {
  const url = 'postgres://someone:secret@db.example/releases?password=secret'
  const refused = backupDatabase(url, '/backups/copy.dump')
  await expect(refused).rejects.toMatchObject({ code: 'BACKUP_UNSUPPORTED' })
  await expect(refused).rejects.toThrow(
    'use pg_dump --format=custom --file /backups/copy.dump "$DATABASE_URL"',
  )
  await expect(refused).rejects.not.toThrow('secret')
  await expect(backupDatabase(url, "it's here.dump")).rejects.toThrow(
    String.raw`--file 'it'\''s here.dump' "$DATABASE_URL"`,
  )
})
