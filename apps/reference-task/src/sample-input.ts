import { basename, dirname, join } from 'node:path'

import type { StageContext } from '@release-task/task-service'

import { makeFolders, syncFolders } from './durable.ts'
import type { FileSystem } from './file-system.ts'
import { type Batches, writeRows } from './ndjson.ts'
import { removeTree } from './removal.ts'
import { SAMPLE_STUDIES, type SampleStudy, sampleRows } from './sample.ts'
import { sourceFile } from './source-folder.ts'
import { COLLECTIONS } from './source.ts'

const BATCH_ROWS = 500

/** What the generation needs of the task that runs it. */
export type Caller = Pick<StageContext, 'id' | 'attempt' | 'signal' | 'progress'>

/**
 * Generates the sample input where it does not exist yet. It appears in one move, complete: of two tasks that
 * generate it at once one wins, and what a crash left half-done is removed by the next task that comes here.
 */
export async function ensureSampleInput(
  fs: FileSystem,
  folder: string,
  task: Caller,
  studies: readonly SampleStudy[] = SAMPLE_STUDIES,
): Promise<void> {
  if ((await fs.kindOf(folder)) === 'none') await generateUnlessThere(fs, folder, task, studies)
  await removeDrafts(fs, folder)
}

async function generateUnlessThere(
  fs: FileSystem,
  folder: string,
  task: Caller,
  studies: readonly SampleStudy[],
): Promise<void> {
  const draft = `${folder}.${task.id}-${task.attempt}.draft`
  try {
    await generate(fs, draft, task, studies)
    await fs.rename(draft, folder)
  } catch (error) {
    // Another task was first, and perhaps has removed our draft already: what we wanted is there.
    if (task.signal.aborted || (await fs.kindOf(folder)) === 'none') throw error
  }
  await syncFolders(fs, dirname(folder))
}

async function generate(
  fs: FileSystem,
  draft: string,
  task: Caller,
  studies: readonly SampleStudy[],
): Promise<void> {
  await makeFolders(fs, draft)
  for (const study of studies) {
    await fs.makeFolder(join(draft, study.id))
    for (const collection of COLLECTIONS) {
      task.progress(0, `generating the sample input: ${study.id} ${collection}`)
      const batches = inBatches(sampleRows(study, collection), task.signal)
      await writeRows(fs, sourceFile(draft, study.id, collection), batches, () => {})
    }
    await syncFolders(fs, join(draft, study.id))
  }
  await syncFolders(fs, draft)
}

function* inBatches(rows: Iterable<object>, signal: AbortSignal): Batches & Generator<string[]> {
  let batch: string[] = []
  for (const row of rows) {
    if (batch.push(JSON.stringify(row)) < BATCH_ROWS) continue
    signal.throwIfAborted()
    yield batch
    batch = []
  }
  yield batch
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
