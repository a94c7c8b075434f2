import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres, startRedis, type PostgresServer, type RedisServer } from '@release-task/test-servers'
import { Balancer } from '../fleet.fixture.ts'
import { call, System, type Side } from '../processes.fixture.ts'
import { readHistory, record, type HistoryLine, type Line } from './history.ts'
import { LEASE_MS, SERVICES, SHUTDOWN_GRACE_MS, SLOTS, type Backend } from './plan.ts'
import { DatabaseLine } from './database-line.ts'
import { FaultProxy } from './proxy.ts'
import { Random } from './random.ts'
import { Slot } from './slot.ts'

const TASK = fileURLToPath(new URL('./faulty.task.ts', import.meta.url))
const SABOTAGE = new URL('./sabotage.ts', import.meta.url).href
export type Service = (typeof SERVICES)[number]

export interface SystemOptions {
  readonly backend: Backend
  /** Whether coordinators poll; without it every report must arrive by itself. */
  readonly isPolling: boolean
}

/** A whole release system of real processes, every line between them a proxy, with one file that all write history to. */
export class FaultSystem {
  readonly options: SystemOptions
  readonly slots = new Map<string, Slot>()
  readonly proxies = new Map<string, FaultProxy>()
  /** Of the workers that have a database server, by the name of their slot. */
  readonly databaseLines = new Map<string, DatabaseLine>()
  redis: RedisServer | null = null
  postgres: PostgresServer | null = null
  /** Addresses that people use: no trouble on these lines, but whoever answers may be killed. */
  coordinator = ''
  readonly urls: Record<Service, string> = { alpha: '', beta: '' }
  random = new Random(0)
  readonly #chance = new Random(1)
  readonly #processes = new System()
  readonly #balancers: Balancer[] = []
  readonly #databases: Record<string, string> = {}

  constructor(options: SystemOptions) {
    this.options = options
  }

  async start(): Promise<this> {
    writeFileSync(this.historyFile, '')
    await this.#startServers()
    for (const name of SLOTS[this.options.backend]) this.#addSlot(name)
    this.coordinator = await this.#balance('coordinator-')
    for (const service of SERVICES) this.urls[service] = await this.#balance(apiPrefix(service))
    await this.#startProxy('coordinator', 'coordinator-')
    for (const service of SERVICES) await this.#startProxy(`to ${service}`, apiPrefix(service))
    await Promise.all([...this.slots.values()].map((slot) => slot.start()))
    await Promise.all(SERVICES.map((service) => this.#register(service)))
    return this
  }

  get historyFile(): string {
    return join(this.#processes.folder, 'history.jsonl')
  }

  /** Where the history stands now: a round begins here. */
  mark(): number {
    return statSync(this.historyFile).size
  }

  record(line: Line): void {
    record(this.historyFile, line)
  }

  history(from: number): HistoryLine[] {
    return readHistory(this.historyFile, from)
  }

  slot(name: string): Slot {
    const slot = this.slots.get(name)
    if (!slot) throw new Error(`there is no process ${name}`)
    return slot
  }

  publicFolder(service: Service, release: string): string {
    return join(this.#folder(service), 'public', release)
  }

  /** While it is full, the databases of this process cannot grow. */
  setDiskFull(slot: string, isFull: boolean): void {
    if (isFull) writeFileSync(this.#fullFile(slot), '')
    else rmSync(this.#fullFile(slot), { force: true })
  }

  async end(): Promise<void> {
    await this.#processes.end()
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.close()))
    await Promise.all(this.#balancers.map((balancer) => balancer.close()))
    await Promise.all([...this.databaseLines.values()].map((line) => line.close()))
    await this.redis?.stop()
    await this.postgres?.stop()
  }

  async #startServers(): Promise<void> {
    const file = (name: string) => `sqlite:${join(this.#processes.folder, `${name}.db`)}`
    for (const owner of ['coordinator', 'alpha', 'beta']) this.#databases[owner] = file(owner)
    if (this.options.backend === 'sqlite') return
    this.redis = await startRedis()
    this.postgres = await startPostgres()
    for (const owner of ['coordinator', 'beta']) this.#databases[owner] = await this.postgres.createDatabase()
    for (const name of SLOTS.full.filter((slot) => slot.includes('-worker-')))
      await this.#startDatabaseLine(name, this.postgres.port)
  }

  async #startDatabaseLine(name: string, port: number): Promise<void> {
    const line = new DatabaseLine(port)
    const url = new URL(this.#databases['beta'] ?? '')
    url.port = String(await line.start())
    this.#databases[name] = url.href
    this.databaseLines.set(name, line)
  }

  #addSlot(name: string): void {
    const start = (env: Record<string, string>) => this.#startProcess(name, env)
    this.slots.set(name, new Slot(name, start, (line) => this.record(line)))
  }

  #startProcess(name: string, extra: Record<string, string>): Promise<Side> {
    const owner = name.split('-')[0] ?? name
    const env = { ...this.#environment(name, owner), ...extra }
    if (owner === 'coordinator') return this.#processes.start(['coordinator', '--port', '0'], env)
    const role = /-(api|worker)-/.exec(name)?.[1] ?? 'all'
    return this.#processes.start(['serve', TASK, '--role', role, '--port', '0'], env)
  }

  #environment(name: string, owner: string): Record<string, string> {
    const folder = this.#folder(owner)
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
    const isShared = this.redis !== null && owner !== 'alpha'
    return {
      AUTH: 'off',
      DATABASE_URL: this.#databases[name] ?? this.#databases[owner] ?? '',
      ...(isShared && this.redis ? { QUEUE_URL: this.redis.url } : {}),
      // Half of those that may run on many hosts do.
      ...(isShared && this.#chance.chance(0.5) ? { HOST_ID: randomUUID() } : {}),
      NODE_OPTIONS: `--import=${SABOTAGE}`,
      FULL_FILE: this.#fullFile(name),
      HISTORY_FILE: this.historyFile,
      SERVICE: owner,
      RELEASE_DIR: folder,
      COORDINATOR_API: this.proxies.get('coordinator')?.url ?? '',
      POLL_INTERVAL: this.options.isPolling ? '300ms' : '0',
      HEALTH_INTERVAL: '2s',
      REQUEST_TIMEOUT: '3s',
      LEASE: `${LEASE_MS}ms`,
      LEASE_GRACE: '0',
      ACTION_DEADLINE: '10m',
      SWEEP_INTERVAL: '300ms',
      PROGRESS_INTERVAL: '50ms',
      SHUTDOWN_GRACE: `${SHUTDOWN_GRACE_MS}ms`,
      MIN_FREE_SPACE: '0',
      RATE_LIMIT: '0',
    }
  }

  #folder(owner: string): string {
    return join(this.#processes.folder, `release-${owner}`)
  }

  #fullFile(slot: string): string {
    return join(this.#processes.folder, `full-${slot}`)
  }

  #ports(prefix: string): number[] {
    const matching = [...this.slots.values()].filter(({ name }) => name.startsWith(prefix))
    return matching.flatMap(({ port }) => (port === null ? [] : [port]))
  }

  async #balance(prefix: string): Promise<string> {
    const balancer = new Balancer(() => this.#ports(prefix))
    this.#balancers.push(balancer)
    return balancer.start()
  }

  async #startProxy(link: string, prefix: string): Promise<void> {
    const proxy = new FaultProxy({
      link,
      ports: () => this.#ports(prefix),
      random: () => this.random,
      record: (line) => this.record(line),
    })
    await proxy.start()
    this.proxies.set(link, proxy)
  }

  async #register(service: Service): Promise<void> {
    const url = this.proxies.get(`to ${service}`)?.url
    const body = { name: service, description: 'under test', author: 'test', url }
    const { code, body: answer } = await call('POST', `${this.coordinator}/task-services`, body)
    if (code !== 201) throw new Error(`${service} not registered: ${JSON.stringify(answer)}`)
  }
}

/** `alpha` is one process; `beta` has APIs apart from its workers. */
const apiPrefix = (service: Service) => (service === 'alpha' ? 'alpha' : 'beta-api-')
