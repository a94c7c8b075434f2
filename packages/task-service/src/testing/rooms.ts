import type { Database } from '@release-task/database'
import type { Logger } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import type { TaskServiceConfig } from '../config.ts'
import type { CoordinatorClient } from '../coordinator-client.ts'
import type { TaskDefinition } from '../define.ts'
import type { Execute } from '../execute.ts'
import { createPerform } from '../perform.ts'
import type { TaskStore } from '../store.ts'
import { Sweeper } from '../sweeper.ts'
import { TaskWorker } from '../worker.ts'
import { never } from './moments.ts'
import { checkPlace } from './place.ts'
import { watchedTask, type Host } from './watched-task.ts'

const NO_DEADLINE_MS = 2 ** 31 - 1

interface Rooms {
  readonly store: TaskStore
  readonly database: Database
  readonly execute: Execute
  readonly owner: string
  readonly config: TaskServiceConfig
  readonly client: CoordinatorClient
  readonly log: Logger
}

interface WorkerParts extends Rooms {
  readonly task: TaskDefinition
  readonly host: Host
  /** Rejects when the process dies. */
  readonly death: Promise<never>
  /** Aborts then. */
  readonly signal: AbortSignal
}

/** The worker of the service, without a lease thread: this process never loses its lease while it lives. */
export function createWorker(parts: WorkerParts): TaskWorker {
  const { execute, store, owner, config, task, log } = parts
  const nothing = () => undefined
  const claim = {
    type: 'claim',
    owner,
    version: task.version,
    leaseMs: config.lease,
    goneOwner: null,
  } as const
  return new TaskWorker({
    owner,
    // By the clock of the machine, which is not the test's.
    attemptDeadlineMs: NO_DEADLINE_MS,
    freshForMs: NO_DEADLINE_MS,
    abandonAfterMs: NO_DEADLINE_MS,
    keeper: { hold: nothing, drop: nothing, close: async () => undefined },
    load: async (id) => (await store.load(id)).record,
    claim: (id) => execute(id, claim),
    say: sayOutcome(parts),
    perform: performUntilDeath(parts),
    observe: { leaseLost: nothing, retried: nothing, ended: nothing },
    log,
  })
}

const DONE = { stage: 'staged', publish: 'published', discard: 'discarded' } as const

/** The outcome of a phase, and the moment at which it is stored and nobody else knows. */
function sayOutcome({ execute, host }: WorkerParts): Execute {
  return async (id, command) => {
    const before = command.type === 'succeeded' ? await execute(id, command) : null
    if (!before) return execute(id, command)
    const work = workThatEnded(before.record)
    if (before.decision.kind === 'next' && work && host.passNow(DONE[work])) {
      await host.end()
      return never()
    }
    return before
  }
}

function workThatEnded(record: Awaited<ReturnType<Execute>>['record']): keyof typeof DONE | null {
  if (record?.state === 'staged') return 'stage'
  if (record?.state === 'published') return 'publish'
  return record?.cleanup === 'done' ? 'discard' : null
}

function performUntilDeath(parts: WorkerParts) {
  const { task, host, client, execute, store, database, config, death, log } = parts
  const perform = createPerform({
    task: watchedTask(task, host),
    coordinator: client,
    log,
    progressIntervalMs: config.progressInterval,
    say: execute,
    load: async (id) => (await store.load(id)).record,
    savedStep: (id, version, work, name) => store.step(id, version, work, name),
    savedSteps: (id, version, work) => store.steps(id, version, work),
    releasesUnderWay: () => store.releasesUnderWay(),
    checkPlace: (work) => checkPlace(task, database, work, config),
  })
  return ((record, work, signal) =>
    Promise.race([
      perform(record, work, AbortSignal.any([signal, parts.signal])),
      death,
    ])) satisfies typeof perform
}

/** Finds what is due, at the very moment at which it is. */
export function createSweeper({ store, execute, client, queue, log }: Rooms & { queue: Queue }): Sweeper {
  const { signal } = new AbortController()
  return new Sweeper({
    due: (after) => store.due(after),
    checksDue: () => store.checksDue(),
    deleteTombstones: async () => undefined,
    deleteHistory: async () => undefined,
    offer: (id) => queue.offer(id),
    read: (id) => client.task(id, signal),
    tell: async (id, state) => void (await execute(id, { type: 'coordinator_shows', state })),
    intervalMs: NO_DEADLINE_MS,
    log,
  })
}
