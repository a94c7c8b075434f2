import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { identityOf, isGone, isOnThisHost } from '@release-task/database'
import { endRun } from './command-group.ts'
import type { RunProcesses } from './command-processes.ts'

export const RECORD_FILE = 'run.json'

/**
 * One run of a program as it is kept on disk while it lives, so that whoever comes after a worker that was killed
 * finds its processes.
 */
export interface RunRecord extends RunProcesses {
  readonly taskId: string
  readonly attempt: number
  /** The process that began it; null where the system does not tell it from later ones with its pid. */
  readonly worker: string | null
}

/** A record for a run that this process is about to begin. */
export function newRecord(facts: Pick<RunRecord, 'taskId' | 'attempt' | 'mark'>): RunRecord {
  return { ...facts, worker: identityOf(process.pid), leader: null }
}

/** Whole or not at all, for whoever reads it meanwhile. A power cut may lose it: that ends the run as well. */
export async function writeRecord(dir: string, record: RunRecord): Promise<void> {
  const draft = join(dir, `${RECORD_FILE}.${record.mark}`)
  await writeFile(draft, JSON.stringify(record))
  await rename(draft, join(dir, RECORD_FILE))
}

export const removeRecord = (dir: string): Promise<void> => rm(join(dir, RECORD_FILE), { force: true })

/** Null where there is none, or none that is whole. */
export async function readRecord(dir: string): Promise<RunRecord | null> {
  try {
    return JSON.parse(await readFile(join(dir, RECORD_FILE), 'utf8')) as RunRecord
  } catch {
    return null
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Whether a record is still to be kept: so long the processes of a run on another host may yet be ended there. */
export async function keepsRecord(dir: string): Promise<boolean> {
  const found = await stat(join(dir, RECORD_FILE)).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs < DAY_MS
}

/** Who asks, and what it found of others. */
export interface Successor {
  readonly taskId: string
  readonly attempt: number
  readonly graceMs: number
  /** Told of an earlier run of the same task that this host does not see. */
  readonly elsewhere: (record: RunRecord) => void
}

/**
 * Ends what is left of earlier runs of the same task, and of runs of any task whose worker is gone. Resolves once
 * none of it lives on this host.
 * @throws TaskServiceError PROGRAM_STILL_RUNS
 */
export async function endEarlier(dirs: readonly string[], successor: Successor): Promise<void> {
  await Promise.all(dirs.map((dir) => endOne(dir, successor)))
}

async function endOne(dir: string, { taskId, attempt, graceMs, elsewhere }: Successor): Promise<void> {
  const record = await readRecord(dir)
  if (record === null) return
  const isEarlier = record.taskId === taskId && record.attempt < attempt
  const isOrphan = record.worker !== null && isGone(record.worker)
  if (!isEarlier && !isOrphan) return
  // Elsewhere a pid means another process; there, only the end of the lease stops it.
  if (record.worker !== null && !isOnThisHost(record.worker)) return elsewhere(record)
  await endRun({ run: record, began: false }, graceMs)
  await removeRecord(dir)
}

/** Folders two levels down: `<release>/<task>/<attempt>` below the root, wherever there are any. */
export async function attemptDirs(root: string): Promise<readonly string[]> {
  const below = async (dirs: readonly string[]) => (await Promise.all(dirs.map(foldersIn))).flat()
  return below(await below(await foldersIn(root)))
}

/** Paths of the folders in a folder; none where it is not there. */
export async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name))
}
