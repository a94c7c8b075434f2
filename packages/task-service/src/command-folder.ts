import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { longValues, type RunFacts } from './command-environment.ts'
import { attemptDirs, foldersIn, keepsRecord, RECORD_FILE } from './command-record.ts'
import type { TaskContext } from './define.ts'

/** Below the release folder, which every worker sees (WK-13): what `stage` leaves is there wherever `publish` runs. */
const ROOT = 'programs'

type Ids = Pick<TaskContext, 'id' | 'releaseId' | 'attempt'>

/**
 * Where programs work: `programs/<release>/<task>/<attempt>/`. In it `work/` is the program's own; beside it lies
 * what it was told, and while it runs, how its processes are found.
 */
export class ProgramFolders {
  readonly #root: string

  constructor(releaseDir: string) {
    this.#root = join(releaseDir, ROOT)
  }

  /** The folder of one attempt of a task. */
  attempt({ id, releaseId, attempt }: Ids): string {
    // An id may hold any character, also such as would lead elsewhere (ID-4).
    return join(this.#root, encodeURIComponent(releaseId), encodeURIComponent(id), String(attempt))
  }

  work(ids: Ids): string {
    return join(this.attempt(ids), 'work')
  }

  /** Makes the folder of an attempt, empty. */
  async create(ids: Ids): Promise<void> {
    await rm(this.attempt(ids), { recursive: true, force: true })
    await mkdir(this.work(ids), { recursive: true })
  }

  /** The file of a long value, by the name of its variable. */
  file(ids: Ids, name: string): string {
    return join(this.attempt(ids), `${name.toLowerCase()}.json`)
  }

  async writeLongValues(facts: RunFacts): Promise<void> {
    const values = Object.entries(longValues(facts))
    await Promise.all(values.map(([name, value]) => writeFile(this.file(facts.task, name), value)))
  }

  /** All folders of attempts, of every release. */
  all(): Promise<readonly string[]> {
    return attemptDirs(this.#root)
  }

  /** Removes the folder of an attempt, unless it still says how to find processes. */
  async remove(ids: Ids): Promise<void> {
    await removeUnlessKept(this.attempt(ids))
  }

  /** Removes what earlier attempts of the same task left, never what a later one has: this one may be late. */
  async removeEarlier(ids: Ids): Promise<void> {
    const dirs = await foldersIn(join(this.attempt(ids), '..'))
    await Promise.all(dirs.filter((dir) => Number(basename(dir)) < ids.attempt).map(removeUnlessKept))
  }

  /**
   * Removes the folders of releases that have ended: only then nobody runs `publish` or `discard` again.
   * @param underWay asked after the folders were looked at, not before
   */
  async removeEnded(underWay: () => Promise<readonly string[]>): Promise<void> {
    const found = await foldersIn(this.#root)
    if (found.length === 0) return
    const kept = (await underWay()).map((id) => join(this.#root, encodeURIComponent(id)))
    await Promise.all(found.filter((dir) => !kept.includes(dir)).map(removeRelease))
  }
}

/** Of a run whose processes may yet have to be found, only how to find them is kept: its files can be large. */
async function removeUnlessKept(dir: string): Promise<void> {
  if (!(await keepsRecord(dir))) return removeAll(dir)
  const names = await readdir(dir).catch(() => [])
  await Promise.all(names.filter((name) => name !== RECORD_FILE).map((name) => removeAll(join(dir, name))))
}

async function removeRelease(dir: string): Promise<void> {
  const attempts = (await Promise.all((await foldersIn(dir)).map(foldersIn))).flat()
  const kept = await Promise.all(attempts.map(keepsRecord))
  await Promise.all(attempts.map(removeUnlessKept))
  if (!kept.some(Boolean)) await removeAll(dir)
}

/** What cannot be removed, such as files of another user, stays: that must not be in the way of a release. */
function removeAll(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true }).catch(() => undefined)
}
