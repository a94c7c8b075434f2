import {
  authorized,
  checkAuthSettings,
  createPolicy,
  createTokenSource,
  createVerifier,
} from '@release-task/auth'
import { isGone, type Database } from '@release-task/database'
import { request, TransportError, type App, type Logger } from '@release-task/http'
import type { Queue } from '@release-task/queue'
import { newId, type ReleaseId, type TaskId } from '@release-task/protocol'
import { AuditStore } from './audit-store.ts'
import type { CoordinatorConfig } from './config.ts'
import { Dispatcher } from './dispatcher.ts'
import { EventBell } from './event-bell.ts'
import { EventStore } from './event-store.ts'
import { createExecute, type Execute, type ExecuteDependencies } from './execute.ts'
import { createHttp } from './http/app.ts'
import type { Command } from './decision.ts'
import { createMetrics } from './metrics.ts'
import { Monitor } from './monitor.ts'
import { NoteStore } from './note-store.ts'
import { ActionOutbox, type OutboxRow } from './outbox.ts'
import { policyOf } from './policy.ts'
import { PollStore } from './poll-store.ts'
import { PublicationStore } from './publication-store.ts'
import { SearchStore } from './search-store.ts'
import { ReleaseStore } from './store.ts'
import { StudyStore } from './study-store.ts'
import { syncStudies, type StudySource } from './study-sync.ts'
import { createTaskServiceClient, type TaskServiceClient } from './task-service-client.ts'
import { isDown, TaskServiceStore, type TaskService } from './task-service-store.ts'

const SYNC_AGAIN_MS = 30 * 1000 // 30 s between tries to read the studies at start
const POLL_MARGIN_MS = 5 * 1000 // 5 s

/** What a coordinator is made of; whoever opens these closes them. */
export interface CoordinatorParts {
  readonly database: Database
  /** Tells all instances that something may have to be done; without a broker only this one. */
  readonly queue: Queue
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
  /** Begins to send, poll and look after deadlines, and reads the studies. */
  start(): Promise<void>
  /** Begins nothing more; resolves when no request is under way. */
  stop(): Promise<void>
}

interface Rooms {
  readonly releases: ReleaseStore
  readonly services: TaskServiceStore
  readonly outbox: ActionOutbox
  readonly polls: PollStore
  readonly client: TaskServiceClient
  readonly execute: Execute
}

/** Wires the rooms of the coordinator in the order in which a request passes them. */
export async function createCoordinator(parts: CoordinatorParts): Promise<Coordinator> {
  const { database, queue, config, random, log, studySource } = parts
  const stopping = new AbortController()
  const plan = checkAuthSettings('coordinator', config)
  // The other instances are told too: this one may end before it has done what follows from its decision.
  const send = plan.tokens ? authorized(createTokenSource(plan.tokens)) : request
  const rooms = openRooms(parts, send, {
    actionsChanged: () => queue.notify('actions'),
    releasesChanged: () => queue.notify('releases'),
    eventsChanged: () => queue.notify('events'),
  })
  const bell = new EventBell()
  queue.subscribe((what) => {
    if (what === 'events') bell.ring()
    else (what === 'actions' ? dispatcher : monitor).nudge()
  })
  const dispatcher = createDispatcher(parts, rooms, stopping.signal)
  const monitor = createMonitor(parts, rooms)
  const studies = new StudyStore(database)
  const app = await createHttp({
    ...rooms,
    config,
    studies,
    studySource,
    events: new EventStore(database),
    bell,
    notes: new NoteStore(database, random),
    publications: new PublicationStore(database),
    search: new SearchStore(database),
    audit: new AuditStore(database),
    verifier: plan.verifier && createVerifier(plan.verifier),
    policy: createPolicy(plan.policy),
    legacyServices: plan.legacyServices,
    askTask: (task) => requestFor(rooms, task, { action: 'get_status', signal: stopping.signal }),
    monitor,
    ping: () => database.ping(),
    queueHealth: () => queue.health(),
    stopping: stopping.signal,
    random,
    registry: createMetrics({ ...rooms, ping: () => database.ping() }, queue),
    log,
  })
  const start = async () => {
    dispatcher.nudge()
    monitor.nudge()
    const synced = syncAtStart(parts, studies, stopping.signal)
    // A file is read at once; a Data Service may hang, and must not keep the process from hearing that it is to stop.
    if (config.dataserviceUrl === null) await synced
  }
  const stop = async () => {
    stopping.abort()
    await Promise.all([monitor.stop(), dispatcher.stop()])
  }
  return { app, execute: rooms.execute, start, stop }
}

function openRooms(
  { database, config, owner, random, log }: CoordinatorParts,
  send: typeof request,
  changed: Pick<ExecuteDependencies, 'actionsChanged' | 'releasesChanged' | 'eventsChanged'>,
): Rooms {
  const { requestTimeout, pollInterval: pollIntervalMs, privateAddresses } = config
  const releases = new ReleaseStore(database, { random, pollIntervalMs })
  return {
    releases,
    services: new TaskServiceStore(database, random),
    outbox: new ActionOutbox(database, { owner, claimMs: config.lease }),
    polls: new PollStore(database, { pollIntervalMs, claimMs: requestTimeout + POLL_MARGIN_MS }),
    client: createTaskServiceClient(requestTimeout, send, { privateAddresses, log }),
    execute: createExecute({ store: releases, policy: policyOf(config), log, ...changed }),
  }
}

/** One request to a task's service, with everything the body needs read now: a service may have moved. */
async function requestFor(
  { releases, services, client }: Rooms,
  { releaseId, taskId }: { releaseId: ReleaseId; taskId: TaskId },
  { action, signal }: { action: OutboxRow['action'] | 'get_status'; signal?: AbortSignal },
) {
  const release = await releases.get(releaseId)
  const task = release?.tasks.find((one) => one.id === taskId)
  const service = task && (await services.get(task.serviceId))
  if (!release || !service)
    throw new TransportError(`the task service of ${taskId} is not registered any more`, false, null)
  const studies = action === 'get_status' ? {} : { studies: release.studies }
  return client.act(service.url, { action, task_id: taskId, release_id: releaseId, ...studies }, signal)
}

/** @param stopping a request that hangs must not hold up the end of the process: whoever comes next asks first */
function createDispatcher(
  { random, log }: CoordinatorParts,
  rooms: Rooms,
  stopping: AbortSignal,
): Dispatcher {
  const { outbox, execute } = rooms
  return new Dispatcher({
    due: () => outbox.due(isGone),
    nextDelayMs: () => outbox.nextDelayMs(),
    claim: (row) => outbox.claim(row),
    giveBack: (row) => outbox.giveBack(row),
    renew: (row) => outbox.renew(row),
    renewMs: outbox.renewMs,
    stopping,
    isCurrent: (row) => outbox.isCurrent(row),
    again: (row, to) => outbox.again(row, to),
    remove: (row) => outbox.remove(row),
    request: (row, action) => requestFor(rooms, row, { action, signal: stopping }),
    tell: async ({ releaseId, taskId, action }, outcome) =>
      void (await execute(releaseId, { type: 'answer', taskId, action, outcome })),
    random,
    log,
  })
}

function createMonitor({ config, random, log }: CoordinatorParts, rooms: Rooms): Monitor {
  const { releases, services, polls, client, execute } = rooms
  return new Monitor({
    dueReleases: () => releases.due(),
    begin: async (id) => {
      const taskFor = (service: TaskService) => ({
        id: newId('TA', random),
        serviceId: service.id,
        down: isDown(service),
        deadlines: service.deadlines,
      })
      const begin = async (): Promise<Command> => ({
        type: 'begin',
        tasks: (await services.enabled()).map(taskFor),
      })
      await execute(id, begin)
    },
    tick: async (id) => void (await execute(id, { type: 'tick' })),
    claimPolls: (everybody) => polls.claim(everybody),
    ask: (poll, signal) => requestFor(rooms, poll, { action: 'get_status', signal }),
    tellPoll: async ({ releaseId, taskId, now }, word) =>
      void (await execute(releaseId, { type: 'poll', taskId, askedAt: now, ...word })),
    answered: (poll) => polls.answered(poll),
    missed: (poll) => polls.missed(poll),
    tellLost: async ({ releaseId, taskId, now }, reason) =>
      void (await execute(releaseId, { type: 'lost', taskId, askedAt: now, reason })),
    claimChecks: () => services.claimChecks(config.healthInterval),
    status: (service, signal) => client.status(service.url, signal),
    countHealth: (id, healthy, version) => services.countHealth(id, healthy, version),
    pollIntervalMs: config.pollInterval,
    log,
  })
}

/** A Data Service that is away is asked again; releases that are under way need no studies. */
async function syncAtStart(parts: CoordinatorParts, studies: StudyStore, stopping: AbortSignal) {
  const { studySource, log } = parts
  if (!studySource || stopping.aborted) return
  try {
    const { created, deleted } = await syncStudies(studies, studySource, false)
    log.info({ created, deleted }, 'studies read')
  } catch (error) {
    if (stopping.aborted) return
    log.warn({ err: error }, 'studies not read; asking again in 30 s')
    setTimeout(() => void syncAtStart(parts, studies, stopping), SYNC_AGAIN_MS).unref()
  }
}
