import { checkAuthSettings, createPolicy, createVerifier } from '@release-task/auth'
import type { Database, ProcessRole } from '@release-task/database'
import type { App, Logger } from '@release-task/http'
import type { Backoff } from '@release-task/protocol'
import type { Queue } from '@release-task/queue'
import type { TaskServiceConfig } from './config.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { TaskDefinition } from './define.ts'
import { RETRY } from './decision.ts'
import { createExecute, type Execute } from './execute.ts'
import { createHttp, createWorkerHttp } from './http.ts'
import { createMetrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { RecentRecords } from './recent-records.ts'
import { TaskStore } from './store.ts'
import { createWorkRooms, type WorkRooms } from './work-rooms.ts'

/** What a service is made of; whoever opens these closes them. */
export interface ServiceParts {
  readonly task: TaskDefinition
  /** `all`: no other process changes this database, so what was committed last need not be read again. */
  readonly role: ProcessRole
  readonly database: Database
  readonly queue: Queue
  readonly coordinator: CoordinatorClient
  readonly config: TaskServiceConfig
  /** Names this process in leases. */
  readonly owner: string
  readonly log: Logger
  /** Between tries of the author's code; WK-8 where it is not given. */
  readonly retry?: Backoff
  /** In [0, 1): how much of such a delay is waited; by chance where it is not given. */
  readonly random?: () => number
}

export interface TaskService {
  readonly app: App
  readonly execute: Execute
  readonly store: TaskStore
  /** Begins to work, report and sweep, where its role is to do so. */
  start(): void
  /** Takes no action and no work any more; resolves when everything that ran has stopped, or the grace time is over. */
  stop(): Promise<void>
  /** Gives back what has not stopped (WK-10). The last thing before the end: another worker may begin at once. */
  giveBack(): Promise<void>
}

/** Wires the rooms of a task service in the order in which a request passes them. */
export async function createTaskService(parts: ServiceParts): Promise<TaskService> {
  const { task, role, database, queue, config, owner, log } = parts
  const stopping = new AbortController()
  const plan = checkAuthSettings('task-service', config)
  const policy = {
    retry: parts.retry ?? RETRY,
    stageRetryForMs: config.stageRetryFor,
    forgottenAfterMs: config.forgottenAfter,
  }
  const store = new TaskStore(database)
  const outbox = new Outbox(database, { owner, claimMs: config.lease })
  const metrics = createMetrics({ ping: () => database.ping(), store, outbox, queue })
  const execute = createExecute({
    store,
    recent: role === 'all' && database.clock ? new RecentRecords(database.clock) : null,
    queue,
    policy,
    random: parts.random ?? Math.random,
    // Who only takes actions sends no report: it tells those who do.
    reportsChanged: (id) => (rooms ? rooms.reporter.nudge() : queue.notify(id)),
    refusedLate: () => metrics.refusedLate(),
    log,
  })
  const rooms: WorkRooms | null =
    role === 'api'
      ? null
      : createWorkRooms(parts, { store, outbox, execute, metrics, stopping: stopping.signal })
  const http = {
    name: task.name,
    version: task.version,
    execute,
    store,
    report: (id: string) => outbox.get(id),
    policy,
    verifier: plan.verifier && createVerifier(plan.verifier),
    access: createPolicy(plan.policy),
    ping: () => database.ping(),
    queueHealth: () => queue.health(),
    stopping: stopping.signal,
    limits: { rateLimit: config.rateLimit, corsOrigins: config.corsOrigins },
    registry: metrics.registry,
    log,
  }
  const app = await (role === 'worker' ? createWorkerHttp(http) : createHttp(http))
  const stop = async () => {
    stopping.abort()
    await (rooms ? rooms.stop() : queue.close())
  }
  const giveBack = async () => rooms?.giveBack()
  return { app, execute, store, start: () => rooms?.start(), stop, giveBack }
}
