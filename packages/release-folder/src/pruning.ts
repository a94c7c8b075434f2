import { join } from 'node:path'

import type { PublishContext } from '@release-task/task-service'

import type { FileSystem } from './file-system.ts'
import { readPublication } from './latest.ts'
import { isReleaseId, type Layout } from './layout.ts'
import { emptyTrashOfOthers, removeOther, underWay } from './other-releases.ts'
import type { Workplace } from './workplace.ts'

/** What is asked of the task that takes older releases away. */
export type Pruner = Pick<PublishContext, 'log' | 'assertCurrent' | 'releasesUnderWay'>

/**
 * Takes the oldest published releases away, so that KEEP_PUBLISHED of them stay. Never the own one, never one that a
 * task still works on, never the one that `latest` points at, and never the newest of those that are finished:
 * there `latest` must go if what is being published is taken back. What cannot be removed stays, and is told in
 * the log.
 */
export async function prunePublished(place: Workplace, task: Pruner, layout: Layout): Promise<void> {
  const keep = place.retention?.keepPublished ?? null
  if (keep !== null) await removeOldest(place.fs, task, layout, keep)
  await emptyTrashOfOthers(place.fs, task, layout)
}

async function removeOldest(fs: FileSystem, task: Pruner, layout: Layout, keep: number): Promise<void> {
  const published = await publishedReleases(fs, layout.allPublic)
  if (published.length <= keep) return
  const busy = await underWay(task, layout)
  if (busy === null) return
  const fallback = published.find((id) => !busy.has(id))
  const ended = published.slice(keep).filter((id) => !busy.has(id) && id !== fallback)
  for (const id of ended.toReversed()) {
    if (id === (await fs.linkTarget(layout.latest))) continue
    await task.assertCurrent()
    await removeOther(fs, task, layout, join(layout.allPublic, id))
  }
}

/** Folders that say of themselves that they are published, newest first. All else in there is not ours to judge. */
async function publishedReleases(fs: FileSystem, folder: string): Promise<string[]> {
  const found: { readonly id: string; readonly at: number }[] = []
  for (const id of (await fs.list(folder)).filter(isReleaseId)) {
    const publication = await readPublication(fs, join(folder, id))
    const at = Date.parse(publication?.published_at ?? '')
    if (publication?.release_id === id && !Number.isNaN(at)) found.push({ id, at })
  }
  // Of two at the same time `latest` takes the one that is last by name, so here it is the newer one, too.
  return found
    .toReversed()
    .toSorted((one, other) => other.at - one.at)
    .map(({ id }) => id)
}
