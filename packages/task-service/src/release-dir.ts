import { isAbsolute } from 'node:path'
import type { TaskDefinition } from './define.ts'
import { TaskServiceError } from './errors.ts'
import { createMarker, type Marker, MARKER_FILE, readMarker } from './release-dir-file.ts'

export type { Marker } from './release-dir-file.ts'

/** Where the service's one marker is kept, for all of its processes. */
export interface MarkerStore {
  read(): Promise<Marker | null>
  /** Keeps the first marker that anybody writes, for good. @returns the one that is kept */
  write(marker: Marker): Promise<Marker>
}

/** Who looks at which folder. */
export interface ReleaseDirView {
  /** Absolute. */
  readonly dir: string
  /** The name of the task. */
  readonly service: string
  readonly host: string
  readonly store: MarkerStore
}

export interface ReleaseDirCheck extends ReleaseDirView {
  readonly newId: () => string
  readonly now: () => Date
  /**
   * The folder may have been moved on purpose, because this process works alone: a folder without a marker is given
   * the service's own. It cannot tell a new folder from one whose disk is not mounted, so say it in the log.
   */
  readonly adopt: boolean
}

/** `adopted`: the folder had no marker although the service has one, and has it now. */
export type ReleaseDirVerdict = 'ours' | 'adopted'

/** The folder that a task names; null where it names none. @throws TypeError where it is not an absolute path */
export function releaseDirOf({ releaseDir }: Pick<TaskDefinition, 'releaseDir'>): string | null {
  if (releaseDir === undefined) return null
  const dir: unknown = typeof releaseDir === 'function' ? releaseDir() : releaseDir
  if (typeof dir !== 'string' || !isAbsolute(dir))
    throw new TypeError(`releaseDir must be an absolute path, and is ${JSON.stringify(dir)}`)
  return dir
}

/**
 * Makes sure that this worker sees the release folder that all others see, before it works there. The first worker
 * of a service marks the folder; of several that do so at once in different folders, all but one are refused.
 * Creates the folder only where the service has none yet, or where it is adopted.
 * @throws TaskServiceError RELEASE_DIR_DIFFERS, which names both folders and what to do
 * @throws TaskServiceError RELEASE_DIR_FOREIGN where the folder is another service's
 * @throws TaskServiceError RELEASE_DIR_UNUSABLE where the folder cannot be created, read or written
 */
export async function checkReleaseDir(check: ReleaseDirCheck): Promise<ReleaseDirVerdict> {
  const { dir, store } = check
  const known = await store.read()
  const found = refuseForeign(check, await readMarker(dir))
  if (known && !found && check.adopt) {
    sameOrThrow(check, known, await createMarker(dir, known))
    return 'adopted'
  }
  // The folder first: a crash after it leaves a marker that the next worker finds, and tells the database.
  const here = found ?? (known ? null : refuseForeign(check, await createMarker(dir, newMarker(check))))
  sameOrThrow(check, known ?? (here && (await store.write(here))), here)
  return 'ours'
}

/**
 * The same before what was staged is made public or taken back: creates nothing and adopts nothing. Where the
 * service has no marker yet there is nothing to compare with, and nothing is refused.
 * @throws TaskServiceError as `checkReleaseDir` does
 */
export async function assertReleaseDir(view: ReleaseDirView): Promise<void> {
  const known = await view.store.read()
  if (known) sameOrThrow(view, known, await readMarker(view.dir))
}

function newMarker({ dir, service, host, newId, now }: ReleaseDirCheck): Marker {
  return { id: newId(), service, host, path: dir, created_at: now().toISOString() }
}

/** Its marker must not get into our database: nothing would ever be refused again. */
function refuseForeign<Found extends Marker | null>({ dir, service }: ReleaseDirView, found: Found): Found {
  if (found === null || found.service === service) return found
  throw new TaskServiceError(
    'RELEASE_DIR_FOREIGN',
    `The folder ${dir} belongs to the task service "${found.service}", not to "${service}": give each a RELEASE_DIR of its own`,
  )
}

function sameOrThrow({ dir, host }: ReleaseDirView, known: Marker | null, found: Marker | null): void {
  if (known && known.id === found?.id) return
  const has = found ? `has the marker of ${found.path} on host ${found.host}` : `has no ${MARKER_FILE}`
  throw new TaskServiceError(
    'RELEASE_DIR_DIFFERS',
    `The folder ${dir} on host ${host} ${has}, and this service's release folder is ${known?.path} on host ${known?.host}: mount the same file system on both, or copy the folder with its ${MARKER_FILE}`,
  )
}
