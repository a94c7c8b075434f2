import { lstat, mkdir, open, readdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises'

/** An open file or folder; reads and writes go on from where the last one ended. */
export interface OpenFile {
  /** Fills the buffer from its start and tells how many bytes came; 0 at the end of the file. */
  read(buffer: Uint8Array): Promise<number>
  /** Writes all of the bytes, however many calls of the system that takes. */
  write(bytes: Uint8Array): Promise<void>
  /** Returns once the content (of a folder: its entries) would survive a power cut. */
  sync(): Promise<void>
  close(): Promise<void>
}

export type EntryKind = 'file' | 'folder' | 'link' | 'none'

/**
 * Everything that is asked of the file system, one call of the system per function. It is an argument
 * everywhere, so that a test can end the process before any of these calls.
 */
export interface FileSystem {
  /** `w` empties a file that exists. A folder can be opened with `r`, to sync it. */
  open(path: string, flags: 'r' | 'w'): Promise<OpenFile>
  /** What is there, links not followed. */
  kindOf(path: string): Promise<EntryKind>
  /** When its content (of a folder: its entries) was last changed, in epoch milliseconds; null: nothing is there. */
  changedAt(path: string): Promise<number | null>
  /** Names in the folder, sorted; none where there is no such folder. */
  list(path: string): Promise<string[]>
  /** One level: fails where the parent is missing or the folder exists. */
  makeFolder(path: string): Promise<void>
  /** With all its parents; gives the first one that was missing, or null. */
  makeFolders(path: string): Promise<string | null>
  rename(from: string, to: string): Promise<void>
  link(target: string, path: string): Promise<void>
  /** The target of a symbolic link, or null where there is nothing. */
  linkTarget(path: string): Promise<string | null>
  /** Removes a file or a link; nothing there is fine. */
  removeFile(path: string): Promise<void>
  /** Removes an empty folder; nothing there is fine. */
  removeFolder(path: string): Promise<void>
}

/** The real one. */
export const nodeFileSystem: FileSystem = {
  open: openFile,
  kindOf: (path) => orIfMissing(kindOf(path), 'none'),
  changedAt: async (path) => (await orIfMissing(lstat(path), null))?.mtimeMs ?? null,
  list: async (path) => (await orIfMissing(readdir(path), [])).toSorted(),
  makeFolder: async (path) => void (await mkdir(path)),
  makeFolders: async (path) => (await mkdir(path, { recursive: true })) ?? null,
  rename,
  link: symlink,
  linkTarget: (path) => orIfMissing(readlink(path), null),
  removeFile: (path) => orIfMissing(unlink(path), undefined),
  removeFolder: (path) => orIfMissing(rmdir(path), undefined),
}

async function openFile(path: string, flags: 'r' | 'w'): Promise<OpenFile> {
  const handle = await open(path, flags)
  return {
    read: async (buffer) => (await handle.read(buffer)).bytesRead,
    write: (bytes) => handle.writeFile(bytes), // `handle.write` may stop half-way, `writeFile` goes on
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

async function kindOf(path: string): Promise<EntryKind> {
  const found = await lstat(path)
  if (found.isSymbolicLink()) return 'link'
  return found.isDirectory() ? 'folder' : 'file'
}

async function orIfMissing<T, Otherwise>(work: Promise<T>, otherwise: Otherwise): Promise<T | Otherwise> {
  try {
    return await work
  } catch (error) {
    if (isMissing(error)) return otherwise
    throw error
  }
}

/** Whether the error says that a file or folder does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
