import { join } from 'node:path'

import type { FileSystem } from './file-system.ts'
import { isReleaseId, type Layout } from './layout.ts'
import { emptyTrashOfOthers, removeOther, type Remover, underWay } from './other-releases.ts'
import type { Workplace } from './workplace.ts'

/**
 * Removes what other releases left in staging, where it is older than KEEP_LEFTOVERS and no task works on the
 * release: of services that were taken away in the middle, or of a database that was made anew. What cannot be
 * removed stays, and is told in the log.
 */
export async function removeLeftovers(place: Workplace, task: Remover, layout: Layout): Promise<void> {
  const { fs, retention } = place
  const keep = retention?.keepLeftovers ?? 0
  if (keep > 0) {
    const ids = (await fs.list(layout.allStaging)).filter((id) => isReleaseId(id) && id !== layout.releaseId)
    const busy = ids.length > 0 ? await underWay(task, layout) : null
    const ended = busy ? ids.filter((id) => !busy.has(id)) : []
    for (const path of ended.map((id) => join(layout.allStaging, id))) {
      // Right before it goes: a release that began in the meantime has just made a folder there.
      if ((await newestChange(fs, path)) < place.now().getTime() - keep)
        await removeOther(fs, task, layout, path)
    }
  }
  await emptyTrashOfOthers(fs, task, layout)
}

/** When the folder or that of an attempt was last changed; never, for what is no folder and so not ours. */
async function newestChange(fs: FileSystem, path: string): Promise<number> {
  if ((await fs.kindOf(path)) !== 'folder') return Infinity
  const paths = [path, ...(await fs.list(path)).map((name) => join(path, name))]
  const times = await Promise.all(paths.map(async (one) => (await fs.changedAt(one)) ?? -Infinity))
  return Math.max(...times)
}
