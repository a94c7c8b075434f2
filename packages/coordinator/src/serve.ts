import { isServer, openDatabase, redacted, registerProcess } from '@release-task/database'
import { createLogger, listen, type Logger } from '@release-task/http'
import { openQueue, type Queue } from '@release-task/queue'
import type { CoordinatorConfig } from './config.ts'
import { createCoordinator } from './coordinator.ts'
import { studiesFromDataService, studiesFromFile, type StudySource } from './study-sync.ts'

const MIGRATIONS = new URL('../migrations/', import.meta.url)
const SAMPLES = new URL('../samples/studies.json', import.meta.url)

export interface Served {
  /** Where it listens, with the port that was really taken. */
  readonly url: string
  /** Resolves where the process has lost its place to another one and must end. */
  readonly lost: Promise<unknown>
  close(): Promise<void>
}

function sourceOf({ dataserviceUrl, studiesFile }: CoordinatorConfig): StudySource {
  return dataserviceUrl === null
    ? studiesFromFile(studiesFile ?? SAMPLES)
    : studiesFromDataService(dataserviceUrl)
}

function openQueueOf({ queueUrl: url }: CoordinatorConfig, log: Logger): Promise<Queue> {
  return openQueue({
    url,
    name: 'release-coordinator',
    changed: (health, why) => log[health === 'ok' ? 'info' : 'warn']({ queue: health }, `queue: ${why}`),
  })
}

/**
 * Runs a coordinator.
 * @throws DatabaseError, QueueError, ListenError, CoordinatorError: each with one line for whoever started it
 */
export async function serve(config: CoordinatorConfig): Promise<Served> {
  const log = createLogger('coordinator', config.logLevel)
  const side = 'coordinator'
  const { databaseUrl: url, databaseSync: sync } = config
  const database = await openDatabase({ url, side, name: side, migrations: MIGRATIONS, sync })
  try {
    const studySource = sourceOf(config)
    // A file is either right or a mistake that must show at once; a Data Service may come later.
    if (config.dataserviceUrl === null) await studySource()
    const lost = Promise.withResolvers<unknown>()
    // Several instances may share a PostgreSQL: every piece of work is claimed there (RC-15).
    const role = isServer(url) ? 'api' : 'all'
    const registration = await registerProcess(database, role, {
      lost: lost.resolve,
      waits: (message) => log.warn(message),
    })
    const queue = await openQueueOf(config, log)
    const { owner } = registration
    const parts = { database, queue, config, studySource, owner, random: Math.random, log }
    const coordinator = await createCoordinator(parts)
    const address = await listen(coordinator.app, config).catch(async (error: unknown) => {
      await queue.close()
      await registration.release()
      throw error
    })
    await coordinator.start()
    log.info({ url: address, pid: process.pid, database: redacted(url) }, 'coordinator listens')
    const close = async () => {
      await coordinator.stop()
      await coordinator.app.close()
      await queue.close()
      // An entry that stays is taken for a dead process's after a while.
      await registration.release().catch((error: unknown) => log.warn({ err: error }, 'entry not removed'))
      await database.close()
      log.info('coordinator stopped')
    }
    return { url: address, lost: lost.promise, close }
  } catch (error) {
    await database.close()
    throw error
  }
}
