import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, registerProcess } from '@release-task/database'
import { createApp, createLogger, listen } from '@release-task/http'
import { openQueue } from '@release-task/queue'
import { readConfig } from './config.ts'
import { createCoordinatorClient } from './coordinator-client.ts'
import { defineTask, type TaskDefinition } from './define.ts'
import { createTaskService } from './service.ts'

/** A latch: a test waits for what the code under test does, never for time to pass. */
export interface Latch<T = void> {
  readonly reached: Promise<T>
  open(value: T): void
}

export function latch<T = void>(): Latch<T> {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { reached: promise, open: resolve }
}

export interface ReceivedReport {
  readonly taskId: string
  readonly body: { state?: string; progress?: number; summary?: unknown }
  readonly headers: Record<string, unknown>
}

/** A coordinator made of a few routes: keeps what it is told and shows what a test wants it to show. */
export class FakeCoordinator {
  readonly reports: ReceivedReport[] = []
  readonly reads: string[] = []
  /** What it shows of a task; a report changes it. */
  readonly shown = new Map<string, string>()
  /** Answers instead of 200, one per report, in order. */
  readonly answers: { status: number; body?: unknown; headers?: Record<string, string> }[] = []
  #watchers: { test: () => boolean; resolve: () => void }[] = []
  url = ''
  close: () => Promise<void> = async () => undefined

  async start(): Promise<this> {
    const app = await createApp({
      title: 'fake coordinator',
      version: '0',
      logger: createLogger('fake', 'silent'),
    })
    app.patch<{ Params: { id: string } }>('/tasks/:id', async (request, reply) => {
      const body = request.body as ReceivedReport['body']
      this.reports.push({ taskId: request.params.id, body, headers: request.headers })
      const answer = this.answers.shift()
      if (!answer || answer.status < 300) this.shown.set(request.params.id, body.state ?? 'running')
      this.#changed()
      return reply
        .status(answer?.status ?? 200)
        .headers(answer?.headers ?? {})
        .send(answer?.body ?? { kf_id: request.params.id })
    })
    app.get<{ Params: { id: string } }>('/tasks/:id', async (request, reply) => {
      this.reads.push(request.params.id)
      this.#changed()
      const state = this.shown.get(request.params.id)
      return state ? { kf_id: request.params.id, state } : reply.status(404).send({ detail: 'Not found.' })
    })
    app.get<{ Params: { id: string } }>('/releases/:id', async (request) => ({
      kf_id: request.params.id,
      studies: ['SD_FROMRELS'],
    }))
    this.url = await listen(app, { host: '127.0.0.1', port: 0, auth: null })
    this.close = () => app.close()
    return this
  }

  states(): string[] {
    return this.reports.flatMap(({ body }) => body.state ?? [])
  }

  /** Resolves once `test` holds, looked at after every request. */
  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve()
    return new Promise((resolve) => this.#watchers.push({ test, resolve }))
  }

  #changed(): void {
    for (const watcher of this.#watchers) if (watcher.test()) watcher.resolve()
  }
}

export interface Fixture {
  readonly coordinator: FakeCoordinator
  /** POST /tasks. */
  act(
    action: string,
    ids?: { task_id?: string; release_id?: string; studies?: string[] },
  ): Promise<{ code: number; body: any }>
  get(path: string): Promise<{ code: number; body: any }>
  post(path: string): Promise<{ code: number; body: any }>
  events(taskId?: string): Promise<any[]>
  /** Ends it as a crash would not: gracefully. */
  close(): Promise<void>
  /** A second life on the same state, with another task or other settings. */
  restart(task?: Partial<TaskDefinition>, env?: Record<string, string>): Promise<Fixture>
  readonly service: Awaited<ReturnType<typeof createTaskService>>
}

export const TASK = 'TA_00000001'
export const RELEASE = 'RE_00000001'

const FAST = { PROGRESS_INTERVAL: '10ms', LOG_LEVEL: 'silent', SWEEP_INTERVAL: '100ms', LEASE: '3s' }

/** A whole task service without a port, on its own database, beside a coordinator that keeps what it hears. */
export async function startFixture(
  task: Partial<TaskDefinition> = {},
  env: Record<string, string> = {},
): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'task-service-'))
  const coordinator = await new FakeCoordinator().start()
  return start(task, env, { folder, coordinator })
}

async function start(
  task: Partial<TaskDefinition>,
  env: Record<string, string>,
  { folder, coordinator }: { folder: string; coordinator: FakeCoordinator },
): Promise<Fixture> {
  const config = readConfig({
    ...FAST,
    DATABASE_URL: `sqlite:${join(folder, 'state.db')}`,
    COORDINATOR_API: coordinator.url,
    ...env,
  })
  const definition = defineTask({
    name: 'fixture',
    version: '1.0.0',
    stage: () => undefined,
    publish: () => undefined,
    ...task,
  })
  const migrations = new URL('../migrations/', import.meta.url)
  const database = await openDatabase({
    url: config.databaseUrl,
    side: 'task-service',
    name: 'fixture',
    migrations,
  })
  const registration = await registerProcess(database, 'all')
  const service = await createTaskService({
    task: definition,
    database,
    queue: openQueue(),
    coordinator: createCoordinatorClient(coordinator.url),
    config,
    owner: registration.owner,
    log: createLogger('fixture', config.logLevel),
  })
  service.start()
  const inject = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const response = await service.app.inject({ method, url, ...(payload ? { payload } : {}) })
    return { code: response.statusCode, body: response.json() }
  }
  const end = async () => {
    await service.stop()
    await service.app.close()
    await registration.release()
    await database.close()
  }
  return {
    coordinator,
    service,
    act: (action, ids) => inject('POST', '/tasks', { action, task_id: TASK, release_id: RELEASE, ...ids }),
    get: (path) => inject('GET', path),
    post: (path) => inject('POST', path),
    events: async (taskId = TASK) => (await inject('GET', `/tasks/${taskId}/events`)).body.results,
    close: async () => {
      await end()
      await coordinator.close()
      rmSync(folder, { recursive: true, force: true })
    },
    restart: async (again = {}, settings = {}) => {
      await end()
      return start({ ...task, ...again }, { ...env, ...settings }, { folder, coordinator })
    },
  }
}
