import type { Database } from '@release-task/database'
import { isGone } from '@release-task/database'
import type { App, Logger } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import type { TaskServiceConfig } from './config.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { TaskDefinition } from './define.ts'
import { createExecute, type Execute } from './execute.ts'
import { createHttp } from './http.ts'
import { renewalOf } from './lease-database.ts'
import { ThreadLeaseKeeper } from './lease-keeper.ts'
import { TimerLeaseKeeper, type LeaseKeeper } from './lease.ts'
import { createMetrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { createPerform } from './perform.ts'
import { Reporter } from './reporter.ts'
import { TaskStore } from './store.ts'
import { Sweeper } from './sweeper.ts'
import { TaskWorker } from './worker.ts'

/** What a service is made of; whoever opens these closes them. */
export interface ServiceParts {
  readonly task: TaskDefinition
  readonly database: Database
  readonly queue: Queue
  readonly coordinator: CoordinatorClient
  readonly config: TaskServiceConfig
  /** Names this process in leases. */
  readonly owner: string
  readonly log: Logger
}

export interface TaskService {
  readonly app: App
  readonly execute: Execute
  readonly store: TaskStore
  /** Begins to work, report and sweep. */
  start(): void
  /** Takes no action and no work any more; resolves when everything that ran has stopped or was given back. */
  stop(): Promise<void>
}

/** Wires the rooms of a task service in the order in which a request passes them. */
export async function createTaskService(parts: ServiceParts): Promise<TaskService> {
  const { task, database, queue, config, owner, log } = parts
  const stopping = new AbortController()
  const policy = { stageRetryForMs: config.stageRetryFor, forgottenAfterMs: config.forgottenAfter }
  const store = new TaskStore(database)
  const outbox = new Outbox(database, owner)
  const metrics = createMetrics(() => ({
    countByState: () => store.countByState(),
    reportsWaiting: () => outbox.waiting(),
  }))
  const execute = createExecute({
    store,
    queue,
    policy,
    random: Math.random,
    reportsChanged: () => reporter.nudge(),
    refusedLate: metrics.refusedLate,
  })
  const tell: Tell = async (id, state) => void (await execute(id, { type: 'coordinator_shows', state }))
  const reporter = createReporter(parts, outbox, tell)
  const keeper = createKeeper(parts)
  const worker = createWorker(parts, { store, execute, keeper })
  const sweeper = createSweeper(parts, { store, tell })
  const app = await createHttp({
    name: task.name,
    version: task.version,
    execute,
    store,
    report: (id) => outbox.get(id),
    policy,
    ping: () => database.ping(),
    queueHealth: () => queue.health(),
    stopping: stopping.signal,
    registry: metrics.registry,
    log,
  })
  const start = () => {
    queue.subscribe(
      (id) => void worker.look(id).catch((error: unknown) => log.warn({ err: error }, 'cannot look')),
    )
    queue.consume((id) => worker.handle(id), config.concurrency)
    sweeper.start()
    reporter.nudge()
  }
  const stop = async () => {
    stopping.abort()
    worker.shutDown()
    await sweeper.stop()
    if (!(await endsWithin(queue.close(), config.shutdownGrace))) await worker.giveBack()
    await reporter.stop()
    await keeper.close()
  }
  return { app, execute, store, start, stop }
}

type Tell = (
  id: string,
  state: Parameters<ConstructorParameters<typeof Sweeper>[0]['tell']>[1],
) => Promise<void>

function createReporter({ coordinator, log }: ServiceParts, outbox: Outbox, tell: Tell): Reporter {
  return new Reporter({
    due: () => outbox.due(isGone),
    nextDelayMs: () => outbox.nextDelayMs(),
    claim: (row) => outbox.claim(row),
    reschedule: (row, to) => outbox.reschedule(row, to),
    remove: (row) => outbox.remove(row),
    send: (taskId, report) => coordinator.report(taskId, report),
    read: (taskId) => coordinator.task(taskId),
    tell,
    random: Math.random,
    log,
  })
}

/** A database that lives in memory cannot be opened by a second connection; there a timer must do. */
function createKeeper({ database, config }: ServiceParts): LeaseKeeper {
  const { databaseUrl: url, lease: leaseMs } = config
  if (url.includes(':memory:')) return new TimerLeaseKeeper(renewalOf(database, leaseMs), leaseMs / 3)
  return new ThreadLeaseKeeper({ url, leaseMs })
}

function createWorker(
  { task, coordinator, config, owner, log }: ServiceParts,
  { store, execute, keeper }: { store: TaskStore; execute: Execute; keeper: LeaseKeeper },
): TaskWorker {
  const load = async (id: string) => (await store.load(id)).record
  const claim = {
    type: 'claim',
    owner,
    version: task.version,
    leaseMs: config.lease,
    goneOwner: null,
  } as const
  return new TaskWorker({
    owner,
    attemptDeadlineMs: config.attemptDeadline,
    keeper,
    load,
    claim: (id) => execute(id, claim),
    say: execute,
    perform: createPerform({
      task,
      coordinator,
      log,
      progressIntervalMs: config.progressInterval,
      say: execute,
      load,
      savedStep: (id, version, work, name) => store.step(id, version, work, name),
    }),
    log,
  })
}

function createSweeper(
  { queue, coordinator, config, log }: ServiceParts,
  { store, tell }: { store: TaskStore; tell: Tell },
): Sweeper {
  return new Sweeper({
    due: () => store.due(),
    checksDue: () => store.checksDue(),
    deleteTombstones: (ageMs) => store.deleteTombstones(ageMs),
    wake: (id) => queue.wake(id),
    read: (taskId) => coordinator.task(taskId),
    tell,
    intervalMs: config.sweepInterval,
    log,
  })
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  void work.then(() => resolve(true))
  const ended = await promise
  clearTimeout(timer)
  return ended
}
