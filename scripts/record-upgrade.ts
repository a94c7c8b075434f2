// Records the databases of a version in the middle of releases: the promise of tests/upgrade.test.ts is that every later
// version ends them. Run by hand once for each version, before it is published:
//   node --conditions=development scripts/record-upgrade.ts 0.1
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { recordPhases } from '../tests/upgrade/phases.fixture.ts'
import { RecordingRoom, SERVICES } from '../tests/upgrade/recording-room.fixture.ts'
import { RECORDED_HOST, RELEASE_FOLDER, type Recording, type Value } from '../tests/upgrade/recording.ts'

const folder = fileURLToPath(new URL('../tests/upgrade/', import.meta.url))
/** Who runs now is nobody afterwards, and a database that is loaded counts its own migrations. */
const LEFT_OUT = ['schema_migrations', 'processes']
const OWNERS = ['lease_owner', 'claimed_by']

function tableNames(database: DatabaseSync): string[] {
  const found = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  return found.map((row) => String(row['name'])).filter((name) => !LEFT_OUT.includes(name))
}

/** Owners of leases and claims, and the mark of a release folder, name the machine: that is nobody's business. */
function anonymous(row: Readonly<Record<string, Value>>, column: string): Value {
  const value = row[column] ?? null
  if (typeof value !== 'string') return value
  if (OWNERS.includes(column)) return [RECORDED_HOST, ...value.split('|').slice(1)].join('|')
  if (column !== 'value' || row['name'] !== RELEASE_FOLDER) return value
  return JSON.stringify({ ...JSON.parse(value), host: RECORDED_HOST, path: '/recorded' })
}

function tableOf(database: DatabaseSync, name: string): Recording['tables'][string] {
  const rows = database.prepare(`SELECT * FROM ${name} ORDER BY rowid`).all() as Record<string, Value>[]
  const info = database.prepare(`PRAGMA table_info(${name})`).all()
  const columns = info.map((column) => String(column['name']))
  return { columns, rows: rows.map((row) => columns.map((column) => anonymous(row, column))) }
}

function recordingOf(file: string, recordedAt: number): Recording {
  const database = new DatabaseSync(file)
  try {
    const migrations = database
      .prepare('SELECT owner, number FROM schema_migrations ORDER BY owner, number')
      .all()
    const tables = tableNames(database).map((name) => [name, tableOf(database, name)])
    return {
      recorded_at: recordedAt,
      migrations: migrations as unknown as Recording['migrations'],
      tables: Object.fromEntries(tables),
    }
  } finally {
    database.close()
  }
}

async function write(version: string, name: string, recording: Recording): Promise<void> {
  const file = join(folder, version, `${name}.json`)
  const options = { ...(await resolveConfig(file)), filepath: file }
  mkdirSync(join(folder, version), { recursive: true })
  writeFileSync(file, await format(JSON.stringify(recording), options))
}

async function record(version: string): Promise<void> {
  const room = new RecordingRoom()
  try {
    await room.start()
    await recordPhases(room)
    const recordedAt = Date.now()
    await write(version, 'coordinator', recordingOf(room.databaseFile('coordinator'), recordedAt))
    for (const service of SERVICES)
      await write(version, `task-service-${service}`, recordingOf(room.databaseFile(service), recordedAt))
  } finally {
    await room.end()
  }
}

const version = process.argv[2]
if (version === undefined || !/^\d+\.\d+$/.test(version))
  throw new Error('Which version is it? node --conditions=development scripts/record-upgrade.ts 0.1')
await record(version)
