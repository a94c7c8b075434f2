import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { absent, startPostgres, type PostgresServer } from '@release-task/test-servers'
import { Client } from 'pg'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseAddress, redacted } from './address.ts'
import { databaseContract, thingQueries } from './database.contract.ts'
import type { Database } from './database.ts'
import { openDatabase } from './open.ts'

const MIGRATIONS = new URL('../test-migrations/', import.meta.url)

function sqlitePlace() {
  const folder = mkdtempSync(join(tmpdir(), 'database-'))
  return { url: `sqlite:${join(folder, 'state.db')}`, remove: () => rmSync(folder, { recursive: true }) }
}

/** Passes everything on to PostgreSQL, until it is told to lose what comes back after a word. */
async function cuttingProxy(port: number) {
  let word = ''
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined))
    client.on('data', (bytes) => {
      if (word !== '' && bytes.includes(word)) {
        upstream.removeAllListeners('data').on('data', () => client.destroy())
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => client.write(bytes))
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cutAfter: (text: string) => void (word = text),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}

databaseContract('node:sqlite', async () => sqlitePlace())

const openThings = (url: string) =>
  openDatabase({ url, side: 'task-service', name: 'things', migrations: MIGRATIONS })

test('SQLite waits while another connection writes, without blocking this process, for five seconds', async () => {
  const place = sqlitePlace()
  const database = await openThings(place.url)
  const { insert } = thingQueries(database)
  const other = new DatabaseSync(place.url.slice('sqlite:'.length))
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
  await database.close()
  place.remove()
})

describe.skipIf(absent('postgresql'))('with a server', () => {
  let server: PostgresServer
  let url: string
  let database: Database

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  databaseContract('PostgreSQL', async () => ({
    url: await server.createDatabase(),
    remove: () => undefined,
  }))

  describe('PostgreSQL', () => {
    beforeEach(async () => {
      url = await server.createDatabase()
      database = await openThings(url)
    })
    afterEach(() => database.close())

    const put = (id: string) => ({ query: thingQueries(database).insert, values: { id, size: 1 } })
    const ids = async () =>
      (await database.all<{ id: string }>(thingQueries(database).all)).map((row) => row.id)

    test.each(['fast', 'crash'] as const)(
      'a server that ends (%s) is unreachable, and reached again without help',
      async (how) => {
        await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => database.commit([put(id)])))
        await server.end(how)
        await expect(database.commit([put('f')])).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
        await expect(ids()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
        await expect(database.ping()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
        await server.start()
        expect(await database.commit([put('g')])).toBe('committed')
        expect(await ids()).toEqual(['a', 'b', 'c', 'd', 'e', 'g'])
      },
    )

    test('a connection that is ended in the middle of a commit costs that commit, and not the process', async () => {
      await database.commit([put('a')])
      const other = new Client({ connectionString: url })
      await other.connect()
      await other.query('BEGIN')
      await other.query("SELECT 1 FROM things WHERE id = 'a' FOR UPDATE")
      const { grow } = thingQueries(database)
      const waiting = database.commit([{ query: grow, values: { id: 'a', from: 1, to: 2 }, expect: 1 }])
      const refused = expect(waiting).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
      await vi.waitFor(async () => {
        const ended = await other.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        expect(ended.rowCount).toBe(1)
      })
      await refused
      await other.query('ROLLBACK')
      await other.end()
      expect(await database.commit([put('b')])).toBe('committed')
    })

    test('where the answer to a commit is lost nobody says that nothing was stored', async () => {
      const proxy = await cuttingProxy(server.port)
      const through = await openThings(url.replace(`:${server.port}/`, `:${proxy.port}/`))
      proxy.cutAfter('COMMIT')
      await expect(through.commit([put('a')])).rejects.toMatchObject({ code: 'DATABASE_OUTCOME_UNKNOWN' })
      await vi.waitFor(async () => expect(await ids()).toEqual(['a']))
      await through.close()
      await proxy.close()
    })

    test('waiting for another process that migrates may take longer than any other statement', async () => {
      const other = new Client({ connectionString: url })
      await other.connect()
      await other.query('SELECT pg_advisory_lock(7215001)')
      const opening = openThings(url)
      setTimeout(() => void other.end(), 13_000)
      await (await opening).close()
    })

    test('connections that died in the pool cost no commit', async () => {
      await Promise.all(['a', 'b', 'c'].map((id) => database.commit([put(id)])))
      const other = new Client({ connectionString: url })
      await other.connect()
      await other.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
      )
      await other.end()
      expect(await Promise.all(['d', 'e', 'f'].map((id) => database.commit([put(id)])))).toEqual([
        'committed',
        'committed',
        'committed',
      ])
    })

    test('a process that is suspended in the middle of a commit does not hold up the others for ever', async () => {
      await database.commit([put('a')])
      const { grow } = thingQueries(database)
      const suspended = new Client({ connectionString: url, idle_in_transaction_session_timeout: 5000 })
      suspended.on('error', () => undefined)
      await suspended.connect()
      await suspended.query('BEGIN')
      await suspended.query("UPDATE things SET size = 7 WHERE id = 'a'")
      const grown = { query: grow, values: { id: 'a', from: 1, to: 2 }, expect: 1 }
      expect(await database.commit([grown])).toBe('committed')
      await suspended.end().catch(() => undefined)
    })

    test('every connection has the limits that end a suspended commit and a statement that hangs', async () => {
      const setting = (name: string) => database.all({ sql: `SHOW ${name}`, names: [] })
      expect(await setting('idle_in_transaction_session_timeout')).toEqual([
        { idle_in_transaction_session_timeout: '5s' },
      ])
      expect(await setting('statement_timeout')).toEqual([{ statement_timeout: '10s' }])
      expect(await setting('synchronous_commit')).toEqual([{ synchronous_commit: 'on' }])
    })
  })

  test('a server that is not there is named, without the password', async () => {
    const address = `postgres://me:secret@127.0.0.1:1/none`
    const opening = openThings(address)
    await expect(opening).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
    await expect(opening).rejects.toThrow('postgres://…@127.0.0.1:1/none')
    await expect(opening).rejects.not.toThrow('secret')
  })
})

describe('addresses', () => {
  test.each([
    ['sqlite:a.db', { kind: 'sqlite', path: 'a.db' }],
    ['sqlite:///tmp/a.db', { kind: 'sqlite', path: '/tmp/a.db' }],
    ['sqlite::memory:', { kind: 'sqlite', path: ':memory:' }],
    ['postgres://h/d', { kind: 'postgresql', url: 'postgres://h/d' }],
    ['postgresql://u@h:1/d', { kind: 'postgresql', url: 'postgresql://u@h:1/d' }],
  ])('%s', (url, address) => expect(parseAddress(url)).toEqual(address))

  test.each([
    ['mysql://me:secret@x', 'mysql:…'],
    ['postgresql+psycopg2://kf:secret@db/task', 'postgresql+psycopg2:…'],
    ['sqlite:', 'sqlite:…'],
    ['postgres:x', 'postgres:…'],
    ['secret', '…'],
  ])('%s is refused without what it may hold', (url, shown) => {
    expect(() => parseAddress(url)).toThrow(`DATABASE_URL=${shown}: write`)
    expect(() => parseAddress(url)).not.toThrow('secret')
  })

  test.each([
    ['postgres://u:secret@h/d', 'postgres://…@h/d'],
    ['postgres://u:p/a#s@s@h/d?sslmode=require', 'postgres://…@h/d?sslmode=require'],
    ['postgres://h/d?user=u&password=secret&x=1', 'postgres://h/d?user=…&password=…&x=1'],
    ['redis://:secret@h:1/2', 'redis://…@h:1/2'],
    ['postgres://u@h/d', 'postgres://…@h/d'],
    ['sqlite:a@b.db', 'sqlite:a@b.db'],
  ])('%s is shown as %s', (url, shown) => expect(redacted(url)).toBe(shown))
})
