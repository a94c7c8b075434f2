import type { Database } from '@release-task/database'
import { isGone } from '@release-task/database'
import type { App, Logger } from '@release-task/http'
import type { Backoff } from '@release-task/protocol'
import type { Queue } from '@release-task/queue'
import type { TaskServiceConfig } from './config.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { TaskDefinition } from './define.ts'
import { RETRY, type CoordinatorShows } from './decision.ts'
import { createExecute, type Execute } from './execute.ts'
import { createHttp } from './http.ts'
import { renewalOf } from './lease-database.ts'
import { ThreadLeaseKeeper } from './lease-keeper.ts'
import { TimerLeaseKeeper, type LeaseKeeper } from './lease.ts'
import { createMetrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { createPerform } from './perform.ts'
import { RecentRecords } from './recent-records.ts'
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
  /** No other process changes this database (role all): then what was committed last need not be read again. */
  readonly exclusive?: boolean
  /** Between tries of the author's code; WK-8 where it is not given. */
  readonly retry?: Backoff
  /** In [0, 1): how much of such a delay is waited; by chance where it is not given. */
  readonly random?: () => number
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
  const graceOver = new AbortController()
  const policy = {
    retry: parts.retry ?? RETRY,
    stageRetryForMs: config.stageRetryFor,
    forgottenAfterMs: config.forgottenAfter,
  }
  const store = new TaskStore(database)
  const outbox = new Outbox(database, owner)
  const metrics = createMetrics(() => ({
    countByState: () => store.countByState(),
    reportsWaiting: () => outbox.waiting(),
  }))
  const execute = createExecute({
    store,
    recent: parts.exclusive && database.clock ? new RecentRecords(database.clock) : null,
    queue,
    policy,
    random: parts.random ?? Math.random,
    reportsChanged: () => reporter.nudge(),
    refusedLate: metrics.refusedLate,
  })
  const reporter = createReporter(parts, { outbox, execute, signal: graceOver.signal })
  const keeper = createKeeper(parts)
  const worker = createWorker(parts, { store, execute, keeper })
  const sweeper = createSweeper(parts, { store, execute, signal: stopping.signal })
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
  const rooms = { worker, sweeper, reporter, keeper }
  return { app, execute, store, ...lifecycle(parts, rooms, { stopping, graceOver }) }
}

interface Rooms {
  readonly worker: TaskWorker
  readonly sweeper: Sweeper
  readonly reporter: Reporter
  readonly keeper: LeaseKeeper
}

/** How the rooms begin, and in which order they end (WK-10). */
function lifecycle(
  { queue, config, log }: ServiceParts,
  { worker, sweeper, reporter, keeper }: Rooms,
  { stopping, graceOver }: { stopping: AbortController; graceOver: AbortController },
): Pick<TaskService, 'start' | 'stop'> {
  const cannotLook = (error: unknown) => log.warn({ err: error }, 'cannot look at a task; the renewal does')
  const start = () => {
    queue.subscribe((id) => void worker.look(id).catch(cannotLook))
    queue.consume((id) => worker.handle(id), config.concurrency)
    sweeper.start()
    reporter.nudge()
  }
  const stop = async () => {
    stopping.abort()
    worker.shutDown()
    const others = Promise.all([sweeper.stop(), reporter.stop()])
    if (!(await endsWithin(Promise.all([queue.close(), others]), config.shutdownGrace))) {
      // What the code that does not stop says from now on is refused; a report that was cut off is sent again.
      graceOver.abort()
      await worker.giveBack()
      await others
    }
    await keeper.close()
  }
  return { start, stop }
}

const tellShown = (execute: Execute) => async (id: string, state: CoordinatorShows) =>
  void (await execute(id, { type: 'coordinator_shows', state }))

function createReporter(
  { coordinator, log }: ServiceParts,
  { outbox, execute, signal }: { outbox: Outbox; execute: Execute; signal: AbortSignal },
): Reporter {
  return new Reporter({
    due: () => outbox.due(isGone),
    nextDelayMs: () => outbox.nextDelayMs(),
    claim: (row) => outbox.claim(row),
    reschedule: (row, to) => outbox.reschedule(row, to),
    remove: (row) => outbox.remove(row),
    send: (taskId, report) => coordinator.report(taskId, report, signal),
    read: (taskId) => coordinator.task(taskId, signal),
    tell: tellShown(execute),
    refused: async (id, report) => void (await execute(id, { type: 'report_refused', ...report })),
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
    abandonAfterMs: config.lease,
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
  { store, execute, signal }: { store: TaskStore; execute: Execute; signal: AbortSignal },
): Sweeper {
  return new Sweeper({
    due: (after) => store.due(after),
    checksDue: () => store.checksDue(),
    deleteTombstones: (ageMs) => store.deleteTombstones(ageMs),
    wake: (id) => queue.wake(id),
    read: (taskId) => coordinator.task(taskId, signal),
    tell: tellShown(execute),
    intervalMs: config.sweepInterval,
    log,
  })
}

/** @returns whether `work` ended in time */
async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  work.then(() => resolve(true), reject)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
