import { openDatabase, registerProcess } from '@release-task/database'
import { createLogger, listen, type App } from '@release-task/http'
import { openQueue } from '@release-task/queue'
import type { TaskServiceConfig } from './config.ts'
import { createCoordinatorClient } from './coordinator-client.ts'
import type { TaskDefinition } from './define.ts'
import { createTaskService } from './service.ts'

const MOST_ANSWER_MS = 5 * 1000 // 5 s
const MIGRATIONS = new URL('../migrations/', import.meta.url)

export interface Served {
  /** Where it listens, with the port that was really taken. */
  readonly url: string
  /** Stops gracefully (WK-10): work is told to stop, leases are given back, what is stored stays. */
  close(): Promise<void>
}

/**
 * Runs a task service in role all: API and worker in this process.
 * @throws DatabaseError, ListenError: each with one line for whoever started it
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
    const registration = await registerProcess(database, 'all')
    const queue = openQueue()
    const coordinator = createCoordinatorClient(config.coordinatorApi)
    const service = await createTaskService({
      exclusive: true,
      task,
      database,
      queue,
      coordinator,
      config,
      owner: registration.owner,
      log,
    })
    const url = await listen(service.app, config).catch(async (error: unknown) => {
      await registration.release()
      throw error
    })
    service.start()
    log.info({ url, pid: process.pid, database: config.databaseUrl }, 'task service listens')
    const close = async () => {
      try {
        await service.stop()
        await closeApp(service.app, config.shutdownGrace)
        await registration.release()
      } finally {
        await database.close()
      }
      log.info('task service stopped')
    }
    return { url, close }
  } catch (error) {
    await database.close()
    throw error
  }
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
