import { openDatabase } from '@release-task/database'
import { createLogger } from '@release-task/http'
import { isId } from '@release-task/protocol'
import type { Release, Study } from '../author-types.ts'
import { readConfig } from '../config.ts'
import { defineTask, type TaskDefinition } from '../define.ts'
import type { Subject } from './actions.ts'
import { setEnvironment } from './environment.ts'
import { CoordinatorInProcess } from './fake-coordinator.ts'
import { Kit, type KitParts } from './kit.ts'
import type { World } from './life.ts'
import { Moments } from './moments.ts'
import type { TaskKit, TestOptions } from './task-kit.ts'

const MIGRATIONS = new URL('../../migrations/', import.meta.url)
const BEGINNING = new Date('2024-01-01T00:00:00Z')
const CREATED_AT = '2023-12-31T12:00:00+00:00'
const SETTINGS = { LOG_LEVEL: 'silent', MIN_FREE_SPACE: '0' }

/**
 * Starts a task service in this process, on a database in memory, for a test. Close it at the end of the test:
 * `await using kit = await testTask(task)`.
 * @throws TypeError where an option is wrong, SettingsError, TaskServiceError: what would keep the service from starting
 */
export async function testTask(task: TaskDefinition, options: TestOptions = {}): Promise<TaskKit> {
  const studies = studiesOf(options)
  const release = releaseOf(options, studies)
  const subject = subjectOf(release)
  const restore = setEnvironment(options.env ?? {})
  try {
    const parts = await openParts(defineTask(task), options, subject, { release, studies })
    const kit = new Kit({ ...parts, close: () => parts.close().finally(restore) })
    await kit.processes.begin().catch((error: unknown) => kit.close().then(() => Promise.reject(error)))
    return kit
  } catch (error) {
    restore()
    throw error
  }
}

interface Shown {
  readonly release: Release
  readonly studies: readonly Study[]
}

async function openParts(
  task: TaskDefinition,
  { env, random = () => 1, now = BEGINNING }: TestOptions,
  subject: Subject,
  { release, studies }: Shown,
): Promise<KitParts> {
  const config = readConfig({ ...SETTINGS, ...env })
  const clock = { now: now.getTime() }
  const database = await openDatabase({
    url: 'sqlite::memory:',
    side: 'task-service',
    name: task.name,
    migrations: MIGRATIONS,
    clock: () => clock.now,
  })
  const bell = createBell()
  const world: World = {
    database,
    config,
    coordinator: new CoordinatorInProcess({
      taskId: subject.taskId,
      release,
      studies: new Map(studies.map((study) => [study.kf_id, study])),
    }),
    moments: new Moments(),
    logged: [],
    random,
    changed: bell.ring,
    log: createLogger(task.name, config.logLevel),
  }
  return { task, world, subject, clock, change: bell.heard, close: () => database.close() }
}

/** Lets somebody wait for the next change. */
function createBell() {
  let next = Promise.withResolvers<void>()
  const ring = () => {
    next.resolve()
    next = Promise.withResolvers()
  }
  return { ring, heard: () => next.promise }
}

function studiesOf({ studies = ['SD_00000001'] }: TestOptions): Study[] {
  return studies.map((given) => {
    const fields = typeof given === 'string' ? { kf_id: given } : given
    if (!isId('SD', fields.kf_id)) throw new TypeError(`${fields.kf_id} is no study id: SD_ and 8 characters`)
    return { name: `Study ${fields.kf_id}`, visible: true, created_at: CREATED_AT, ...fields }
  })
}

function releaseOf({ release }: TestOptions, studies: readonly Study[]): Release {
  return {
    kf_id: 'RE_00000001',
    name: 'First release',
    description: '',
    state: 'running',
    studies: studies.map((study) => study.kf_id),
    version: '0.0.0',
    is_major: false,
    created_at: CREATED_AT,
    ...release,
  }
}

function subjectOf({ kf_id, studies }: Release): Subject {
  if (!isId('RE', kf_id)) throw new TypeError(`${kf_id} is no release id: RE_ and 8 characters`)
  return { taskId: 'TA_00000001', releaseId: kf_id, studies: studies.filter((id) => isId('SD', id)) }
}
