import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  openConnection,
  openDatabase,
  ownIdentity,
  parameter,
  prepare,
  type Database,
  type Statement,
} from '@release-task/database'
import { startPostgres, startRedis, type PostgresServer, type RedisServer } from '@release-task/test-servers'
import { Balancer } from './fleet.fixture.ts'
import { call, System, until, type Side } from './processes.fixture.ts'
import { RECORDED_HOST, RELEASE_FOLDER, type Recording, type Value } from './upgrade/recording.ts'

const RECORDINGS = fileURLToPath(new URL('./upgrade/', import.meta.url))
const PACKAGES = fileURLToPath(new URL('../packages/', import.meta.url))
const TASK = fileURLToPath(new URL('./upgrade/gated.task.ts', import.meta.url))
const PATIENCE_MS = 90 * 1000 // 90 s
// Longer than every lease and claim, and shorter than every deadline of the recordings.
const DOWNTIME_MS = 90 * 1000 // 90 s
const EARLIEST_TIME = Date.UTC(2020, 0)

/** Columns that hold epoch milliseconds; `studies.created_at` is a text. */
const isTime = (column: string) => /(^|_)(at|since|until)$/.test(column)

export const SIDES = ['coordinator', 'main', 'second'] as const
export type SideName = (typeof SIDES)[number]
export type Row = Readonly<Record<string, Value>>

/** The versions that have been recorded. */
export function recordedVersions(): string[] {
  const found = readdirSync(RECORDINGS, { withFileTypes: true })
  return found.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

/** What one of the sides had in its database. */
export function readRecording(version: string, side: SideName): Recording {
  const name = side === 'coordinator' ? side : `task-service-${side}`
  return JSON.parse(readFileSync(join(RECORDINGS, version, `${name}.json`), 'utf8'))
}

/** The rows of a table by the names of their columns. */
export function rowsOf({ tables }: Recording, name: string): Row[] {
  const table = tables[name]
  if (!table) return []
  return table.rows.map((row) =>
    Object.fromEntries(table.columns.map((column, place) => [column, row[place] ?? null])),
  )
}

type Change = (value: Value, column: string, row: Row) => Value

function mapped(recording: Recording, change: Change): Recording {
  const tables = Object.entries(recording.tables).map(([name, { columns }]) => {
    const rows = rowsOf(recording, name).map((row) =>
      columns.map((column) => change(row[column] ?? null, column, row)),
    )
    return [name, { columns, rows }]
  })
  return { ...recording, tables: Object.fromEntries(tables) }
}

/** A lease until tomorrow is one until tomorrow whenever the test runs. @throws for a time that would be left as it was */
function shifted(byMs: number): Change {
  return (value, column) => {
    if (typeof value !== 'number') return value
    if (isTime(column)) return value + byMs
    if (value > EARLIEST_TIME) throw new Error(`${column} holds a time, and is not named like one: ${value}`)
    return value
  }
}

/** Opens an empty database, in which exactly the migrations of the recording have been run. */
async function openAsRecorded(recording: Recording, url: string, side: SideName): Promise<Database> {
  const owner = side === 'coordinator' ? side : 'task-service'
  const from = join(PACKAGES, owner, 'migrations')
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'))
  const numbers = recording.migrations.filter((one) => one.owner === owner).map((one) => one.number)
  try {
    for (const name of readdirSync(from))
      if (numbers.includes(Number(name.slice(0, 3)))) cpSync(join(from, name), join(folder, name))
    // Those of the database package are read by itself, newer ones as well: they come before the rows, as in a new database.
    const name = side === 'coordinator' ? 'coordinator' : side
    return await openDatabase({ url, side: owner, name, migrations: pathToFileURL(`${folder}/`) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the migrations wrote themselves is part of the recording too. */
function statementsOf({ builder }: Database, recording: Recording): Statement[] {
  return Object.entries(recording.tables).flatMap(([name, { columns }]): Statement[] => {
    const parameters = Object.fromEntries(columns.map((column) => [column, parameter(column)]))
    const query = prepare(builder.insertInto(name).values(parameters))
    const inserts = rowsOf(recording, name).map((values) => ({ query, values, expect: 1 }))
    return [{ query: prepare(builder.deleteFrom(name)), values: {} }, ...inserts]
  })
}

/** Loads a recording into an empty database. */
export async function load(recording: Recording, url: string, side: SideName): Promise<void> {
  const database = await openAsRecorded(recording, url, side)
  try {
    const result = await database.commit(statementsOf(database, recording))
    if (result !== 'committed') throw new Error(`the recording of ${side} could not be stored`)
  } finally {
    await database.close()
  }
}

/** One line of the file of effects. */
export interface Effect {
  readonly edge: 'begin' | 'end'
  readonly work: string
  readonly service: string
  readonly release: string
}

export type Place = 'sqlite' | 'postgresql'

/**
 * Today's processes over the databases of an earlier version. On SQLite they start again at once, on the host of those
 * that crashed; on PostgreSQL on other hosts, which cannot tell who is gone, and after a while.
 */
export class UpgradedSystem {
  readonly #system = new System()
  readonly #version: string
  readonly #place: Place
  readonly #balancers: Balancer[] = []
  readonly #databaseUrls = new Map<SideName, string>()
  readonly #databases = new Map<SideName, Database>()
  readonly #urls = new Map<SideName, string>()
  #postgres: PostgresServer | null = null
  #redis: RedisServer | null = null
  /** What was loaded: the recordings with the times of now. */
  readonly before = new Map<SideName, Recording>()

  constructor(version: string, place: Place) {
    this.#version = version
    this.#place = place
  }

  async start(): Promise<void> {
    writeFileSync(this.#effectsFile, '')
    if (this.#place === 'postgresql')
      [this.#postgres, this.#redis] = await Promise.all([startPostgres(), startRedis()])
    const processes: Record<SideName, Side[]> = { coordinator: [], main: [], second: [] }
    for (const side of SIDES) this.#urls.set(side, await this.#balance(processes[side]))
    for (const side of SIDES) await this.#load(side)
    // The services first: what the coordinator cannot deliver it delivers much later, after so many failures.
    await Promise.all([
      ...(this.#place === 'sqlite' ? ['all'] : ['api', 'worker', 'worker']).map((role) =>
        // A worker takes no actions: nothing must be sent to it.
        this.#add(role === 'worker' ? [] : processes.main, 'main', ['serve', TASK, '--role', role]),
      ),
      this.#add(processes.second, 'second', ['serve', TASK, '--role', 'all']),
    ])
    await this.#add(processes.coordinator, 'coordinator', ['coordinator'])
  }

  /** Publishes whatever is staged, until nothing is left to do. @returns what is left to do all the same, at the end */
  async runToTheEnd(): Promise<string[]> {
    let left: string[] = []
    const look = async () => {
      const staged = (await this.rows('coordinator', 'releases')).filter(({ state }) => state === 'staged')
      for (const { kf_id } of staged)
        await call('POST', `${this.#urls.get('coordinator')}/releases/${kf_id}/publish`)
      left = await this.#left()
      return left
    }
    await until(look, (seen) => seen.length === 0, PATIENCE_MS, 100).catch(() => undefined)
    return left
  }

  /** A table as it is now. */
  rows(side: SideName, table: string): Promise<Row[]> {
    const database = this.#databases.get(side)!
    return database.all<Row>({ sql: `SELECT * FROM ${table}`, names: [] })
  }

  effects(): Effect[] {
    const lines = readFileSync(this.#effectsFile, 'utf8').trim().split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }

  async end(): Promise<void> {
    await this.#system.end()
    await Promise.all([...this.#databases.values()].map((database) => database.close()))
    await Promise.all(this.#balancers.map((balancer) => balancer.close()))
    await this.#postgres?.stop()
    await this.#redis?.stop()
  }

  async #left(): Promise<string[]> {
    const releases = (await this.rows('coordinator', 'releases'))
      .filter(({ state }) => !['published', 'canceled', 'failed'].includes(String(state)))
      .map(({ name, state }) => `release "${name}" is ${state}`)
    const actions = (await this.rows('coordinator', 'actions')).map(
      ({ release_id, action, last_error }) => `${action} of ${release_id} is not delivered: ${last_error}`,
    )
    const polls = (await this.rows('coordinator', 'polls')).map(({ task_id }) => `${task_id} is still polled`)
    const services = await Promise.all([this.#leftAt('main'), this.#leftAt('second')])
    return [...releases, ...actions, ...polls, ...services.flat()]
  }

  async #leftAt(side: SideName): Promise<string[]> {
    const works = (await this.rows(side, 'tasks'))
      .filter(({ work, lease_owner }) => work !== null || lease_owner !== null)
      .map(({ release_id, work, state }) => `${work} of ${release_id} (${state}) is not done at ${side}`)
    // The end of a task is read back for some minutes after it was taken (N-7).
    const reports = (await this.rows(side, 'reports'))
      .filter(({ phase, state }) => phase !== 'confirm' || (state !== 'published' && state !== 'failed'))
      .map(({ task_id, state, phase }) => `report ${state} of ${task_id} at ${side} is in phase ${phase}`)
    return [...works, ...reports]
  }

  async #load(side: SideName): Promise<void> {
    const recording = readRecording(this.#version, side)
    const downtimeMs = this.#place === 'sqlite' ? 0 : DOWNTIME_MS
    const current = mapped(recording, shifted(Date.now() - recording.recorded_at - downtimeMs))
    const adapted = mapped(current, (value, column, row) => this.#adapted(value, column, row))
    this.before.set(side, adapted)
    const url = await this.#databaseUrl(side)
    await load(adapted, url, side)
    this.#databases.set(side, await openConnection(url))
    this.#markReleaseFolder(side, adapted)
  }

  /** What depends on where the recording was made. */
  #adapted(value: Value, column: string, row: Row): Value {
    if (column === 'url') return this.#urls.get(row['name'] as SideName) ?? value
    const isOwner = column === 'lease_owner' || column === 'claimed_by'
    if (!isOwner || typeof value !== 'string' || this.#place !== 'sqlite') return value
    // No process began with the machine itself: its time makes it one that is gone, whatever its pid.
    const [host = ''] = ownIdentity().split('|')
    const [, pid, , chance] = value.split('|')
    return value.startsWith(`${RECORDED_HOST}|`) ? [host, pid, '0', chance].join('|') : value
  }

  /** The disk with the release folder is still there. */
  #markReleaseFolder(side: SideName, recording: Recording): void {
    const marker = rowsOf(recording, 'identity').find(({ name }) => name === RELEASE_FOLDER)
    if (!marker) return
    mkdirSync(this.#releaseFolder(side), { recursive: true })
    writeFileSync(join(this.#releaseFolder(side), '.release-dir.json'), String(marker['value']))
  }

  async #databaseUrl(side: SideName): Promise<string> {
    const made = this.#databaseUrls.get(side) ?? (await this.#postgres?.createDatabase())
    const url = made ?? `sqlite:${join(this.#system.folder, `${side}.db`)}`
    this.#databaseUrls.set(side, url)
    return url
  }

  async #add(sides: Side[], side: SideName, args: readonly string[]): Promise<void> {
    const env = {
      LEASE: '2s',
      SWEEP_INTERVAL: '500ms',
      ACTION_DEADLINE: '5m',
      LOG_LEVEL: 'warn',
      MIN_FREE_SPACE: '0',
      DATABASE_URL: await this.#databaseUrl(side),
      COORDINATOR_API: this.#urls.get('coordinator')!,
      TASK_NAME: side,
      EFFECTS_FILE: this.#effectsFile,
      RELEASE_DIR: this.#releaseFolder(side),
      ...(this.#redis ? { QUEUE_URL: this.#redis.url } : {}),
    }
    sides.push(await this.#system.start([...args, '--port', '0'], env))
  }

  /** An address that is known before there is a process behind it. */
  async #balance(sides: readonly Side[]): Promise<string> {
    const balancer = new Balancer(() => sides.map((side) => Number(new URL(side.url).port)))
    this.#balancers.push(balancer)
    return balancer.start()
  }

  #releaseFolder(side: SideName): string {
    return join(this.#system.folder, `release-${side}`)
  }

  get #effectsFile(): string {
    return join(this.#system.folder, 'effects.jsonl')
  }
}
