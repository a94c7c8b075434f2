import { join } from 'node:path'

import type { Release, Study } from '@release-task/task-service'

import { readText } from './durable.ts'
import { factsOf, type FileFacts } from './facts.ts'
import type { FileSystem } from './file-system.ts'
import { MANIFEST } from './layout.ts'

/** One file of the release, as its readers check it; a task may say more of its files. */
export interface ManifestFile extends FileFacts {
  /** Relative to the manifest's folder. */
  readonly path: string
}

export interface Totals {
  readonly studies: number
  readonly files: number
  readonly rows: number
  readonly bytes: number
}

/** The release and its studies as the coordinator shows them. */
export interface Subject {
  readonly release: Release
  readonly studies: readonly Study[]
}

/** Which code makes the files. */
export interface Maker {
  readonly name: string
  readonly version: string
}

/** In which run of which task. */
export interface Run {
  readonly id: string
  readonly attempt: number
}

export interface Manifest<File extends ManifestFile = ManifestFile> {
  /**
   * `candidate_version` is the version as planned when the release was staged: the final number exists only
   * after every task of the release has published.
   */
  readonly release: { readonly kf_id: string; readonly name: string; readonly candidate_version: string }
  readonly studies: readonly { readonly kf_id: string; readonly name: string }[]
  readonly created_at: string
  readonly task: Maker & Run
  readonly files: readonly File[]
  readonly totals: Totals
}

/** Puts together what `manifest.json` says. */
export function describe<File extends ManifestFile>(
  { release, studies }: Subject,
  files: readonly File[],
  task: Maker & Run,
  now: Date,
): Manifest<File> {
  return {
    release: { kf_id: release.kf_id, name: release.name, candidate_version: release.version },
    studies: studies.map(({ kf_id, name }) => ({ kf_id, name })),
    created_at: now.toISOString(),
    task,
    files,
    totals: {
      studies: studies.length,
      files: files.length,
      rows: sum(files, 'rows'),
      bytes: sum(files, 'bytes'),
    },
  }
}

function sum(files: readonly ManifestFile[], field: 'rows' | 'bytes'): number {
  return files.reduce((total, file) => total + file[field], 0)
}

/** The manifest as text: indented, as people read it too. */
export function manifestText(manifest: Manifest): string {
  return JSON.stringify(manifest, null, 2) + '\n'
}

/**
 * Reads every file that the manifest of a folder names, and compares rows, bytes and checksum.
 * @throws Error that names the first file that differs, what was expected and what is there
 */
export async function verifyFiles(
  fs: FileSystem,
  folder: string,
  signal: AbortSignal,
  onProgress: (percent: number, path: string) => void,
): Promise<void> {
  const manifest = JSON.parse(await readText(fs, join(folder, MANIFEST))) as Manifest
  let done = 0
  for (const file of manifest.files) {
    const found = await factsOf(fs, join(folder, file.path), signal, (bytes) => {
      done += bytes
      onProgress(Math.min(100, Math.floor((100 * done) / manifest.totals.bytes)), file.path)
    })
    compare(join(folder, file.path), file, found)
  }
}

function compare(path: string, expected: FileFacts, found: FileFacts): void {
  for (const fact of ['bytes', 'rows', 'sha256'] as const) {
    if (expected[fact] !== found[fact])
      throw new Error(`Verifying ${path}: ${fact} should be ${expected[fact]} and is ${found[fact]}`)
  }
}
