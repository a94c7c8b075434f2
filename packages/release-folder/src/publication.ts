import { join } from 'node:path'

import type { DiscardContext, PublishContext } from '@release-task/task-service'

import { makeFolders, syncFolders, writeText } from './durable.ts'
import type { FileSystem } from './file-system.ts'
import { pointLatestAtNewest, type Publication, publicationTime, readPublication } from './latest.ts'
import { type Layout, layoutOf, PUBLICATION, stagedFolder } from './layout.ts'
import { verifyFiles } from './manifest.ts'
import { emptyTrashOfOthers } from './other-releases.ts'
import { prunePublished } from './pruning.ts'
import { removeFolder } from './removal.ts'
import type { Workplace } from './workplace.ts'

/**
 * Makes the staged folder public in one rename, points `latest` at the newest release, then takes away what is too
 * many (KEEP_PUBLISHED). Each step looks at
 * what is there first, so it can be run again after it ended anywhere, also after it ended well.
 */
export async function publishRelease(place: Workplace, task: PublishContext): Promise<void> {
  const { fs } = place
  const layout = layoutOf(place.root, task.releaseId)
  if (!(await isPublished(fs, layout))) await makePublic(place, task, layout)
  await syncFolders(fs, layout.allPublic)
  await pointLatestAtNewest(fs, layout)
  await verify(fs, layout.published, task)
  await prunePublished(place, task, layout)
  await removeFolder(fs, layout.staging, layout.trash)
}

async function isPublished(fs: FileSystem, layout: Layout): Promise<boolean> {
  return (await readPublication(fs, layout.published))?.release_id === layout.releaseId
}

async function makePublic(place: Workplace, task: PublishContext, layout: Layout): Promise<void> {
  const { fs } = place
  const staged = stagedFolder(layout, task.staged)
  if ((await fs.kindOf(staged)) === 'none')
    throw new Error(
      `Publishing ${layout.releaseId}: ${staged} is gone, and ${layout.published} is not published`,
    )
  await verify(fs, staged, task) // a file that went bad on disk must be found before anyone can read it
  await makeFolders(fs, layout.allPublic)
  const at = await publicationTime(fs, layout, place.now())
  await writeText(fs, join(staged, PUBLICATION), publicationText(layout.releaseId, at, task.attempt))
  await syncFolders(fs, staged)
  // Between this check and the rename a paused worker may still lose the task. Whoever wins then works on the
  // same folder, which can be renamed only once; and a discard takes it away as a whole before all else.
  await task.assertCurrent()
  await fs.rename(staged, layout.published)
  await syncFolders(fs, layout.staging)
}

function publicationText(releaseId: string, now: Date, attempt: number): string {
  const publication: Publication = { release_id: releaseId, published_at: now.toISOString(), attempt }
  return JSON.stringify(publication, null, 2) + '\n'
}

async function verify(fs: FileSystem, folder: string, task: PublishContext): Promise<void> {
  await verifyFiles(fs, folder, task.signal, (percent, path) => task.progress(percent, `verifying ${path}`))
}

/**
 * Undoes a release that was canceled or failed. What is public is touched only from `publishing`, the one state
 * in which this task may have made it so.
 */
export async function discardRelease(place: Workplace, task: DiscardContext): Promise<void> {
  const layout = layoutOf(place.root, task.releaseId)
  await emptyTrashOfOthers(place.fs, task, layout)
  await removeFolder(place.fs, layout.staging, layout.trash)
  if (task.from === 'publishing') await withdraw(place.fs, layout)
}

/** `latest` leaves the release before the release goes: it never points at nothing. */
async function withdraw(fs: FileSystem, layout: Layout): Promise<void> {
  if ((await fs.kindOf(layout.allPublic)) === 'none') return
  await pointLatestAtNewest(fs, layout, layout.releaseId)
  await removeFolder(fs, layout.published, layout.trash)
  // Another worker may have looked just before the folder went, and have pointed the link at it again.
  await pointLatestAtNewest(fs, layout)
}
