import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { freePort } from '@release-task/test-servers'
import { call, System, until, type Side } from '../processes.fixture.ts'
import { LossyFront } from './lossy-front.fixture.ts'

const TASK = fileURLToPath(new URL('./gated.task.ts', import.meta.url))
/** The second one stands behind the front that loses requests. */
export const SERVICES = ['main', 'second'] as const
export type Service = (typeof SERVICES)[number]

// So long that nothing ends while the recording is made, or between the recording and the upgrade.
const COORDINATOR = { ACTION_DEADLINE: '1h', PUBLISH_DEADLINE: '1h', LOG_LEVEL: 'silent' }
const TASK_SERVICE = { CONCURRENCY: '64', SWEEP_INTERVAL: '500ms', MIN_FREE_SPACE: '0', LOG_LEVEL: 'silent' }

/** A coordinator and two task services, every gate of which is closed: the room in which a recording is made. */
export class RecordingRoom {
  readonly #system = new System()
  readonly #ports = { coordinator: 0, main: 0, second: 0 }
  readonly #sides = new Map<'coordinator' | Service, Side>()
  readonly front = new LossyFront(() => this.url('second'))
  /** Ids of the releases by the phase that they are to be left in. */
  readonly releases = new Map<string, string>()

  async start(): Promise<void> {
    mkdirSync(this.#gates)
    for (const side of ['coordinator', ...SERVICES] as const) this.#ports[side] = await freePort()
    await this.startCoordinator()
    await Promise.all(SERVICES.map((service) => this.#startService(service)))
    const urls = { main: this.url('main'), second: await this.front.start() }
    for (const name of SERVICES) {
      const service = { name, description: 'recorded', author: 'test', url: urls[name] }
      const { code, body } = await call('POST', `${this.url('coordinator')}/task-services`, service)
      if (code !== 201) throw new Error(JSON.stringify(body))
    }
  }

  async startCoordinator(env: Record<string, string> = {}): Promise<void> {
    const side = await this.#system.coordinator(this.#ports.coordinator, { ...COORDINATOR, ...env })
    this.#sides.set('coordinator', side)
  }

  url(side: 'coordinator' | Service): string {
    return `http://127.0.0.1:${this.#ports[side]}`
  }

  /** As a crash does it: leases, claims and outboxes stay as they are. */
  async kill(side: 'coordinator' | Service): Promise<void> {
    await this.#sides.get(side)?.kill('SIGKILL')
  }

  /** Creates the release that is to be left in a phase, whose name it carries. */
  async issue(phase: string): Promise<string> {
    const release = { name: phase, studies: ['SD_9PYZAHHE'] }
    const { code, body } = await call('POST', `${this.url('coordinator')}/releases`, release)
    if (code !== 201) throw new Error(JSON.stringify(body))
    this.releases.set(phase, body.kf_id)
    return body.kf_id
  }

  /** Opens a gate, or makes whoever comes to it fail. */
  gate(service: Service, work: string, release: string, verdict = 'pass'): void {
    writeFileSync(join(this.#gates, `${service}-${work}-${release}`), verdict)
  }

  close(service: Service, work: string, release: string): void {
    rmSync(join(this.#gates, `${service}-${work}-${release}`))
  }

  /** The release and its tasks, by the names of their services. */
  async release(id: string): Promise<any> {
    const { body } = await call('GET', `${this.url('coordinator')}/releases/${id}`)
    const tasks = body.tasks.map((task: any) => [task.service_name, task])
    return { ...body, ...Object.fromEntries(tasks) }
  }

  async become(id: string, state: string): Promise<void> {
    const isThere = (seen: { state: string }) => seen.state === state
    await until(() => this.release(id), isThere, 30_000, 20)
  }

  async taskAt(service: Service, release: string): Promise<any> {
    const { body } = await call('GET', `${this.url(service)}/tasks?release_id=${release}`)
    return body.results[0]
  }

  /** Waits until the task looks so at its service. */
  async at(service: Service, release: string, wanted: (task: any) => boolean): Promise<any> {
    return until(
      () => this.taskAt(service, release),
      (task) => task !== undefined && wanted(task),
      60_000,
      20,
    )
  }

  databaseFile(side: 'coordinator' | Service): string {
    const { folder } = this.#system
    return side === 'coordinator' ? join(folder, 'coordinator.db') : join(folder, side, 'task.db')
  }

  /** Rows of a database that others may be writing to this moment. */
  rows(side: 'coordinator' | Service, sql: string): Record<string, any>[] {
    const database = new DatabaseSync(this.databaseFile(side), { readOnly: true })
    try {
      return database.prepare(sql).all()
    } finally {
      database.close()
    }
  }

  /** Keeps the coordinator's database, which nobody has open. @returns puts it back */
  keepCoordinator(): () => void {
    const kept = join(this.#system.folder, 'kept')
    const files = readdirSync(this.#system.folder).filter((name) => name.startsWith('coordinator.db'))
    for (const name of files) cpSync(join(this.#system.folder, name), join(kept, name))
    return () => {
      for (const name of readdirSync(this.#system.folder))
        if (name.startsWith('coordinator.db')) rmSync(join(this.#system.folder, name))
      for (const name of files) cpSync(join(kept, name), join(this.#system.folder, name))
    }
  }

  async end(): Promise<void> {
    this.front.close()
    await this.#system.end()
  }

  get #gates(): string {
    return join(this.#system.folder, 'gates')
  }

  async #startService(name: Service): Promise<void> {
    const effects = join(this.#system.folder, 'effects.jsonl')
    const env = {
      ...TASK_SERVICE,
      TASK_NAME: name,
      GATES: this.#gates,
      EFFECTS_FILE: effects,
      RELEASE_DIR: join(this.#system.folder, name, 'release'),
    }
    this.#sides.set(name, await this.#system.task(this.url('coordinator'), this.#ports[name], env, TASK))
  }
}
