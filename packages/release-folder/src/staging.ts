import { join } from 'node:path'

import type { StageContext, Study } from '@release-task/task-service'

import { makeFolders, syncFolders, writeText } from './durable.ts'
import type { FileSystem } from './file-system.ts'
import {
  attemptFolder,
  checkReleaseId,
  checkStudyId,
  type Layout,
  layoutOf,
  MANIFEST,
  stagedName,
} from './layout.ts'
import { removeLeftovers } from './leftovers.ts'
import {
  describe,
  type Maker,
  type Manifest,
  type ManifestFile,
  manifestText,
  type Subject,
} from './manifest.ts'
import { removeFolder } from './removal.ts'
import type { Workplace } from './workplace.ts'

/** What was staged: `staged` is for the task's record, so that publish and discard find the folder again. */
export interface StagedFolder<File extends ManifestFile> {
  readonly manifest: Manifest<File>
  readonly staged: { readonly folder: string }
}

/**
 * Asks the coordinator what the release is about. Writes nothing.
 * @throws InvalidId where the release or a study has an id that could not be part of a path
 */
export async function readSubject(task: StageContext): Promise<Subject> {
  checkReleaseId(task.releaseId)
  const ids = [...new Set(task.studies)]
  ids.forEach(checkStudyId)
  const release = await task.coordinator.release()
  // The ids are ours, whatever the answer calls the study.
  const studies = ids.map(async (id): Promise<Study> => ({
    ...(await task.coordinator.study(id)),
    kf_id: id,
  }))
  return { release, studies: await Promise.all(studies) }
}

/**
 * Removes what others left (KEEP_LEFTOVERS), lets `write` fill a folder of this attempt's own, and adds the manifest of the files that it wrote. `write` sees
 * to it that its files, and the folders that it makes, are synced: then all of it would survive a power cut once
 * this returns.
 */
export async function stageFolder<File extends ManifestFile>(
  place: Workplace,
  task: StageContext,
  subject: Subject,
  maker: Maker,
  write: (folder: string) => Promise<readonly File[]>,
): Promise<StagedFolder<File>> {
  const layout = layoutOf(place.root, task.releaseId)
  await removeLeftovers(place, task, layout)
  const folder = await newAttemptFolder(place.fs, layout, task.attempt)
  const files = await write(folder)
  const run = { ...maker, id: task.id, attempt: task.attempt }
  const manifest = describe(subject, files, run, place.now())
  await writeText(place.fs, join(folder, MANIFEST), manifestText(manifest))
  await syncFolders(place.fs, folder, layout.staging, layout.allStaging, layout.root)
  return { manifest, staged: { folder: stagedName(layout, task.attempt) } }
}

/**
 * An empty folder for this attempt. Earlier attempts have lost the task for good, so what they left is removed;
 * later ones are not touched: then it is this one that was paused and is too late.
 */
async function newAttemptFolder(fs: FileSystem, layout: Layout, attempt: number): Promise<string> {
  for (const name of await fs.list(layout.staging)) {
    if (/^[0-9]+$/.test(name) && Number(name) <= attempt)
      await removeFolder(fs, join(layout.staging, name), layout.trash)
  }
  const folder = attemptFolder(layout, attempt)
  await makeFolders(fs, folder)
  return folder
}
