import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConnection, openDatabase } from '@release-task/database'
import { dumpSchema } from '@release-task/database/testing'
import { absent, startPostgres, type PostgresServer } from '@release-task/test-servers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeContract, type StoreSubject } from './store.contract.ts'
import { TaskStore } from './store.ts'

const MIGRATIONS = new URL('../migrations/', import.meta.url)

async function openAt(url: string, remove: () => void): Promise<StoreSubject> {
  const database = await openDatabase({ url, side: 'task-service', name: 'store', migrations: MIGRATIONS })
  const second = await openConnection(url)
  const close = async () => {
    await second.close()
    await database.close()
    remove()
  }
  return { database, second, close }
}

function openSqlite(): Promise<StoreSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'task-store-'))
  return openAt(`sqlite:${join(folder, 'state.db')}`, () => rmSync(folder, { recursive: true }))
}

storeContract('node:sqlite', openSqlite)

describe.skipIf(absent('postgresql'))('with a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  const openPostgres = async () => openAt(await server.createDatabase(), () => undefined)
  storeContract('PostgreSQL', openPostgres)

  test('the schema on PostgreSQL is the committed one', async () => {
    const { database, close } = await openPostgres()
    await expect(await dumpSchema(database, 'postgresql')).toMatchFileSnapshot('../schema/postgresql.sql')
    await close()
  })
})

test('the schema on SQLite is the committed one', async () => {
  const { database, close } = await openSqlite()
  await expect(await dumpSchema(database, 'sqlite')).toMatchFileSnapshot('../schema/sqlite.sql')
  await close()
})

test('a closed database refuses instead of losing', async () => {
  const { database, close } = await openSqlite()
  const store = new TaskStore(database)
  await close()
  const effects = [{ type: 'event', level: 'info', event: 'a', message: 'a' }] as const
  await expect(
    store.commit({ id: 'TA_00000001', before: null, next: null, effects, now: 0 }),
  ).rejects.toMatchObject({
    code: 'DATABASE_UNREACHABLE',
  })
  await expect(store.load('TA_00000001')).rejects.toThrow()
})
