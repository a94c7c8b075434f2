import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'

import { makeFolders, syncFolders } from './durable.ts'
import type { FileSystem } from './file-system.ts'

/**
 * Removes a folder so that nobody ever sees half of it: it leaves its place in one move and is then removed
 * from the trash. A worker that was paused and still means to rename the folder finds it gone, not gutted.
 * Empties the trash also when there is nothing to move: an earlier run may have ended in the middle of that.
 */
export async function removeFolder(fs: FileSystem, path: string, trash: string): Promise<void> {
  if ((await fs.kindOf(path)) !== 'none') {
    await makeFolders(fs, trash)
    await fs.rename(path, join(trash, randomUUID()))
    await syncFolders(fs, dirname(path), trash)
  }
  await removeTree(fs, trash)
}

/** Removes what is there, however much is missing already; links are removed, never followed. */
export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  const kind = await fs.kindOf(path)
  if (kind === 'none') return
  if (kind !== 'folder') return await fs.removeFile(path)
  for (const name of await fs.list(path)) await removeTree(fs, join(path, name))
  await fs.removeFolder(path)
}
