import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from './database.ts'
import { DatabaseError } from './errors.ts'
import { openDatabase } from './open.ts'
import { isGone, ownIdentity } from './process-identity.ts'
import { registerProcess } from './process-registry.ts'
import { parameter, prepare } from './statement.ts'

let folder: string
let open: Database[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'database-'))
  open = []
  writeFileSync(
    join(folder, '001-things.sql'),
    'CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL);',
  )
})

afterEach(async () => {
  for (const database of open) await database.close()
  rmSync(folder, { recursive: true })
})

const location = () => `sqlite:${join(folder, 'state.db')}`

async function openThings(overrides: { name?: string; side?: 'task-service' | 'coordinator' } = {}) {
  const database = await openDatabase({
    url: location(),
    side: overrides.side ?? 'task-service',
    name: overrides.name ?? 'things',
    migrations: pathToFileURL(`${folder}/`),
  })
  open.push(database)
  return database
}

function thingQueries({ builder }: Database) {
  return {
    insert: prepare(builder.insertInto('things').values({ id: parameter('id'), size: parameter('size') })),
    grow: prepare(
      builder
        .updateTable('things')
        .set({ size: parameter('to') })
        .where('id', '=', parameter('id'))
        .where('size', '=', parameter('from')),
    ),
    all: prepare(builder.selectFrom('things').selectAll().orderBy('id')),
  }
}

describe('commit', () => {
  test('stores all statements, and the state survives closing', async () => {
    const first = await openThings()
    const { insert } = thingQueries(first)
    const values = (id: string) => ({ query: insert, values: { id, size: 1 } })
    expect(await first.commit([values('a'), values('b')])).toBe('committed')
    await first.close()
    const second = await openThings()
    expect(await second.all(thingQueries(second).all)).toEqual([
      { id: 'a', size: 1 },
      { id: 'b', size: 1 },
    ])
  })

  test('another row count than expected undoes the whole commit, and only that one of the group', async () => {
    const database = await openThings()
    const { insert, grow, all } = thingQueries(database)
    await database.commit([{ query: insert, values: { id: 'a', size: 1 } }])
    const results = await Promise.all([
      database.commit([{ query: grow, values: { id: 'a', from: 1, to: 2 }, expect: 1 }]),
      database.commit([
        { query: insert, values: { id: 'b', size: 1 } },
        { query: grow, values: { id: 'a', from: 1, to: 3 }, expect: 1 },
      ]),
      database.commit([{ query: insert, values: { id: 'c', size: 1 } }]),
    ])
    expect(results).toEqual(['committed', 'conflict', 'committed'])
    expect(await database.all(all)).toEqual([
      { id: 'a', size: 2 },
      { id: 'c', size: 1 },
    ])
  })

  test('a statement that the database refuses rejects its own commit and no other', async () => {
    const database = await openThings()
    const { insert, all } = thingQueries(database)
    const twice = { query: insert, values: { id: 'a', size: 1 } }
    const results = await Promise.allSettled([
      database.commit([twice, twice]),
      database.commit([{ query: insert, values: { id: 'b', size: 1 } }]),
    ])
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled'])
    expect(await database.all(all)).toEqual([{ id: 'b', size: 1 }])
  })

  test('waits while another connection writes, without blocking this process, and is refused after five seconds', async () => {
    const database = await openThings()
    const { insert } = thingQueries(database)
    const other = new DatabaseSync(join(folder, 'state.db'))
    other.exec('BEGIN IMMEDIATE')
    let turns = 0
    const ticking = setInterval(() => turns++, 5)
    const refused = database.commit([{ query: insert, values: { id: 'a', size: 1 } }])
    await expect(refused).rejects.toMatchObject({ code: 'DATABASE_BUSY' })
    clearInterval(ticking)
    expect(turns).toBeGreaterThan(100)
    const waiting = database.commit([{ query: insert, values: { id: 'b', size: 1 } }])
    other.exec('COMMIT')
    other.close()
    expect(await waiting).toBe('committed')
  })
})

describe('opening', () => {
  test("another service's database is refused, and another side's", async () => {
    await openThings()
    await expect(openThings({ name: 'other' })).rejects.toMatchObject({ code: 'DATABASE_FOREIGN' })
  })

  test('a newer database and a changed migration are refused', async () => {
    writeFileSync(join(folder, '002-more.sql'), 'ALTER TABLE things ADD COLUMN color TEXT;')
    const newer = await openThings()
    await newer.close()
    rmSync(join(folder, '002-more.sql'))
    await expect(openThings()).rejects.toMatchObject({ code: 'DATABASE_NEWER' })
    writeFileSync(join(folder, '002-more.sql'), 'ALTER TABLE things ADD COLUMN colour TEXT;')
    await expect(openThings()).rejects.toMatchObject({ code: 'DATABASE_MIGRATION_CHANGED' })
  })

  test('an address of another kind is refused by name', async () => {
    const options = { side: 'coordinator', name: 'x', migrations: pathToFileURL(`${folder}/`) } as const
    await expect(openDatabase({ url: 'mysql://x', ...options })).rejects.toThrow(/DATABASE_URL=mysql/)
  })
})

describe('processes', () => {
  test('a second process of role all is refused and told the pid; after release it may come', async () => {
    const database = await openThings()
    const first = await registerProcess(database, 'all')
    await expect(registerProcess(database, 'all')).rejects.toThrow(`Process ${process.pid} (role all)`)
    await expect(registerProcess(database, 'worker')).rejects.toBeInstanceOf(DatabaseError)
    await first.release()
    await (await registerProcess(database, 'api')).release()
  })

  test('api and worker go together', async () => {
    const database = await openThings()
    const both = [await registerProcess(database, 'api'), await registerProcess(database, 'worker')]
    await expect(registerProcess(database, 'all')).rejects.toMatchObject({ code: 'DATABASE_IN_USE' })
    for (const one of both) await one.release()
  })

  test('an entry of a process that has ended on this host is no hindrance', async () => {
    const database = await openThings()
    const child = spawn('true')
    const gone = ownIdentity().replace(`|${process.pid}|`, `|${child.pid}|`)
    await new Promise((resolve) => child.on('exit', resolve))
    expect(isGone(gone)).toBe(true)
    expect(isGone(ownIdentity())).toBe(false)
    const first = await registerProcess(database, 'all')
    const rename = prepare(database.builder.updateTable('processes').set({ owner: parameter('owner') }))
    await database.commit([{ query: rename, values: { owner: gone } }])
    const second = await registerProcess(database, 'all')
    await second.release()
    await first.release()
  })
})
