import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Database } from '@release-task/database'
import type { TaskServiceConfig } from '../config.ts'
import type { TaskDefinition } from '../define.ts'
import { checkFreeSpace } from '../free-space.ts'
import type { Work } from '../record.ts'
import { createMarkerStore } from '../release-dir-store.ts'
import { assertReleaseDir, checkReleaseDir, releaseDirOf } from '../release-dir.ts'

/** Marks the release folder at the start of a process, as the service does. @throws TaskServiceError */
export async function openPlace(task: TaskDefinition, database: Database): Promise<void> {
  const dir = releaseDirOf(task)
  if (dir === null) return
  await checkReleaseDir({
    ...viewOf(task, dir, database),
    newId: randomUUID,
    now: () => new Date(),
    adopt: true,
  })
}

/** Before each phase: the folder is still the service's own, and has room. @throws TaskServiceError */
export async function checkPlace(
  task: TaskDefinition,
  database: Database,
  work: Work,
  { minFreeSpace }: TaskServiceConfig,
): Promise<void> {
  const dir = releaseDirOf(task)
  if (dir === null) return
  await assertReleaseDir(viewOf(task, dir, database))
  if (work === 'stage') await checkFreeSpace({ dir, minBytes: minFreeSpace })
}

function viewOf(task: TaskDefinition, dir: string, database: Database) {
  return { dir, service: task.name, host: hostname(), store: createMarkerStore(database) }
}
