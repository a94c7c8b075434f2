import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres, startRedis, type PostgresServer, type RedisServer } from '@release-task/test-servers'
import { call, System, type Side } from './processes.fixture.ts'

const EFFECTS_TASK = fileURLToPath(new URL('./effects.task.ts', import.meta.url))

/** One line of the file of effects. */
export interface Effect {
  readonly edge: 'begin' | 'end' | 'stopped'
  readonly work: string
  readonly task: string
  readonly attempt: number
  readonly pid: number
}

/** Shares connections among several addresses, as a load balancer does; one that refuses is passed over. */
export class Balancer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #ports: () => readonly number[]
  #next = 0

  constructor(ports: () => readonly number[]) {
    this.#ports = ports
    this.#server = createServer((client) => this.#pass(client, this.#ports().length))
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(client: Socket, left: number): void {
    const ports = this.#ports()
    const port = ports[this.#next++ % Math.max(1, ports.length)]
    if (port === undefined || left === 0) return void client.destroy()
    const upstream = connect(port, '127.0.0.1')
    this.#watch(client, upstream)
    upstream.once('error', () => {
      client.unpipe(upstream)
      this.#pass(client, left - 1)
    })
    upstream.once('connect', () => {
      upstream.removeAllListeners('error').on('error', () => client.destroy())
      client.pipe(upstream).pipe(client)
    })
  }

  #watch(client: Socket, upstream: Socket): void {
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    }
    client.removeAllListeners('error').on('error', () => upstream.destroy())
  }
}

export interface FleetOptions {
  readonly redis?: boolean
  /** `sqlite`: one file for all processes of the service, and one for the coordinator. */
  readonly database?: 'postgresql' | 'sqlite'
  readonly env?: Record<string, string>
}

/** Many processes that are one release system: coordinators, APIs and workers over a database and a queue. */
export class Fleet {
  readonly system = new System()
  readonly options: FleetOptions
  redis: RedisServer | null = null
  postgres: PostgresServer | null = null
  /** Address of the task service. */
  url = ''
  coordinator = ''
  readonly apis: Side[] = []
  readonly workers: Side[] = []
  readonly coordinators: Side[] = []
  readonly #balancers: Balancer[] = []
  #taskDatabase = ''
  #coordinatorDatabase = ''

  constructor(options: FleetOptions = {}) {
    this.options = options
  }

  async start({ coordinators = 1, apis = 1, workers = 1 } = {}): Promise<this> {
    writeFileSync(this.effectsFile, '')
    if (this.options.redis !== false) this.redis = await startRedis()
    if (this.options.database === 'sqlite') {
      this.#taskDatabase = `sqlite:${join(this.system.folder, 'task.db')}`
      this.#coordinatorDatabase = `sqlite:${join(this.system.folder, 'coordinator.db')}`
    } else {
      this.postgres = await startPostgres()
      this.#taskDatabase = await this.postgres.createDatabase()
      this.#coordinatorDatabase = await this.postgres.createDatabase()
    }
    this.url = await this.#balance(this.apis)
    this.coordinator = await this.#balance(this.coordinators)
    const times = (count: number, start: () => Promise<unknown>) => Array.from({ length: count }, start)
    await Promise.all([
      ...times(coordinators, () => this.startCoordinator()),
      ...times(apis, () => this.startApi()),
      ...times(workers, () => this.startWorker()),
    ])
    const service = { name: 'effects', description: 'under test', author: 'test', url: this.url }
    const registered = await call('POST', `${this.coordinator}/task-services`, service)
    if (registered.code !== 201) throw new Error(JSON.stringify(registered.body))
    return this
  }

  async startCoordinator(): Promise<Side> {
    const env = { ...this.#env(), DATABASE_URL: this.#coordinatorDatabase }
    return this.#add(this.coordinators, await this.system.start(['coordinator', '--port', '0'], env))
  }

  async startApi(): Promise<Side> {
    return this.#add(this.apis, await this.serve('api'))
  }

  async startWorker(env: Record<string, string> = {}): Promise<Side> {
    return this.#add(this.workers, await this.serve('worker', env))
  }

  get effectsFile(): string {
    return join(this.system.folder, 'effects.jsonl')
  }

  get gate(): string {
    return join(this.system.folder, 'gate')
  }

  openGate(): void {
    writeFileSync(this.gate, '')
  }

  effects(): Effect[] {
    const lines = readFileSync(this.effectsFile, 'utf8').trim().split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Effect)
  }

  workerOf(pid: number): Side {
    const worker = this.workers.find((side) => side.pid === pid)
    if (!worker) throw new Error(`no worker has pid ${pid}`)
    return worker
  }

  /** @returns the id of a new release over one study */
  async issue(): Promise<string> {
    const release = { name: 'A release', studies: ['SD_9PYZAHHE'] }
    const { code, body } = await call('POST', `${this.coordinator}/releases`, release)
    if (code !== 201) throw new Error(JSON.stringify(body))
    return body.kf_id
  }

  async release(id: string): Promise<any> {
    return (await call('GET', `${this.coordinator}/releases/${id}`)).body
  }

  publish(id: string) {
    return call('POST', `${this.coordinator}/releases/${id}/publish`)
  }

  async end(): Promise<void> {
    await this.system.end()
    await Promise.all(this.#balancers.map((balancer) => balancer.close()))
    await this.redis?.stop()
    await this.postgres?.stop()
  }

  /** Starts one more process of the service. @throws with what it printed, where it refuses to start */
  serve(role: 'all' | 'api' | 'worker', env: Record<string, string> = {}): Promise<Side> {
    const args = ['serve', EFFECTS_TASK, '--role', role, '--port', '0']
    const database = { DATABASE_URL: this.#taskDatabase, COORDINATOR_API: this.coordinator }
    return this.system.start(args, { ...this.#env(), ...database, ...env })
  }

  #env(): Record<string, string> {
    return {
      EFFECTS_FILE: this.effectsFile,
      RELEASE_DIR: join(this.system.folder, 'release'),
      MIN_FREE_SPACE: '0',
      ...(this.redis ? { QUEUE_URL: this.redis.url } : {}),
      ...this.options.env,
    }
  }

  async #balance(sides: readonly Side[]): Promise<string> {
    const balancer = new Balancer(() => sides.map((side) => Number(new URL(side.url).port)))
    this.#balancers.push(balancer)
    return balancer.start()
  }

  #add(sides: Side[], side: Side): Side {
    sides.push(side)
    return side
  }
}

/**
 * Attempts of one task that worked at the same time. Whoever was killed works no more: give the pids of those.
 * @returns for each overlap a line that tells it
 */
export function overlaps(effects: readonly Effect[]): string[] {
  const working = new Map<string, Effect>()
  const found: string[] = []
  for (const effect of effects) {
    const other = working.get(effect.task)
    if (effect.edge === 'begin') {
      if (other)
        found.push(`${effect.task}: ${effect.work} of attempt ${effect.attempt} beside ${other.attempt}`)
      working.set(effect.task, effect)
    } else working.delete(effect.task)
  }
  return found
}
