import { randomUUID } from 'node:crypto'
import { constants, copyFile, link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TaskServiceError } from './errors.ts'

export const MARKER_FILE = '.release-dir.json'

/** Says which folder this is: the same text lies in the folder and in the database. */
export interface Marker {
  readonly id: string
  /** The name of the task: two services in one folder would remove each other's files. */
  readonly service: string
  /** Where the folder was first used: for people who look for it. */
  readonly host: string
  readonly path: string
  /** ISO-8601 UTC. */
  readonly created_at: string
}

/**
 * The marker of a folder; null where there is none, or no folder.
 * @throws TaskServiceError RELEASE_DIR_UNUSABLE
 */
export async function readMarker(dir: string): Promise<Marker | null> {
  const path = join(dir, MARKER_FILE)
  try {
    return asMarker(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    if (error instanceof SyntaxError)
      throw unusable(`${path} is not whole; if that lasts, restore it from another copy`, error)
    throw unusable(`Cannot read ${path}`, error)
  }
}

function asMarker(value: Partial<Marker> | null): Marker {
  const { id, service, host, path, created_at } = value ?? {}
  if (![id, service, host, path, created_at].every((field) => typeof field === 'string'))
    throw new SyntaxError('not a marker')
  return value as Marker
}

/**
 * Puts a marker into a folder that has none, making the folder; both survive a power cut. Of several that do so at
 * once, also on several hosts, one wins: the marker that is there in the end is the answer to all of them.
 * @param linkFile makes a second name for a file, and fails where that name is taken
 * @throws TaskServiceError RELEASE_DIR_UNUSABLE
 */
export async function createMarker(dir: string, marker: Marker, linkFile = link): Promise<Marker> {
  try {
    await makeFolder(dir)
    const draft = join(dir, `${MARKER_FILE}.${randomUUID()}`)
    try {
      await writeSynced(draft, JSON.stringify(marker, null, 2) + '\n')
      await moveUnlessThere(draft, join(dir, MARKER_FILE), linkFile)
    } finally {
      await unlink(draft).catch(() => undefined) // left over, it harms nobody
    }
    await sync(dir)
  } catch (error) {
    throw unusable(`Cannot write ${join(dir, MARKER_FILE)}`, error)
  }
  const kept = await readMarker(dir)
  if (!kept) throw unusable(`${join(dir, MARKER_FILE)} is gone again`)
  return kept
}

const WITHOUT_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** A rename would replace what is there; a link does not, and shows the file whole. */
async function moveUnlessThere(draft: string, path: string, linkFile: typeof link): Promise<void> {
  try {
    await linkFile(draft, path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (!WITHOUT_LINKS.includes(code)) throw error
    await copyUnlessThere(draft, path)
  }
}

/** For network file systems without links. For a moment a reader may find the file not whole, and tries again. */
async function copyUnlessThere(draft: string, path: string): Promise<void> {
  try {
    await copyFile(draft, path, constants.COPYFILE_EXCL)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  await sync(path)
}

async function makeFolder(dir: string): Promise<void> {
  const first = await mkdir(dir, { recursive: true })
  if (first === undefined) return
  for (let made = dir; ; made = dirname(made)) {
    await sync(dirname(made))
    if (made === first) return
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx')
  await file.writeFile(text)
  await file.sync()
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r')
  await file.sync()
}

function unusable(what: string, error?: unknown): TaskServiceError {
  const why = error instanceof Error && !(error instanceof SyntaxError) ? `: ${error.message}` : ''
  return new TaskServiceError('RELEASE_DIR_UNUSABLE', `${what}${why}`, error)
}
