import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openDatabase } from '@release-task/database'
import { dumpSchema } from '@release-task/database/testing'
import { absent, startPostgres, type PostgresServer } from '@release-task/test-servers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { Command } from './decision.ts'
import { POLICY, SILENT } from './record.fixture.ts'
import { NO_DEADLINES } from './record.ts'
import { storeContract } from './store.contract.ts'
import { ReleaseStore } from './store.ts'
import { TaskServiceStore } from './task-service-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
const identity = { side: 'coordinator', name: 'coordinator', migrations, sync: 'normal' } as const

storeContract('SQLite in memory', async () => {
  const database = await openDatabase({ url: 'sqlite::memory:', ...identity })
  return { database, close: () => database.close() }
})

storeContract('SQLite in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-store-'))
  const database = await openDatabase({ url: `sqlite:${join(folder, 'state.db')}`, ...identity })
  const close = async () => {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { database, close }
})

describe.skipIf(absent('postgresql'))('with a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  const openPostgres = async () => openDatabase({ url: await server.createDatabase(), ...identity })
  storeContract('PostgreSQL', async () => {
    const database = await openPostgres()
    return { database, close: () => database.close() }
  })

  test('the schema on PostgreSQL is the committed one', async () => {
    const database = await openPostgres()
    await expect(await dumpSchema(database, 'postgresql')).toMatchFileSnapshot('../schema/postgresql.sql')
    await database.close()
  })
})

test('the schema on SQLite is the committed one', async () => {
  const database = await openDatabase({ url: 'sqlite::memory:', ...identity })
  await expect(await dumpSchema(database, 'sqlite')).toMatchFileSnapshot('../schema/sqlite.sql')
  await database.close()
})

test('a database of the first version is brought up to date, and keeps what it holds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-migration-'))
  const first = join(folder, 'migrations')
  mkdirSync(first)
  copyFileSync(new URL('001-releases.sql', migrations), join(first, '001-releases.sql'))
  const url = `sqlite:${join(folder, 'state.db')}`
  const old = await openDatabase({ url, ...identity, migrations: pathToFileURL(`${first}/`) })
  const row = `INSERT INTO releases VALUES
    ('RE_00000001', 3, 1, 'n', '', 'publishing', '0.0.0', '[]', 'a', 0, 1, 2, NULL, NULL, NULL, NULL)`
  await old.commit([{ query: { sql: row, names: [] }, values: {} }])
  await old.close()
  const database = await openDatabase({ url, ...identity })
  const store = new ReleaseStore(database, { random: Math.random, pollIntervalMs: 1000 })
  expect(await store.get('RE_00000001')).toMatchObject({ state: 'publishing', needsAttention: false })
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

test('releases of a database from before deadlines go on, and the settings count for them (RC-38)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-migration-'))
  const first = join(folder, 'migrations')
  mkdirSync(first)
  for (const name of ['001-releases.sql', '002-attention-and-misses.sql'])
    copyFileSync(new URL(name, migrations), join(first, name))
  const url = `sqlite:${join(folder, 'state.db')}`
  const old = await openDatabase({ url, ...identity, migrations: pathToFileURL(`${first}/`) })
  const rows = [
    `INSERT INTO releases VALUES ('RE_00000001', 3, 1, 'n', '', 'running', '0.0.0', '[]', 'a', 0, 1, 2, 3, NULL, NULL,
      NULL, 0)`,
    `INSERT INTO task_services VALUES ('TS_00000001', 'n', 'd', 'http://127.0.0.1:1', 'a', 1, 0, 1, 1)`,
    `INSERT INTO tasks VALUES ('TA_00000001', 'RE_00000001', 'TS_00000001', 0, 'running', 5, NULL, NULL, NULL, 0, 0, 1,
      2, 2)`,
  ]
  await old.commit(rows.map((sql) => ({ query: { sql, names: [] }, values: {} })))
  await old.close()
  const database = await openDatabase({ url, ...identity })
  const service = await new TaskServiceStore(database, Math.random).get('TS_00000001')
  expect(service?.deadlines).toEqual(NO_DEADLINES)
  const store = new ReleaseStore(database, { random: Math.random, pollIntervalMs: 1000 })
  const { record, latestVersion } = await store.load('RE_00000001')
  expect(record?.tasks).toMatchObject([{ deadlines: NO_DEADLINES, overdue: null }])
  const decideAt = (now: number, command: Command) =>
    decide(record, command, { now, latestVersion, policy: POLICY })
  // By the settings it has time, and is looked at when they end.
  const looked = decideAt(3, { type: 'tick' })
  expect(looked).toMatchObject({ next: { state: 'running', dueAt: 2 + POLICY.taskTimeoutMs } })
  const late = decideAt(2 + POLICY.taskTimeoutMs, { type: 'tick' })
  expect(late).toMatchObject({
    next: { outcome: 'canceled', reason: expect.stringContaining('TASK_TIMEOUT') },
  })
  const staged = decideAt(3, { type: 'report', taskId: 'TA_00000001', ...SILENT, state: 'staged' })
  assert(staged.kind === 'next')
  expect(await store.commit({ ...staged, id: 'RE_00000001', before: record, now: 3 })).toBe('committed')
  expect(await store.get('RE_00000001')).toEqual({ ...staged.next, state: 'staged' })
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})
