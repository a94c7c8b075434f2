import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { authorized, checkAuthSettings, createTokenSource } from '@release-task/auth'
import { openDatabase, redacted, registerProcess, type Database } from '@release-task/database'
import { createLogger, listen, type App, type Logger } from '@release-task/http'
import { noQueue, openQueue, type Queue } from '@release-task/queue'
import type { TaskServiceConfig } from './config.ts'
import { createCoordinatorClient, type CoordinatorClient } from './coordinator-client.ts'
import type { TaskDefinition } from './define.ts'
import { createMarkerStore } from './release-dir-store.ts'
import { checkReleaseDir, releaseDirOf } from './release-dir.ts'
import { createTaskService, type TaskService } from './service.ts'

const MOST_ANSWER_MS = 5 * 1000 // 5 s
const MIGRATIONS = new URL('../migrations/', import.meta.url)

export interface Served {
  /** Where it listens, with the port that was really taken. */
  readonly url: string
  /** Resolves where the process has lost its place to another one and must end. */
  readonly lost: Promise<unknown>
  /** Stops gracefully (WK-10): work is told to stop, leases are given back, what is stored stays. */
  close(): Promise<void>
}

/**
 * Runs a task service, or one of the processes that together are one: `config.role` says which.
 * @throws DatabaseError, QueueError, ListenError, TaskServiceError: each with one line for whoever started it
 */
export async function serve(task: TaskDefinition, settings: TaskServiceConfig): Promise<Served> {
  const config = { ...settings, databaseUrl: settings.databaseUrl.replace('{task}', () => task.name) }
  const log = createLogger(task.name, config.logLevel)
  const database = await openDatabase({
    url: config.databaseUrl,
    side: 'task-service',
    name: task.name,
    migrations: MIGRATIONS,
    sync: config.databaseSync,
  })
  try {
    return await serveOn(database, { task, config, log })
  } catch (error) {
    await database.close()
    throw error
  }
}

interface Setup {
  readonly task: TaskDefinition
  readonly config: TaskServiceConfig
  readonly log: Logger
}

async function serveOn(database: Database, { task, config, log }: Setup): Promise<Served> {
  const { role } = config
  const lost = Promise.withResolvers<unknown>()
  const registration = await registerProcess(database, role, {
    lost: lost.resolve,
    waits: (message) => log.warn(message),
  })
  const undo: (() => Promise<void>)[] = [() => registration.release()]
  try {
    if (role !== 'api') await checkPlace(database, { task, config, log })
    const queue = await openQueueOf({ task, config, log })
    undo.unshift(() => queue.close())
    const coordinator = clientOf(config)
    const { owner } = registration
    const parts = { task, role, database, queue, coordinator, config, owner, log }
    const service = await createTaskService(parts)
    const url = await listen(service.app, config)
    service.start()
    log.info({ url, role, pid: process.pid, database: redacted(config.databaseUrl) }, 'task service listens')
    const close = async () => {
      try {
        await end(service, config)
        // An entry that stays is taken for a dead process's after a while.
        await registration.release().catch((error: unknown) => log.warn({ err: error }, 'entry not removed'))
        await service.giveBack()
      } finally {
        await database.close()
      }
      log.info({ role }, 'task service stopped')
    }
    return { url, lost: lost.promise, close }
  } catch (error) {
    for (const step of undo) await step().catch(() => undefined)
    throw error
  }
}

/** With this service's token, where the coordinator takes one. */
function clientOf(config: TaskServiceConfig): CoordinatorClient {
  const { tokens } = checkAuthSettings('task-service', config)
  if (!tokens) return createCoordinatorClient(config.coordinatorApi)
  const source = createTokenSource(tokens)
  return createCoordinatorClient(config.coordinatorApi, authorized(source), () => source.token())
}

async function openQueueOf({ task, config, log }: Setup): Promise<Queue> {
  const { queueUrl: url, role, sweepInterval } = config
  if (url === null && role !== 'all')
    log.warn(`QUEUE_URL is not set: workers look for work every ${sweepInterval} ms, nobody wakes them`)
  // Nobody would ever take from the queue of a process that does not work.
  if (url === null && role === 'api') return noQueue()
  return openQueue({
    url,
    name: `release-task-${task.name}`,
    changed: (health, why) => log[health === 'ok' ? 'info' : 'warn']({ queue: health }, `queue: ${why}`),
  })
}

/** Whether this process sees the release folder that all others see (WK-13). */
async function checkPlace(database: Database, { task, config, log }: Setup): Promise<void> {
  const dir = releaseDirOf(task)
  if (dir === null) return
  const verdict = await checkReleaseDir({
    dir,
    service: task.name,
    host: hostname(),
    store: createMarkerStore(database),
    newId: randomUUID,
    now: () => new Date(),
    adopt: config.role === 'all',
  })
  if (verdict === 'adopted')
    log.warn(
      { dir },
      'the release folder had no marker and has it now: was it moved, or is its disk not mounted?',
    )
}

async function end(service: TaskService, { shutdownGrace }: TaskServiceConfig): Promise<void> {
  await service.stop()
  await closeApp(service.app, shutdownGrace)
}

/** Answers what is under way; a caller that never finishes its request does not keep the service from ending. */
async function closeApp(app: App, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), Math.min(MOST_ANSWER_MS, graceMs))
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}
