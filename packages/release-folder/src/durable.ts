import { dirname } from 'node:path'

import type { FileSystem, OpenFile } from './file-system.ts'

/** Opens, lends the file to `work`, and closes it whatever happens. */
export async function withFile<T>(
  fs: FileSystem,
  path: string,
  flags: 'r' | 'w',
  work: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await fs.open(path, flags)
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

/** Writes a small text file that survives a power cut, once its folder is synced as well. */
export async function writeText(fs: FileSystem, path: string, text: string): Promise<void> {
  await withFile(fs, path, 'w', async (file) => {
    await file.write(Buffer.from(text))
    await file.sync()
  })
}

/** Reads a small text file. */
export async function readText(fs: FileSystem, path: string): Promise<string> {
  const parts: Buffer[] = []
  await withFile(fs, path, 'r', async (file) => {
    for (;;) {
      const buffer = Buffer.alloc(16 * 1024)
      const length = await file.read(buffer)
      if (length === 0) return
      parts.push(buffer.subarray(0, length))
    }
  })
  return Buffer.concat(parts).toString('utf8')
}

/** Makes the entries of these folders (what was created, renamed or removed in them) survive a power cut. */
export async function syncFolders(fs: FileSystem, ...paths: string[]): Promise<void> {
  for (const path of paths) await withFile(fs, path, 'r', (folder) => folder.sync())
}

/** Makes a folder with its parents, each of them durable. */
export async function makeFolders(fs: FileSystem, path: string): Promise<void> {
  const first = await fs.makeFolders(path)
  if (first === null) return
  for (let made = path; ; made = dirname(made)) {
    await syncFolders(fs, dirname(made))
    if (made === first) return
  }
}
