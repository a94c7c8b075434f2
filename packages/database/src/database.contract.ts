import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Database } from './database.ts'
import { DatabaseError } from './errors.ts'
import { openConnection, openDatabase } from './open.ts'
import { isGone, ownIdentity } from './process-identity.ts'
import { registerProcess } from './process-registry.ts'
import { parameter, prepare } from './statement.ts'

/** An empty place for a database: its address, and how to remove it. */
export interface Place {
  readonly url: string
  remove(): void
}

export function thingQueries({ builder, now }: Database) {
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
    moment: prepare(builder.selectNoFrom(now.as('now'))),
    owners: prepare(builder.selectFrom('processes').select(['owner', 'role']).orderBy('owner')),
    rename: prepare(builder.updateTable('processes').set({ owner: parameter('owner') })),
    forget: prepare(builder.deleteFrom('processes')),
  }
}

/** What every database must do, whatever keeps the rows. */
export function databaseContract(kind: string, makePlace: () => Promise<Place>): void {
  describe(`database contract: ${kind}`, () => {
    let place: Place
    let migrations: string
    let opened: Database[]

    beforeEach(async () => {
      place = await makePlace()
      migrations = mkdtempSync(join(tmpdir(), 'migrations-'))
      opened = []
      const things = 'CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL);'
      writeFileSync(join(migrations, '001-things.sql'), things)
    })

    afterEach(async () => {
      await Promise.all(opened.map((database) => database.close()))
      rmSync(migrations, { recursive: true })
      place.remove()
    })

    const openOptions = () =>
      ({
        url: place.url,
        side: 'task-service',
        name: 'things',
        migrations: pathToFileURL(`${migrations}/`),
      }) as const

    async function open(overrides: { name?: string; side?: 'task-service' | 'coordinator' } = {}) {
      const database = await openDatabase({ ...openOptions(), ...overrides })
      opened.push(database)
      return database
    }

    async function connect() {
      const database = await openConnection(place.url)
      opened.push(database)
      return database
    }

    describe('commit', () => {
      test('stores all statements, and the state survives closing', async () => {
        const first = await open()
        const { insert } = thingQueries(first)
        const values = (id: string) => ({ query: insert, values: { id, size: 1 } })
        expect(await first.commit([values('a'), values('b')])).toBe('committed')
        await first.close()
        const second = await open()
        expect(await second.all(thingQueries(second).all)).toEqual([
          { id: 'a', size: 1 },
          { id: 'b', size: 1 },
        ])
      })

      test('another row count than expected undoes the whole commit, and only that one of the group', async () => {
        const database = await open()
        const { insert, grow, all } = thingQueries(database)
        await database.commit([{ query: insert, values: { id: 'a', size: 1 } }])
        await database.commit([{ query: grow, values: { id: 'a', from: 1, to: 2 }, expect: 1 }])
        const results = await Promise.all([
          database.commit([
            { query: insert, values: { id: 'b', size: 1 } },
            { query: grow, values: { id: 'a', from: 1, to: 3 }, expect: 1 },
          ]),
          database.commit([{ query: insert, values: { id: 'c', size: 1 } }]),
        ])
        expect(results).toEqual(['conflict', 'committed'])
        expect(await database.all(all)).toEqual([
          { id: 'a', size: 2 },
          { id: 'c', size: 1 },
        ])
      })

      test('a key that is there already is a conflict, and undoes its own commit', async () => {
        const database = await open()
        const { insert, all } = thingQueries(database)
        const put = (id: string) => ({ query: insert, values: { id, size: 1 } })
        await database.commit([put('a')])
        expect(
          await Promise.all([database.commit([put('b'), put('a')]), database.commit([put('c')])]),
        ).toEqual(['conflict', 'committed'])
        expect(await database.all(all)).toEqual([
          { id: 'a', size: 1 },
          { id: 'c', size: 1 },
        ])
      })

      test('a statement that the database refuses rejects its own commit and no other', async () => {
        const database = await open()
        const { insert, all } = thingQueries(database)
        const put = (id: string, size: number | null) => ({ query: insert, values: { id, size } })
        const results = await Promise.allSettled([
          database.commit([put('a', 1), put('x', null)]),
          database.commit([put('b', 1)]),
        ])
        expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled'])
        expect(await database.all(all)).toEqual([{ id: 'b', size: 1 }])
      })

      test('of two connections that change the same row, one is told of the conflict', async () => {
        const [first, second] = [await open(), await connect()]
        const { insert, grow, all } = thingQueries(first)
        await first.commit([{ query: insert, values: { id: 'a', size: 0 } }])
        for (let from = 0; from < 50; from++) {
          const step = { query: grow, values: { id: 'a', from, to: from + 1 }, expect: 1 }
          const results = await Promise.all([first.commit([step]), second.commit([step])])
          expect(results.toSorted()).toEqual(['committed', 'conflict'])
        }
        expect(await second.all(all)).toEqual([{ id: 'a', size: 50 }])
      })

      test('two connections that take rows in opposite order both end well', async () => {
        const [first, second] = [await open(), await connect()]
        const { insert, all } = thingQueries(first)
        const more = (id: string) => ({
          query: { sql: `UPDATE things SET size = size + 1 WHERE id = '${id}'`, names: [] },
          values: {},
          expect: 1,
        })
        for (const id of ['a', 'b']) await first.commit([{ query: insert, values: { id, size: 0 } }])
        const both = [first.commit([more('a'), more('b')]), second.commit([more('b'), more('a')])]
        expect(new Set(await Promise.all(both))).toEqual(new Set(['committed']))
        expect(await first.all(all)).toEqual([
          { id: 'a', size: 2 },
          { id: 'b', size: 2 },
        ])
      })
    })

    describe('values', () => {
      test('epoch milliseconds and counts come back as numbers, the clock too', async () => {
        const database = await open()
        const { insert, all, moment } = thingQueries(database)
        const size = Date.UTC(2099, 0, 1)
        await database.commit([{ query: insert, values: { id: 'a', size } }])
        expect(await database.all(all)).toEqual([{ id: 'a', size }])
        const count = { sql: 'SELECT count(*) AS count FROM things', names: [] }
        expect(await database.all(count)).toEqual([{ count: 1 }])
        const [row] = await database.all<{ now: number }>(moment)
        expect(Math.abs((row?.now ?? 0) - Date.now())).toBeLessThan(60_000)
      })

      test('any text can be stored, and does not come back broken', async () => {
        const database = await open()
        const { insert, all } = thingQueries(database)
        const texts = ['', "'; DROP TABLE things; --", 'ÿ€😀', 'two\nlines', '\\', '$1']
        for (const id of texts) await database.commit([{ query: insert, values: { id, size: 1 } }])
        const rows = await database.all<{ id: string }>(all)
        expect(rows.map((row) => row.id).toSorted()).toEqual(texts.toSorted())
        expect(await database.commit([{ query: insert, values: { id: 'a\0b', size: 1 } }])).toBe('committed')
      })
    })

    describe('opening', () => {
      test("another service's database is refused, and another side's", async () => {
        await open()
        await expect(open({ name: 'other' })).rejects.toMatchObject({ code: 'DATABASE_FOREIGN' })
        rmSync(join(migrations, '001-things.sql'))
        await expect(open({ side: 'coordinator' })).rejects.toThrow(/DATABASE_FOREIGN|task-service/)
      })

      test('a newer database and a changed migration are refused in one line', async () => {
        writeFileSync(join(migrations, '002-more.sql'), 'ALTER TABLE things ADD COLUMN color TEXT;')
        const newer = await open()
        await newer.close()
        rmSync(join(migrations, '002-more.sql'))
        await expect(open()).rejects.toMatchObject({
          code: 'DATABASE_NEWER',
          message: expect.stringMatching(
            /^The database has run migration task-service\/002-more\.sql.*[^\n]$/,
          ),
        })
        writeFileSync(join(migrations, '002-more.sql'), 'ALTER TABLE things ADD COLUMN colour TEXT;')
        await expect(open()).rejects.toMatchObject({ code: 'DATABASE_MIGRATION_CHANGED' })
      })

      test('a migration that fails leaves nothing of itself behind', async () => {
        writeFileSync(
          join(migrations, '002-bad.sql'),
          'CREATE TABLE more (a TEXT); CREATE TABLE things (a TEXT);',
        )
        await expect(open()).rejects.toThrow()
        rmSync(join(migrations, '002-bad.sql'))
        const database = await open()
        await expect(database.all({ sql: 'SELECT a FROM more', names: [] })).rejects.toThrow()
      })

      test('several that open a new database at once migrate it once', async () => {
        const all = await Promise.all([1, 2, 3, 4, 5].map(() => open()))
        const applied = {
          sql: 'SELECT owner, number FROM schema_migrations ORDER BY owner, number',
          names: [],
        }
        expect(await all[0]!.all(applied)).toEqual([
          { owner: 'database', number: 1 },
          { owner: 'task-service', number: 1 },
        ])
      })
    })

    describe('processes', () => {
      test('a second process of role all is refused and told the pid; after release it may come', async () => {
        const database = await open()
        const first = await registerProcess(database, 'all')
        await expect(registerProcess(database, 'all')).rejects.toThrow(`Process ${process.pid} (role all)`)
        await expect(registerProcess(database, 'worker')).rejects.toBeInstanceOf(DatabaseError)
        await first.release()
        await (await registerProcess(database, 'api')).release()
      })

      test('api and worker go together', async () => {
        const database = await open()
        const both = [await registerProcess(database, 'api'), await registerProcess(database, 'worker')]
        await expect(registerProcess(database, 'all')).rejects.toMatchObject({ code: 'DATABASE_IN_USE' })
        for (const one of both) await one.release()
      })

      test('of several that come alone at once, one gets in', async () => {
        const databases = [await open(), await connect(), await connect(), await connect()]
        for (let round = 0; round < 5; round++) {
          const results = await Promise.allSettled(databases.map((one) => registerProcess(one, 'all')))
          const entered = results.filter((result) => result.status === 'fulfilled')
          expect(entered).toHaveLength(1)
          for (const { value } of entered) await value.release()
        }
      })

      test('an entry of a process that has ended on this host is no hindrance', async () => {
        const database = await open()
        const { rename } = thingQueries(database)
        const child = spawn('true')
        const gone = ownIdentity().replace(`|${process.pid}|`, `|${child.pid}|`)
        await new Promise((resolve) => child.on('exit', resolve))
        expect(isGone(gone)).toBe(true)
        expect(isGone(ownIdentity())).toBe(false)
        const first = await registerProcess(database, 'all')
        await database.commit([{ query: rename, values: { owner: gone } }])
        const second = await registerProcess(database, 'all')
        await second.release()
        await first.release()
      })

      test('a process whose entry was removed comes back, or is told that it must stop', async () => {
        const database = await open()
        const { owners, forget } = thingQueries(database)
        vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
        try {
          const told = Promise.withResolvers<unknown>()
          const first = await registerProcess(database, 'all', { lost: told.resolve })
          await database.commit([{ query: forget, values: {} }])
          vi.advanceTimersByTime(5000)
          await vi.waitFor(async () =>
            expect(await database.all(owners)).toEqual([{ owner: first.owner, role: 'all' }]),
          )
          await database.commit([{ query: forget, values: {} }])
          const rival = await registerProcess(database, 'all')
          vi.advanceTimersByTime(5000)
          expect(await told.promise).toMatchObject({ code: 'DATABASE_IN_USE' })
          await rival.release()
          await first.release()
        } finally {
          vi.useRealTimers()
        }
      })
    })
  })
}
