import { hostname } from 'node:os'
import { isGone } from '@release-task/database'
import type { CoordinatorShows } from './decision.ts'
import type { Execute } from './execute.ts'
import { checkFreeSpace } from './free-space.ts'
import { renewalOf } from './lease-database.ts'
import { ThreadLeaseKeeper } from './lease-keeper.ts'
import { TimerLeaseKeeper, type LeaseKeeper } from './lease.ts'
import type { Metrics } from './metrics.ts'
import type { Outbox } from './outbox.ts'
import { createPerform } from './perform.ts'
import type { Work } from './record.ts'
import { createMarkerStore } from './release-dir-store.ts'
import { assertReleaseDir, releaseDirOf } from './release-dir.ts'
import { Reporter } from './reporter.ts'
import type { ServiceParts } from './service.ts'
import type { TaskStore } from './store.ts'
import { Sweeper } from './sweeper.ts'
import { TaskWorker } from './worker.ts'

/** What a process that works consists of, besides what every process has. */
export interface WorkRooms {
  readonly reporter: Reporter
  start(): void
  /** Resolves when everything that ran has stopped, or after the grace time (WK-10). */
  stop(): Promise<void>
  /** Gives back what has not stopped. The process ends right after it: another worker may begin at once. */
  giveBack(): Promise<void>
}

interface Base {
  readonly store: TaskStore
  readonly outbox: Outbox
  readonly execute: Execute
  readonly metrics: Metrics
  /** Aborts when the process begins to stop. */
  readonly stopping: AbortSignal
}

/** Wires worker, lease keeper, reporter and sweeper. */
export function createWorkRooms(parts: ServiceParts, base: Base): WorkRooms {
  const { queue, config, log } = parts
  const graceOver = new AbortController()
  const keeper = createKeeper(parts)
  const worker = createWorker(parts, base, keeper)
  const reporter = createReporter(parts, base, graceOver.signal)
  const sweeper = createSweeper(parts, base)
  const look = (id: string) =>
    worker.look(id).catch((error: unknown) => {
      log.warn({ err: error, task_id: id }, 'cannot look at a task; the renewal does')
    })
  const start = () => {
    queue.subscribe((id) => {
      void look(id)
      reporter.nudge()
    })
    queue.consume((id) => worker.handle(id), config.concurrency)
    sweeper.start()
    reporter.nudge()
  }
  const stop = async () => {
    worker.shutDown()
    const others = Promise.all([sweeper.stop(), reporter.stop()])
    if (!(await endsWithin(Promise.all([queue.close(), others]), config.shutdownGrace))) {
      // A report that was cut off is sent again by the next process.
      graceOver.abort()
      await others
    }
  }
  const giveBack = async () => {
    // What the code that does not stop says from now on is refused.
    await worker.giveBack()
    await keeper.close()
  }
  return { reporter, start, stop, giveBack }
}

const tellShown = (execute: Execute) => async (id: string, state: CoordinatorShows) =>
  void (await execute(id, { type: 'coordinator_shows', state }))

function createReporter(
  { coordinator, log }: ServiceParts,
  { outbox, execute }: Base,
  signal: AbortSignal,
): Reporter {
  return new Reporter({
    due: () => outbox.due(isGone),
    nextDelayMs: () => outbox.nextDelayMs(),
    claim: (row) => outbox.claim(row),
    giveBack: (row) => outbox.giveBack(row),
    renew: (row) => outbox.renew(row),
    renewMs: outbox.renewMs,
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
function createKeeper({ database, config, log }: ServiceParts): LeaseKeeper {
  const { databaseUrl: url, lease: leaseMs, leaseGrace: graceMs } = config
  if (url.includes(':memory:')) return new TimerLeaseKeeper(renewalOf(database, leaseMs), leaseMs / 3)
  return new ThreadLeaseKeeper({ url, leaseMs, graceMs }, (error) => {
    log.error({ err: error }, 'lease renewal ended; it is started again')
  })
}

function createWorker(
  parts: ServiceParts,
  { store, execute, metrics }: Base,
  keeper: LeaseKeeper,
): TaskWorker {
  const { task, coordinator, config, owner, log } = parts
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
    freshForMs: config.lease / 3,
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
      savedSteps: (id, version, work) => store.steps(id, version, work),
      releasesUnderWay: () => store.releasesUnderWay(),
      checkPlace: (work) => checkPlace(parts, work),
    }),
    observe: metrics,
    log,
  })
}

function createSweeper(
  { queue, coordinator, config, log }: ServiceParts,
  { store, execute, stopping: signal }: Base,
): Sweeper {
  return new Sweeper({
    due: (after) => store.due(after),
    checksDue: () => store.checksDue(),
    deleteTombstones: (ageMs) => store.deleteTombstones(ageMs),
    deleteHistory: () => store.deleteHistory({ eventsMs: config.keepEvents, stepsMs: config.keepSteps }),
    offer: (id) => queue.offer(id),
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

/** Before the author's code runs: it must see the folder that all others see (WK-13), and have room to prepare. */
async function checkPlace({ task, database, config }: ServiceParts, work: Work): Promise<void> {
  const dir = releaseDirOf(task)
  if (dir === null) return
  await assertReleaseDir({ dir, service: task.name, host: hostname(), store: createMarkerStore(database) })
  if (work === 'stage') await checkFreeSpace({ dir, minBytes: config.minFreeSpace })
}
