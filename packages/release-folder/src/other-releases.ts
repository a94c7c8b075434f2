import type { TaskContext } from '@release-task/task-service'

import { type FileSystem, isMissing } from './file-system.ts'
import type { Layout } from './layout.ts'
import { removeFolder, removeTree } from './removal.ts'

/** What is asked of the task that removes what other releases left. */
export type Remover = Pick<TaskContext, 'log' | 'releasesUnderWay'>

/**
 * The releases that a task still works on, the own one among them; null where that cannot be told, and then nothing
 * may be removed. Ask after looking at what is there: a release that was unknown before could be there by now.
 */
export async function underWay(task: Remover, layout: Layout): Promise<ReadonlySet<string> | null> {
  try {
    return new Set([...(await task.releasesUnderWay()), layout.releaseId])
  } catch (error) {
    task.log.warn('nothing of other releases is removed: cannot tell which are under way', { err: error })
    return null
  }
}

/**
 * Removes a folder of another release, whole or not at all for those who look. Where that fails it is told in the
 * log and tried again at the next occasion: one release must not fail over another.
 */
export async function removeOther(
  fs: FileSystem,
  task: Remover,
  layout: Layout,
  path: string,
): Promise<void> {
  try {
    await removeFolder(fs, path, layout.trashOfOthers)
    task.log.info(`removed ${path}`)
  } catch (error) {
    if (isMissing(error)) return // another worker was faster
    task.log.warn(`cannot remove ${path}`, { err: error })
  }
}

/** Also where nothing is to be removed: an earlier run may have ended between moving a folder and removing it. */
export async function emptyTrashOfOthers(fs: FileSystem, task: Remover, layout: Layout): Promise<void> {
  try {
    await removeTree(fs, layout.trashOfOthers)
  } catch (error) {
    task.log.warn(`cannot empty ${layout.trashOfOthers}`, { err: error })
  }
}
