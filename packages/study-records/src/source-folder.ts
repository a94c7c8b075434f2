import { join } from 'node:path'

import type { InputFiles } from './input-files.ts'
import { readLines } from './read-lines.ts'
import { SourceProblem } from './source-problem.ts'
import { type Collection, COLLECTIONS, type RowSource } from './source.ts'

/** The file of one collection of one study in a source folder. */
export function sourceFile(folder: string, studyId: string, collection: Collection): string {
  return join(folder, studyId, fileName(collection))
}

/** The file of one collection inside the folder of its study. */
export function fileName(collection: Collection): string {
  return `${collection}.ndjson`
}

/** Rows from files: one folder a study, one file a collection, one record a line. */
export function readSourceFolder(files: InputFiles, folder: string): RowSource {
  return {
    async count(studyId, collection, signal) {
      await checkThere(files, folder, studyId, collection)
      let rows = 0
      const path = sourceFile(folder, studyId, collection)
      for await (const lines of readLines(files, path, signal)) rows += lines.length
      return rows
    },
    rows: (studyId, collection, signal) => records(files, sourceFile(folder, studyId, collection), signal),
  }
}

async function checkThere(
  files: InputFiles,
  folder: string,
  studyId: string,
  collection: Collection,
): Promise<void> {
  const study = join(folder, studyId)
  const path = sourceFile(folder, studyId, collection)
  if ((await files.kindOf(path)) !== 'none') return
  const missing = (await files.kindOf(study)) === 'none' ? `the folder ${study}` : path
  const expected = COLLECTIONS.map(fileName).join(', ')
  throw new SourceProblem(
    `Reading the rows of ${studyId}: ${missing} does not exist. Expected in ${study}: ${expected}. ` +
      'Put the files there, or set SOURCE_DIR or DATASERVICE_URL to where the rows are.',
  )
}

/** Passes the lines on as they are (parsing and writing again would round big numbers), once each is a record. */
async function* records(
  files: InputFiles,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  let rows = 0
  for await (const lines of readLines(files, path, signal)) {
    for (const line of lines) {
      rows++
      if (!isRecord(line)) throw new Error(`${path}: row ${rows} is not a JSON object with a "kf_id"`)
    }
    yield lines
  }
}

function isRecord(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line)
    return value !== null && typeof value === 'object' && 'kf_id' in value && typeof value.kf_id === 'string'
  } catch {
    return false
  }
}
