import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, registerProcess } from '@release-task/database'
import { createApp, createLogger, listen, type App } from '@release-task/http'
import { memoryQueue } from '@release-task/queue'
import { readConfig } from './config.ts'
import { createCoordinator, type Coordinator } from './coordinator.ts'
import { studiesFromFile, type StudySource } from './study-sync.ts'

/** A latch: a test waits for what the code under test does, never for time to pass. */
export interface Latch {
  readonly reached: Promise<void>
  open(): void
}

export function latch(): Latch {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reached: promise, open: resolve }
}

/** Looks again until something is as wanted: for facts that nobody tells. */
export async function eventually<T>(look: () => Promise<T>, wanted: (seen: T) => boolean): Promise<T> {
  let seen = await look()
  for (let tries = 0; tries < 1000; tries++) {
    if (wanted(seen)) return seen
    await sleep(10)
    seen = await look()
  }
  throw new Error(`It never came to be; last seen: ${JSON.stringify(seen)}`)
}

/** Resolves when the clock has moved on. */
export async function nextMillisecond(): Promise<void> {
  const before = Date.now()
  while (Date.now() === before) await new Promise((resolve) => setImmediate(resolve))
}

export type ActionName = 'initialize' | 'start' | 'publish' | 'get_status' | 'cancel'

export interface ReceivedAction {
  readonly action: ActionName
  readonly task_id: string
  readonly release_id: string
  readonly studies?: readonly string[]
}

/** `cut`: the connection ends without an answer. */
export type Scripted = { readonly status?: number; readonly body?: unknown } | 'cut'
export type Handler = (service: FakeService, request: ReceivedAction) => Scripted | Promise<Scripted>

const STATE_AFTER: { readonly [action: string]: string } = {
  initialize: 'pending',
  start: 'running',
  publish: 'publishing',
  cancel: 'canceled',
}

/** Does what it is asked, and then the connection is cut: the answer is lost, the work is not. */
export const lost: Handler = (service, request) => {
  service.act(request)
  return 'cut'
}

export const answers =
  (status: number, body: unknown = { message: 'no' }): Handler =>
  () => ({ status, body })

/** A task service on a port of its own that does as it is told, or as a test has scripted for one request. */
export class FakeService {
  readonly name: string
  /** Every request, in order. */
  readonly received: ReceivedAction[] = []
  /** What it really did: an action that is asked for twice and done twice is here twice. */
  readonly done: string[] = []
  /** What it shows of a task. */
  readonly states = new Map<string, string>()
  /** Instead of doing it: one handler for each request of an action, in order. */
  readonly script: { [action in ActionName]?: Handler[] } = {}
  status: { code: number; body: string; headers?: Record<string, string> } = {
    code: 200,
    body: '{"name":"fake","message":"ready","version":"1"}',
  }
  /** `/status` is not answered before. */
  holdStatus: Promise<void> = Promise.resolve()
  /** The headers of every request of `/status`, and its `url`. */
  readonly statusRequests: Record<string, unknown>[] = []
  url = ''
  #app: App | null = null
  readonly #watchers: { test: () => boolean; resolve: () => void }[] = []

  constructor(name: string) {
    this.name = name
  }

  async start(): Promise<this> {
    const app = await createApp({ title: 'fake', version: '0', logger: createLogger('fake', 'silent') })
    app.get('/status', async (request, reply) => {
      this.statusRequests.push({ ...request.headers, url: request.raw.url })
      this.#changed()
      await this.holdStatus
      const { code, body, headers = {} } = this.status
      return reply
        .status(code)
        .headers({ 'content-type': 'application/json', ...headers })
        .send(body)
    })
    app.post('/tasks', async (request, reply) => {
      const received = request.body as ReceivedAction
      this.received.push(received)
      this.#changed()
      const scripted = this.script[received.action]?.shift()
      const answer = scripted ? await scripted(this, received) : this.act(received)
      this.#changed()
      if (answer === 'cut') {
        reply.hijack()
        request.raw.socket.destroy()
        return reply
      }
      const { status = 200, body } = answer
      return reply
        .status(status)
        .type('application/json')
        .send(typeof body === 'string' ? body : JSON.stringify(body))
    })
    this.url = await listen(app, { host: '127.0.0.1', port: 0, auth: null })
    this.#app = app
    return this
  }

  async close(): Promise<void> {
    this.#app?.server.closeAllConnections()
    await this.#app?.close()
  }

  /** What it does where nothing is scripted. */
  act({ action, task_id, release_id }: ReceivedAction): Exclude<Scripted, 'cut'> {
    if (action === 'get_status') {
      const state = this.states.get(task_id)
      return state ? { body: { task_id, state } } : { status: 404, body: { message: 'unknown task' } }
    }
    this.done.push(action)
    const state = STATE_AFTER[action] ?? 'failed'
    this.states.set(task_id, state)
    return { body: { name: this.name, kf_id: task_id, task_id, release_id, state, progress: 0 } }
  }

  /** Actions without the questions. */
  actions(): string[] {
    return this.received.flatMap(({ action }) => (action === 'get_status' ? [] : action))
  }

  /** The id of its newest task. */
  task(): string {
    return this.received.at(-1)?.task_id ?? ''
  }

  /** Resolves once it has received an action. */
  async asked(action: ActionName, times = 1): Promise<void> {
    await this.until(() => this.received.filter((one) => one.action === action).length >= times)
  }

  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve()
    return new Promise((resolve) => this.#watchers.push({ test, resolve }))
  }

  #changed(): void {
    for (const watcher of this.#watchers) if (watcher.test()) watcher.resolve()
  }
}

export interface Response {
  readonly code: number
  readonly body: any
  readonly headers: Record<string, unknown>
}

export interface FixtureOptions {
  readonly env?: Record<string, string>
  readonly studySource?: StudySource | null
  /** Sent with every request that brings none of the same name: the token of whoever tests. */
  readonly headers?: Record<string, string>
}

const SAMPLES = new URL('../samples/studies.json', import.meta.url)
export const STUDY = 'SD_BHJXBDQK'

// Polling would hide that a report or an answer got lost, and health checks the calls of a registration.
const QUIET = { POLL_INTERVAL: '0', HEALTH_INTERVAL: '1h', LOG_LEVEL: 'silent', RATE_LIMIT: '0' }

/** A whole coordinator without a port, on a database of its own, beside task services that do as they are told. */
export class Fixture {
  readonly folder = mkdtempSync(join(tmpdir(), 'coordinator-'))
  readonly services: FakeService[] = []
  readonly #options: FixtureOptions
  readonly #ended: Promise<unknown>[] = []
  #life: { coordinator: Coordinator; crash(): void; end(): Promise<void> } | null = null

  constructor(options: FixtureOptions = {}) {
    this.#options = options
  }

  static async start(options: FixtureOptions = {}): Promise<Fixture> {
    const fixture = new Fixture(options)
    await fixture.live()
    return fixture
  }

  get coordinator(): Coordinator {
    if (!this.#life) throw new Error('The coordinator is not running')
    return this.#life.coordinator
  }

  /** A coordinator begins to live on the fixture's database. */
  async live(env: Record<string, string> = {}): Promise<void> {
    const url = `sqlite:${join(this.folder, 'state.db')}`
    const config = readConfig({ ...QUIET, ...this.#options.env, ...env, DATABASE_URL: url })
    const migrations = new URL('../migrations/', import.meta.url)
    // No test cuts the power: without waiting for the disk they take half as long.
    const sync = 'normal'
    const database = await openDatabase({ url, side: 'coordinator', name: 'coordinator', migrations, sync })
    const registration = await registerProcess(database, 'all')
    // A pid that no process can have: to the next life this one is gone, as it would be after a crash.
    const owner = registration.owner.replace(/\|.*/, `|4194305|1|${Math.random()}`)
    const studySource =
      this.#options.studySource === undefined ? studiesFromFile(SAMPLES) : this.#options.studySource
    const log = createLogger('coordinator', config.logLevel)
    const coordinator = await createCoordinator({
      database,
      queue: memoryQueue(),
      config,
      studySource,
      owner,
      random: Math.random,
      log,
    })
    await coordinator.start()
    const leave = async () => {
      await coordinator.stop()
      await coordinator.app.close()
    }
    const end = async () => {
      await leave()
      await registration.release()
      await database.close()
    }
    const crash = () => {
      // Nothing is stored from here on; requests that are under way go on, as they do on the wire.
      this.#ended.push(
        registration.release().then(() => database.close()),
        leave(),
      )
    }
    this.#life = { coordinator, crash, end }
  }

  /** Ends gracefully, and begins again on the same database. */
  async restart(env: Record<string, string> = {}): Promise<void> {
    await this.#life?.end()
    await this.live(env)
  }

  /** Ends as a killed process does: what it was about to store is lost. */
  async crash(env: Record<string, string> = {}): Promise<void> {
    this.#life?.crash()
    await this.#ended.at(-2)
    await this.live(env)
  }

  async close(): Promise<void> {
    for (const service of this.services) await service.close()
    await this.#life?.end()
    await Promise.all(this.#ended)
    rmSync(this.folder, { recursive: true, force: true })
  }

  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'HEAD',
    url: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const isText = typeof payload === 'string'
    const response = await this.coordinator.app.inject({
      method,
      url,
      headers: {
        ...(payload === undefined || isText ? {} : { 'content-type': 'application/json' }),
        ...this.#options.headers,
        ...headers,
      },
      ...(payload === undefined ? {} : { payload: isText ? payload : JSON.stringify(payload) }),
    })
    const isJson =
      String(response.headers['content-type']).includes('application/json') && response.body !== ''
    return {
      code: response.statusCode,
      body: isJson ? response.json() : response.body,
      headers: response.headers,
    }
  }

  /** A fake service, not registered. */
  async fake(name = `service ${this.services.length}`): Promise<FakeService> {
    const service = await new FakeService(name).start()
    this.services.push(service)
    return service
  }

  /** A fake service that takes part in every release from now on. @returns it, and its id */
  async register(name?: string): Promise<FakeService & { readonly id: string }> {
    const service = await this.fake(name)
    const { code, body } = await this.call('POST', '/task-services', {
      name: service.name,
      description: 'a fake',
      author: 'test',
      url: service.url,
    })
    if (code !== 201) throw new Error(`Not registered: ${JSON.stringify(body)}`)
    return Object.assign(service, { id: body.kf_id as string })
  }

  async registerMany(count: number): Promise<readonly (FakeService & { readonly id: string })[]> {
    const services = []
    for (let index = 0; index < count; index++) services.push(await this.register())
    return services
  }

  /** A new release. @returns its id */
  async issue(fields: object = {}): Promise<string> {
    const { code, body } = await this.call('POST', '/releases', {
      name: 'spring',
      studies: [STUDY],
      ...fields,
    })
    if (code !== 201) throw new Error(`Not created: ${JSON.stringify(body)}`)
    return body.kf_id
  }

  async release(id: string): Promise<any> {
    return (await this.call('GET', `/releases/${id}`)).body
  }

  /** Resolves with the release once it is in a state. */
  reaches(id: string, state: string): Promise<any> {
    return eventually(
      () => this.release(id),
      (release) => release.state === state,
    )
  }

  /** As `reaches`, without waiting for the coordinator's own timer: asks it to poll and to look at deadlines. */
  hurries(id: string, wanted: (release: any) => boolean): Promise<any> {
    const look = async () => {
      await this.call('POST', '/tasks/status_checks')
      await this.call('POST', '/releases/status_checks')
      return this.release(id)
    }
    return eventually(look, wanted)
  }

  /** Resolves once every task of a release is in a state. */
  tasksReach(id: string, state: string): Promise<any> {
    return eventually(
      () => this.release(id),
      ({ tasks }) => tasks.length > 0 && tasks.every((task: { state: string }) => task.state === state),
    )
  }

  /** A service reports. */
  report(taskId: string, body: object): Promise<Response> {
    return this.call('PATCH', `/tasks/${taskId}`, body)
  }

  publish(id: string): Promise<Response> {
    return this.call('POST', `/releases/${id}/publish`)
  }

  cancel(id: string): Promise<Response> {
    return this.call('DELETE', `/releases/${id}`)
  }

  /** `type: message` of every event about a release, the oldest first. */
  async events(releaseId: string): Promise<string[]> {
    const { body } = await this.call('GET', `/events?limit=1000&release=${releaseId}`)
    return body.results.map((event: any) => `${event.event_type}: ${event.message}`).toReversed()
  }
}
