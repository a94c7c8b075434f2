import { join } from 'node:path'

import {
  type FileSystem,
  type Maker,
  type ManifestFile,
  readSubject,
  stageFolder,
  syncFolders,
  type Workplace,
  writeRows,
} from '@release-task/release-folder'
import {
  type Collection,
  COLLECTIONS,
  countRows,
  fileName,
  type Part,
  PartReader,
  type RowSource,
} from '@release-task/study-records'
import type { StageContext, StageResult } from '@release-task/task-service'

/** What the manifest says of a file of records. */
export interface RecordFile extends ManifestFile {
  readonly study: string
  readonly collection: Collection
}

/**
 * Writes one file per study and collection, and the manifest, into this attempt's own folder. All of it would
 * survive a power cut once this returns.
 */
export async function stageRelease(
  place: Workplace,
  task: StageContext,
  source: RowSource,
  maker: Maker,
): Promise<StageResult> {
  const subject = await readSubject(task)
  const ids = subject.studies.map((study) => study.kf_id)
  const reader = new PartReader(task, source, await countRows(task, ids, source))
  const write = (folder: string) => writeParts(place.fs, folder, reader)
  const { manifest, staged } = await stageFolder(place, task, subject, maker, write)
  return { summary: { ...manifest.totals, ...rowsByCollection(manifest.files) }, staged }
}

async function writeParts(fs: FileSystem, folder: string, reader: PartReader): Promise<RecordFile[]> {
  const files: RecordFile[] = []
  for (const study of new Set(reader.parts.map((part) => part.study))) {
    // Not with its parents: where a discard has taken the attempt's folder away, it must not come back.
    await fs.makeFolder(join(folder, study))
    const parts = reader.parts.filter((part) => part.study === study)
    for (const part of parts) files.push(await writePart(fs, folder, reader, part))
    await syncFolders(fs, join(folder, study))
  }
  return files
}

async function writePart(
  fs: FileSystem,
  folder: string,
  reader: PartReader,
  part: Part,
): Promise<RecordFile> {
  const { study, collection } = part
  const path = `${study}/${fileName(collection)}`
  const facts = await reader.read(part, (rows) => writeRows(fs, join(folder, path), rows))
  return { path, study, collection, ...facts }
}

/** For the summary. */
function rowsByCollection(files: readonly RecordFile[]): Record<string, number> {
  const rowsOf = (collection: Collection) =>
    files.filter((file) => file.collection === collection).reduce((rows, file) => rows + file.rows, 0)
  return Object.fromEntries(COLLECTIONS.map((collection) => [collection, rowsOf(collection)]))
}
