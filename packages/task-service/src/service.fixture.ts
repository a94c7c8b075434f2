import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, registerProcess, type Database } from '@release-task/database'
import { createLogger } from '@release-task/http'
import type { Backoff } from '@release-task/protocol'
import { memoryQueue } from '@release-task/queue'
import { readConfig } from './config.ts'
import { createCoordinatorClient } from './coordinator-client.ts'
import { FakeCoordinator } from './coordinator.fixture.ts'
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

/** Resolves when a phase is told to stop, with the reason. */
export function stopped(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}

/** Looks again until it is so: for facts that no latch tells. */
export async function eventually(look: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await look()) return
    await sleep(20)
  }
  throw new Error('it never came to be')
}

export interface Answered {
  readonly code: number
  readonly body: any
}

export interface Fixture {
  readonly coordinator: FakeCoordinator
  readonly service: Awaited<ReturnType<typeof createTaskService>>
  readonly database: Database
  /** Where the state is kept. */
  readonly url: string
  /** POST /tasks. */
  act(action: string, ids?: { task_id?: string; release_id?: string; studies?: string[] }): Promise<Answered>
  get(path: string): Promise<Answered>
  post(path: string): Promise<Answered>
  /** The task as it is shown. */
  task(taskId?: string): Promise<any>
  events(taskId?: string): Promise<any[]>
  eventTypes(taskId?: string): Promise<string[]>
  /** Ends it as a crash would not: gracefully. */
  close(): Promise<void>
  /** A second life on the same state, with another task or other settings. */
  restart(task?: Partial<TaskDefinition>, env?: Record<string, string>): Promise<Fixture>
}

export const TASK = 'TA_00000001'
export const RELEASE = 'RE_00000001'
export const MIGRATIONS = new URL('../migrations/', import.meta.url)

const FAST = {
  PROGRESS_INTERVAL: '10ms',
  LOG_LEVEL: 'silent',
  RATE_LIMIT: '0',
  SWEEP_INTERVAL: '100ms',
  LEASE: '3s',
  SHUTDOWN_GRACE: '5s',
  // No test here cuts the power.
  DATABASE_SYNC: 'normal',
}

export interface Making {
  readonly task?: Partial<TaskDefinition>
  readonly env?: Record<string, string>
  /** Delays between tries of the task's code; the real ones where it is not given. */
  readonly retry?: Backoff
}

interface Place {
  readonly folder: string
  readonly coordinator: FakeCoordinator
}

/** A whole task service without a port, on its own database, beside a coordinator that keeps what it hears. */
export async function startFixture(making: Making = {}): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'task-service-'))
  const coordinator = await new FakeCoordinator().start()
  return start(making, { folder, coordinator })
}

async function start(making: Making, place: Place): Promise<Fixture> {
  const url = `sqlite:${join(place.folder, 'state.db')}`
  const { service, database, end } = await open(making, url, place.coordinator.url)
  const inject = async (method: 'GET' | 'POST', path: string, payload?: object) => {
    const response = await service.app.inject({ method, url: path, ...(payload ? { payload } : {}) })
    return { code: response.statusCode, body: response.json() }
  }
  const events = async (taskId = TASK) => (await inject('GET', `/tasks/${taskId}/events`)).body.results
  return {
    coordinator: place.coordinator,
    service,
    database,
    url,
    act: (action, ids) => inject('POST', '/tasks', { action, task_id: TASK, release_id: RELEASE, ...ids }),
    get: (path) => inject('GET', path),
    post: (path) => inject('POST', path),
    task: async (taskId = TASK) => (await inject('GET', `/tasks/${taskId}`)).body,
    events,
    eventTypes: async (taskId) => (await events(taskId)).map((event: any) => event.type),
    close: async () => {
      await end()
      await place.coordinator.close()
      rmSync(place.folder, { recursive: true, force: true })
    },
    restart: async (task = {}, env = {}) => {
      await end()
      const next = { ...making, task: { ...making.task, ...task }, env: { ...making.env, ...env } }
      return start(next, place)
    },
  }
}

async function open({ task, env, retry }: Making, url: string, coordinatorUrl: string) {
  const config = readConfig({ ...FAST, DATABASE_URL: url, COORDINATOR_API: coordinatorUrl, ...env })
  const database = await openDatabase({
    url,
    side: 'task-service',
    name: 'fixture',
    migrations: MIGRATIONS,
    sync: config.databaseSync,
  })
  const registration = await registerProcess(database, 'all')
  const service = await createTaskService({
    // As `serve` does: also what the tests change behind its back must not be missed.
    role: 'all',
    // The whole of every delay: a test that looks at a failure must find it before the next try.
    random: () => 1,
    task: defineTask({
      name: 'fixture',
      version: '1.0.0',
      stage: () => undefined,
      publish: () => undefined,
      ...task,
    }),
    database,
    queue: memoryQueue(),
    coordinator: createCoordinatorClient(coordinatorUrl),
    config,
    owner: registration.owner,
    log: createLogger('fixture', config.logLevel),
    ...(retry ? { retry } : {}),
  })
  service.start()
  let ended: Promise<void> | null = null
  const end = async () => {
    await service.stop()
    await service.app.close()
    await service.giveBack()
    await registration.release().catch(() => undefined)
    await database.close()
  }
  return { service, database, end: () => (ended ??= end()) }
}
