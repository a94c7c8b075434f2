import { isGone, type Database } from '@release-task/database'
import { Gauge, Registry, type App, type Logger } from '@release-task/http'
import { newId, type ReleaseId, type TaskId, type TaskServiceId } from '@release-task/protocol'
import type { CoordinatorConfig } from './config.ts'
import { Dispatcher } from './dispatcher.ts'
import { EventStore } from './event-store.ts'
import { createExecute, type Execute } from './execute.ts'
import { createHttp } from './http/app.ts'
import { Monitor } from './monitor.ts'
import { ActionOutbox, type OutboxRow } from './outbox.ts'
import { ReleaseStore } from './store.ts'
import { StudyStore } from './study-store.ts'
import { syncStudies, type StudySource } from './study-sync.ts'
import { createTaskServiceClient, type TaskServiceClient } from './task-service-client.ts'
import { TaskServiceStore } from './task-service-store.ts'

const SYNC_AGAIN_MS = 30 * 1000 // 30 s between tries to read the studies at start

/** What a coordinator is made of; whoever opens these closes them. */
export interface CoordinatorParts {
  readonly database: Database
  readonly config: CoordinatorConfig
  readonly studySource: StudySource | null
  /** Names this process in claims. */
  readonly owner: string
  readonly random: () => number
  readonly log: Logger
}

export interface Coordinator {
  readonly app: App
  readonly execute: Execute
  /** Reads the studies, then begins to send, poll and look after deadlines. */
  start(): Promise<void>
  /** Begins nothing more; resolves when no request is under way. */
  stop(): Promise<void>
}

interface Rooms {
  readonly releases: ReleaseStore
  readonly services: TaskServiceStore
  readonly outbox: ActionOutbox
  readonly client: TaskServiceClient
  readonly execute: Execute
}

/** Wires the rooms of the coordinator in the order in which a request passes them. */
export async function createCoordinator(parts: CoordinatorParts): Promise<Coordinator> {
  const { database, config, owner, random, log, studySource } = parts
  const stopping = new AbortController()
  const releases = new ReleaseStore(database, { random, pollIntervalMs: config.pollInterval })
  const services = new TaskServiceStore(database, random)
  const studies = new StudyStore(database)
  const events = new EventStore(database)
  const outbox = new ActionOutbox(database, owner)
  const client = createTaskServiceClient(config.requestTimeout)
  const execute = createExecute({
    store: releases,
    policy: {
      actionDeadlineMs: config.actionDeadline,
      publishDeadlineMs: config.publishDeadline,
      taskTimeoutMs: config.taskTimeout,
    },
    actionsChanged: () => dispatcher.nudge(),
    releasesChanged: () => monitor.nudge(),
  })
  const rooms: Rooms = { releases, services, outbox, client, execute }
  const dispatcher = createDispatcher(parts, rooms)
  const monitor = createMonitor(parts, rooms)
  const app = await createHttp({
    ...rooms,
    config,
    studies,
    studySource,
    events,
    monitor,
    ping: () => database.ping(),
    stopping: stopping.signal,
    random,
    registry: createMetrics(releases),
    log,
  })
  const start = async () => {
    await syncAtStart(parts, studies, stopping.signal)
    dispatcher.nudge()
    monitor.nudge()
  }
  const stop = async () => {
    stopping.abort()
    await monitor.stop()
    await dispatcher.stop()
  }
  return { app, execute, start, stop }
}

/** One request to a task's service, with everything the body needs read now: a service may have moved. */
async function requestFor(
  { releases, services, client }: Rooms,
  { releaseId, taskId }: { releaseId: ReleaseId; taskId: TaskId },
  action: OutboxRow['action'] | 'get_status',
) {
  const release = await releases.get(releaseId)
  const task = release?.tasks.find((one) => one.id === taskId)
  const service = task && (await services.get(task.serviceId))
  if (!release || !service) throw new Error(`Task ${taskId} of ${releaseId} has no service any more`)
  const studies = action === 'get_status' ? {} : { studies: release.studies }
  return client.act(service.url, { action, task_id: taskId, release_id: releaseId, ...studies })
}

function createDispatcher({ random, log }: CoordinatorParts, rooms: Rooms): Dispatcher {
  const { outbox, execute } = rooms
  return new Dispatcher({
    due: () => outbox.due(isGone),
    nextDelayMs: () => outbox.nextDelayMs(),
    claim: (row) => outbox.claim(row),
    again: (row, to) => outbox.again(row, to),
    remove: (row) => outbox.remove(row),
    request: (row, action) => requestFor(rooms, row, action),
    tell: async ({ releaseId, taskId, action }, outcome) =>
      void (await execute(releaseId, { type: 'answer', taskId, action, outcome })),
    random,
    log,
  })
}

function createMonitor({ config, random, log }: CoordinatorParts, rooms: Rooms): Monitor {
  const { releases, services, client, execute } = rooms
  return new Monitor({
    dueReleases: () => releases.due(),
    begin: async (id) => {
      const taskFor = ({ id: serviceId }: { id: TaskServiceId }) => ({ id: newId('TA', random), serviceId })
      await execute(id, { type: 'begin', tasks: (await services.enabled()).map(taskFor) })
    },
    tick: async (id) => void (await execute(id, { type: 'tick' })),
    claimPolls: (everybody) => releases.claimPolls(everybody),
    ask: (poll) => requestFor(rooms, poll, 'get_status'),
    tellPoll: async ({ releaseId, taskId, now }, word) =>
      void (await execute(releaseId, { type: 'poll', taskId, askedAt: now, ...word })),
    tellLost: async ({ releaseId, taskId }, reason) =>
      void (await execute(releaseId, { type: 'lost', taskId, reason })),
    claimChecks: () => services.claimChecks(config.healthInterval),
    status: (service) => client.status(service.url),
    countHealth: (id, healthy) => services.countHealth(id, healthy),
    pollIntervalMs: config.pollInterval,
    log,
  })
}

function createMetrics(releases: ReleaseStore): Registry {
  const registry = new Registry()
  new Gauge({
    name: 'release_coordinator_releases',
    help: 'Releases by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      this.reset()
      for (const [state, count] of await releases.countByState()) this.set({ state }, count)
    },
  })
  return registry
}

/** The studies are read before the first request where that is possible; a Data Service that is away is asked again. */
async function syncAtStart(
  { studySource, log }: CoordinatorParts,
  studies: StudyStore,
  stopping: AbortSignal,
) {
  if (!studySource || stopping.aborted) return
  try {
    const { created, deleted } = await syncStudies(studies, studySource, false)
    log.info({ created, deleted }, 'studies read')
  } catch (error) {
    log.warn({ err: error }, 'studies not read; asking again in 30 s')
    const again = () => void syncAtStart({ studySource, log } as CoordinatorParts, studies, stopping)
    setTimeout(again, SYNC_AGAIN_MS).unref()
  }
}
