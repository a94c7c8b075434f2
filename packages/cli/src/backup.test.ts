import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openDatabase } from '@release-task/database'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { backUp, backupCommand, sentence } from './backup.ts'
import { explain } from './explain.ts'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'backup-command-'))
  vi.spyOn(process, 'cwd').mockReturnValue(home)
  vi.stubEnv('DATABASE_URL', '')
  mkdirSync(join(home, 'migrations'))
  writeFileSync(join(home, 'migrations/001-things.sql'), 'CREATE TABLE things (id TEXT);')
  onTestFinished(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    rmSync(home, { recursive: true })
  })
})

const path = (name: string) => join(home, name)

/** The databases of a whole `--data` folder, made as the services make them. */
async function makeDatabases(data: string): Promise<void> {
  const migrations = pathToFileURL(`${path('migrations')}/`)
  const make = async (file: string, side: 'coordinator' | 'task-service', name: string) => {
    const database = await openDatabase({ url: `sqlite:${data}/${file}`, side, name, migrations })
    await database.close()
  }
  await make('coordinator.db', 'coordinator', 'coordinator')
  await make('report-task/task.db', 'task-service', 'report-task')
}

/** What is said of an error on the command line. */
const lineOf = async (work: Promise<unknown>) =>
  explain(await work.catch((error: unknown) => error), { side: 'dev', underDev: false })

test('the side under a data folder', async () => {
  await makeDatabases(path('state'))
  const data = path('state')
  expect(await backUp(path('a.db'), { data, side: 'coordinator' })).toMatchObject({ side: 'coordinator' })
  expect(await backUp(path('b.db'), { data, side: 'report-task' })).toMatchObject({ name: 'report-task' })
})

test('DATABASE_URL, as the service has it; a place for the name of the task is filled with the side', async () => {
  await makeDatabases(path('state'))
  vi.stubEnv('DATABASE_URL', `sqlite:${path('state/coordinator.db')}`)
  expect(await backUp(path('a.db'), {})).toMatchObject({ side: 'coordinator' })
  vi.stubEnv('DATABASE_URL', `sqlite:${path('state')}/{task}/task.db`)
  expect(await backUp(path('b.db'), { side: 'report-task' })).toMatchObject({ name: 'report-task' })
  expect(await lineOf(backUp(path('c.db'), {}))).toContain('It is not clear which database')
})

test('--database goes before DATABASE_URL', async () => {
  await makeDatabases(path('state'))
  vi.stubEnv('DATABASE_URL', 'sqlite:nowhere.db')
  const database = `sqlite:${path('state/report-task/task.db')}`
  expect(await backUp(path('a.db'), { database })).toMatchObject({ name: 'report-task' })
})

test('a side without any address is looked for where it is by default', async () => {
  await makeDatabases(path('.data'))
  for (const side of ['coordinator', 'report-task']) {
    const backup = await backUp(path(`${side}.db`), { side })
    expect(backup.name).toBe(side)
  }
})

test('where it is not clear which database, the line says what to type', async () => {
  expect(await lineOf(backUp('a.db', {}))).toBe(
    'It is not clear which database to back up. Next: npx release-task backup a.db --side coordinator, or --side with the name of a task',
  )
  expect(await lineOf(backUp('a.db', { data: 'state' }))).toContain(
    'Next: npx release-task backup a.db --data state --side coordinator',
  )
})

test('a database of another side than was named is not backed up', async () => {
  await makeDatabases(path('state'))
  const database = `sqlite:${path('state/coordinator.db')}`
  expect(await lineOf(backUp(path('a.db'), { database, side: 'report-task' }))).toBe(
    `The database belongs to coordinator, not to report-task, and was not backed up. Next: npx release-task backup ${path('a.db')} --database ADDRESS, with the address of the database of report-task`,
  )
  expect(existsSync(path('a.db'))).toBe(false)
})

test('PostgreSQL is told in one line, without its password', async () => {
  vi.stubEnv('DATABASE_URL', 'postgres://someone:secret@db.example/releases')
  expect(await lineOf(backUp('a.dump', {}))).toBe(
    'PostgreSQL has its own tool for this: use pg_dump --format=custom --file a.dump "$DATABASE_URL"',
  )
})

test('the result is one line of JSON where it is piped, and one sentence on a terminal', async () => {
  await makeDatabases(path('state'))
  const log = vi.spyOn(console, 'log').mockReturnValue()
  const copy = path('a.db')
  const run = (file: string) =>
    backupCommand().parseAsync([file, '--data', path('state'), '--side', 'report-task'], { from: 'user' })
  vi.spyOn(process, 'stdout', 'get').mockReturnValue({ ...process.stdout, isTTY: false } as never)
  await run(copy)
  expect(JSON.parse(String(log.mock.calls[0]?.[0]))).toEqual({
    file: copy,
    bytes: statSync(copy).size,
    side: 'task-service',
    name: 'report-task',
  })
  vi.spyOn(process, 'stdout', 'get').mockReturnValue({ ...process.stdout, isTTY: true } as never)
  await run(path('b.db'))
  expect(log.mock.calls[1]?.[0]).toMatch(
    /b\.db: \d.*B, the database of the task service "report-task", whole/,
  )
})

test('the sentence names the coordinator by its side', () => {
  expect(sentence('x.db', { side: 'coordinator', name: 'coordinator', bytes: 4_200_000 })).toBe(
    'x.db: 4.2 MB, the database of the coordinator, whole and checked. To restore it: npx release-task backup --help',
  )
})

test('--data and --database exclude each other', async () => {
  const command = backupCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  const both = command.parseAsync(['a.db', '--data', 'x', '--database', 'sqlite:y'], { from: 'user' })
  await expect(both).rejects.toThrow("option '--data <folder>' cannot be used with option '--database <url>'")
})
