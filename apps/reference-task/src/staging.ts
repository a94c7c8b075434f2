import { join } from 'node:path'

import type { StageContext, StageResult, Study } from '@release-task/task-service'

import { makeFolders, syncFolders, writeText } from './durable.ts'
import type { FileSystem } from './file-system.ts'
import { attemptFolder, checkStudyId, type Layout, layoutOf, MANIFEST, stagedName } from './layout.ts'
import { describe, type ManifestFile, manifestText, rowsByCollection } from './manifest.ts'
import { type FileFacts, writeRows } from './ndjson.ts'
import { removeFolder } from './removal.ts'
import { RowProgress } from './row-progress.ts'
import { type Collection, COLLECTIONS, CountMismatch, type RowSource } from './source.ts'

/** What every phase works with besides its task. */
export interface Workplace {
  readonly fs: FileSystem
  /** RELEASE_DIR. */
  readonly root: string
  now(): Date
}

/** What the writing of one attempt needs throughout. */
interface Run {
  readonly fs: FileSystem
  readonly folder: string
  readonly task: StageContext
  readonly source: RowSource
  readonly progress: RowProgress
}

/** One file to write, and how many rows it will probably have. */
interface Part {
  readonly study: string
  readonly collection: Collection
  readonly expected: number
}

/**
 * Writes one file per study and collection, and the manifest, into this attempt's own folder. All of it would
 * survive a power cut once this returns.
 */
export async function stageRelease(
  place: Workplace,
  task: StageContext,
  source: RowSource,
  maker: { readonly name: string; readonly version: string },
): Promise<StageResult> {
  const layout = layoutOf(place.root, task.releaseId)
  const release = await task.coordinator.release()
  const studies = await readStudies(task)
  const parts = await countRows(task, studies, source)
  const folder = await newAttemptFolder(place.fs, layout, task.attempt)
  const expected = parts.reduce((rows, part) => rows + part.expected, 0)
  const run: Run = { fs: place.fs, folder, task, source, progress: new RowProgress(task, expected) }
  const files = await writeParts(run, parts)
  const by = { ...maker, id: task.id, attempt: task.attempt }
  const manifest = describe(release, studies, files, by, place.now())
  await writeText(place.fs, join(folder, MANIFEST), manifestText(manifest))
  await syncFolders(place.fs, folder, layout.staging, layout.allStaging, layout.root)
  return {
    summary: { ...manifest.totals, ...rowsByCollection(files) },
    staged: { folder: stagedName(layout, task.attempt) },
  }
}

/** The ids become parts of paths, so they are checked, and are ours, whatever the answer calls the study. */
async function readStudies(task: StageContext): Promise<Study[]> {
  const ids = [...new Set(task.studies)]
  ids.forEach(checkStudyId)
  return await Promise.all(ids.map(async (id) => ({ ...(await task.coordinator.study(id)), kf_id: id })))
}

/** Counts before anything is written: a source that lacks a study shows at once, not after an hour. */
async function countRows(task: StageContext, studies: readonly Study[], source: RowSource): Promise<Part[]> {
  const parts: Part[] = []
  for (const { kf_id: study } of studies) {
    for (const collection of COLLECTIONS) {
      task.progress(0, `${study} ${collection}: counting rows`)
      parts.push({ study, collection, expected: await source.count(study, collection, task.signal) })
    }
  }
  return parts
}

/**
 * An empty folder for this attempt. Earlier attempts have lost the task for good, so what they left is removed;
 * later ones are not touched: then it is this one that was paused and is too late.
 */
async function newAttemptFolder(fs: FileSystem, layout: Layout, attempt: number): Promise<string> {
  for (const name of await fs.list(layout.staging)) {
    if (/^[0-9]+$/.test(name) && Number(name) <= attempt)
      await removeFolder(fs, join(layout.staging, name), layout.trash)
  }
  const folder = attemptFolder(layout, attempt)
  await makeFolders(fs, folder)
  return folder
}

async function writeParts(run: Run, parts: readonly Part[]): Promise<ManifestFile[]> {
  const files: ManifestFile[] = []
  for (const study of new Set(parts.map((part) => part.study))) {
    const folder = join(run.folder, study)
    // Not with its parents: where a discard has taken the attempt's folder away, it must not come back.
    await run.fs.makeFolder(folder)
    for (const part of parts.filter((each) => each.study === study)) files.push(await writePart(run, part))
    await syncFolders(run.fs, folder)
  }
  return files
}

async function writePart(run: Run, part: Part): Promise<ManifestFile> {
  const { study, collection } = part
  const path = `${study}/${collection}.ndjson`
  return { path, study, collection, ...(await writeOnceMore(run, join(run.folder, path), part)) }
}

/** Where the source noticed that rows are missing, the file is written once more from the start. */
async function writeOnceMore(run: Run, path: string, part: Part): Promise<FileFacts> {
  try {
    return await writeFile(run, path, part)
  } catch (error) {
    if (!(error instanceof CountMismatch)) throw error
    run.task.log.warn(`${error.message}; reading once more`)
    return await writeFile(run, path, part)
  }
}

async function writeFile(run: Run, path: string, part: Part): Promise<FileFacts> {
  const { signal } = run.task
  const told = run.progress.file(part.study, part.collection, part.expected)
  const rows = run.source.rows(part.study, part.collection, signal)
  const facts = await writeRows(run.fs, path, untilAborted(rows, signal), told.add)
  told.done()
  return facts
}

/** Whatever the source is: between two batches a cancel is noticed. */
async function* untilAborted(rows: AsyncIterable<readonly string[]>, signal: AbortSignal) {
  for await (const batch of rows) {
    signal.throwIfAborted()
    yield batch
  }
}
