import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes, count } from './text.ts'

interface ManifestFile {
  readonly path: string
  readonly rows?: number
  readonly bytes: number
  readonly sha256: string
}

/** What is public of a task, as it lies on disk now. */
export interface Published {
  readonly folder: string
  readonly words: string
}

/**
 * Looks at the public folder of a task and checks every file of its manifest against size and checksum.
 * null: the task keeps no such folder below the data folder.
 */
export async function checkPublished(data: string, task: string): Promise<Published | null> {
  const folder = join(data, task, 'release', 'public', 'latest')
  const manifestFile = join(folder, 'manifest.json')
  if (!existsSync(manifestFile)) return null
  const { files } = JSON.parse(await readFile(manifestFile, 'utf8')) as { files: ManifestFile[] }
  const wrong: string[] = []
  for (const file of files) if (!(await isWhole(folder, file))) wrong.push(file.path)
  const rows = files.reduce((sum, file) => sum + (file.rows ?? 0), 0)
  const size = files.reduce((sum, file) => sum + file.bytes, 0)
  const verdict = wrong.length === 0 ? 'checksums verified' : `CHECKSUMS WRONG: ${wrong.join(', ')}`
  const page = existsSync(join(folder, 'index.html')) ? join(folder, 'index.html') : folder
  return {
    folder: page,
    words: `${count(files.length)} files, ${count(rows)} rows, ${bytes(size)}, ${verdict}`,
  }
}

async function isWhole(folder: string, file: ManifestFile): Promise<boolean> {
  const path = join(folder, file.path)
  const size = await stat(path).then(
    (found) => found.size,
    () => -1,
  )
  return size === file.bytes && (await sha256(path)) === file.sha256
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
