import { openDatabase, registerProcess } from '@release-task/database'
import { createLogger, listen } from '@release-task/http'
import type { CoordinatorConfig } from './config.ts'
import { createCoordinator } from './coordinator.ts'
import { studiesFromDataService, studiesFromFile, type StudySource } from './study-sync.ts'

const MIGRATIONS = new URL('../migrations/', import.meta.url)
const SAMPLES = new URL('../samples/studies.json', import.meta.url)

export interface Served {
  /** Where it listens, with the port that was really taken. */
  readonly url: string
  close(): Promise<void>
}

function sourceOf({ dataserviceUrl, studiesFile }: CoordinatorConfig): StudySource {
  return dataserviceUrl === null
    ? studiesFromFile(studiesFile ?? SAMPLES)
    : studiesFromDataService(dataserviceUrl)
}

/**
 * Runs a coordinator.
 * @throws DatabaseError, ListenError, CoordinatorError: each with one line for whoever started it
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
    const registration = await registerProcess(database, 'all')
    const parts = { database, config, studySource, owner: registration.owner, random: Math.random, log }
    const coordinator = await createCoordinator(parts)
    const address = await listen(coordinator.app, config).catch(async (error: unknown) => {
      await registration.release()
      throw error
    })
    await coordinator.start()
    log.info({ url: address, pid: process.pid, database: url }, 'coordinator listens')
    const close = async () => {
      await coordinator.stop()
      await coordinator.app.close()
      await registration.release()
      await database.close()
      log.info('coordinator stopped')
    }
    return { url: address, close }
  } catch (error) {
    await database.close()
    throw error
  }
}
