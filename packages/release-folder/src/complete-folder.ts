import { basename, dirname, join } from 'node:path'

import type { StageContext } from '@release-task/task-service'

import { makeFolders, syncFolders } from './durable.ts'
import type { FileSystem } from './file-system.ts'
import { type Batches, writeRows } from './ndjson.ts'
import { removeTree } from './removal.ts'

/** A folder with files of rows, inside the one that is made. */
export interface RowFolder {
  readonly name: string
  readonly files: Iterable<RowFile>
}

export interface RowFile {
  readonly name: string
  readonly batches: Batches
}

/** What is asked of the task that makes the folder: drafts are named after its attempt. */
export type Caller = Pick<StageContext, 'id' | 'attempt' | 'signal'>

/**
 * Makes a folder that several tasks, also in several processes, may want at the same moment, unless it is there.
 * It appears in one move, complete: of two that make it one wins, and what a crash left half-done is removed by
 * the next task that comes here.
 */
export async function writeFolderOnce(
  fs: FileSystem,
  folder: string,
  content: Iterable<RowFolder>,
  task: Caller,
): Promise<void> {
  if ((await fs.kindOf(folder)) === 'none') await writeUnlessThere(fs, folder, content, task)
  await removeDrafts(fs, folder)
}

async function writeUnlessThere(
  fs: FileSystem,
  folder: string,
  content: Iterable<RowFolder>,
  task: Caller,
): Promise<void> {
  const draft = `${folder}.${task.id}-${task.attempt}.draft`
  try {
    await write(fs, draft, content, task.signal)
    await fs.rename(draft, folder)
  } catch (error) {
    // Another task was first, and perhaps has removed our draft already: what we wanted is there.
    if (task.signal.aborted || (await fs.kindOf(folder)) === 'none') throw error
  }
  await syncFolders(fs, dirname(folder))
}

async function write(
  fs: FileSystem,
  draft: string,
  content: Iterable<RowFolder>,
  signal: AbortSignal,
): Promise<void> {
  await makeFolders(fs, draft)
  for (const { name, files } of content) {
    await fs.makeFolder(join(draft, name))
    for (const file of files) {
      await writeRows(fs, join(draft, name, file.name), untilAborted(file.batches, signal))
    }
    await syncFolders(fs, join(draft, name))
  }
  await syncFolders(fs, draft)
}

async function* untilAborted(batches: Batches, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  for await (const batch of batches) {
    signal.throwIfAborted()
    yield batch
  }
}

/** Once the folder is there, nobody needs a draft any more: whoever still writes one notices, and goes on. */
async function removeDrafts(fs: FileSystem, folder: string): Promise<void> {
  const drafts = (await fs.list(dirname(folder))).filter(
    (name) => name.startsWith(`${basename(folder)}.`) && name.endsWith('.draft'),
  )
  for (const name of drafts) {
    // Somebody may be writing into it right now, so that it does not get empty: the next task tries again.
    await removeTree(fs, join(dirname(folder), name)).catch(() => {})
  }
}
