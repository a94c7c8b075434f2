import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { formatBytes, roughBytes } from '@release-task/settings'
import { TaskServiceError } from './errors.ts'

/** What is asked of a file system; `frsize` is the unit of the counts where it differs from `bsize`. */
export interface FileSystemFacts {
  readonly blocks: number
  readonly bavail: number
  readonly bsize: number
  readonly frsize?: number
}

export interface FreeSpaceCheck {
  /** Absolute. It need not exist yet: then the nearest folder above it is asked. */
  readonly dir: string
  /** MIN_FREE_SPACE; 0: no check. */
  readonly minBytes: number
  readonly statfs?: (path: string) => Promise<FileSystemFacts>
}

/**
 * Makes sure that there is room before work begins, because a full disk in the middle of it also stops others.
 * @throws TaskServiceError FREE_SPACE_LOW, which is worth another try: space comes back
 */
export async function checkFreeSpace(check: FreeSpaceCheck): Promise<void> {
  const { dir, minBytes } = check
  if (minBytes === 0) return
  const { blocks, bavail, bsize, frsize } = await nearest(dir, check.statfs ?? statfs)
  if (blocks === 0) return // some network file systems do not tell
  const free = bavail * (frsize ?? bsize)
  if (free < minBytes)
    throw new TaskServiceError(
      'FREE_SPACE_LOW',
      `Only ${roughBytes(free)} are free where ${dir} is, and MIN_FREE_SPACE asks for ${formatBytes(minBytes)}: make room there, or lower MIN_FREE_SPACE`,
    )
}

async function nearest(
  path: string,
  ask: (path: string) => Promise<FileSystemFacts>,
): Promise<FileSystemFacts> {
  try {
    return await ask(path)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing && dirname(path) !== path) return await nearest(dirname(path), ask)
    const why = error instanceof Error ? error.message : String(error)
    throw new TaskServiceError('RELEASE_DIR_UNUSABLE', `Cannot tell what is free in ${path}: ${why}`, error)
  }
}
