import { lstat, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import type { InputFiles } from '../input-files.ts'

/** A folder of the test's own, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'study-records-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The real file system, as far as this package asks for it. */
export const inputFiles: InputFiles = {
  async open(path, flags) {
    const handle = await open(path, flags)
    return {
      read: async (buffer) => (await handle.read(buffer)).bytesRead,
      close: () => handle.close(),
    }
  },
  kindOf: (path) =>
    lstat(path).then(
      (found) => (found.isDirectory() ? 'folder' : 'file'),
      () => 'none',
    ),
}
