import type { StageContext } from '@release-task/task-service'

import { SAMPLE_STUDIES, type SampleStudy, sampleRows } from './sample.ts'
import { fileName } from './source-folder.ts'
import { COLLECTIONS } from './source.ts'

const BATCH_ROWS = 500

/** What the generation needs of the task that runs it. */
export type Caller = Pick<StageContext, 'id' | 'attempt' | 'signal' | 'progress'>

/** A study's folder with its files, whose rows come while they are written. */
export interface SampleFolder {
  readonly name: string
  readonly files: Iterable<SampleFile>
}

export interface SampleFile {
  readonly name: string
  readonly batches: Iterable<readonly string[]>
}

/**
 * Writes a folder that appears complete, or not at all, and leaves it alone where it is there already: tasks in
 * several processes may come for it at the same moment.
 */
export type WriteFolderOnce<Files> = (
  files: Files,
  folder: string,
  content: Iterable<SampleFolder>,
  task: Caller,
) => Promise<void>

/** The sample input, generated while it is read; progress names the file that is generated. */
export function* sampleFolders(
  task: Caller,
  studies: readonly SampleStudy[] = SAMPLE_STUDIES,
): Generator<SampleFolder> {
  for (const study of studies) yield { name: study.id, files: sampleFiles(study, task) }
}

function* sampleFiles(study: SampleStudy, task: Caller): Generator<SampleFile> {
  for (const collection of COLLECTIONS) {
    task.progress(0, `generating the sample input: ${study.id} ${collection}`)
    yield { name: fileName(collection), batches: inBatches(sampleRows(study, collection)) }
  }
}

function* inBatches(rows: Iterable<object>): Generator<string[]> {
  let batch: string[] = []
  for (const row of rows) {
    if (batch.push(JSON.stringify(row)) < BATCH_ROWS) continue
    yield batch
    batch = []
  }
  yield batch
}
