import { createHash } from 'node:crypto'

import { withFile, writeText } from './durable.ts'
import type { FileSystem } from './file-system.ts'

const CHUNK_BYTES = 64 * 1024
const LINE_BREAK = 0x0a

/** What can be said about a file without keeping it. */
export interface FileFacts {
  /** Line breaks: in a file of rows, the rows. */
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/** Gathers the facts of bytes that pass by. */
export class FactCount {
  readonly #hash = createHash('sha256')
  #rows = 0
  #bytes = 0

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#bytes += bytes.length
    for (let at = bytes.indexOf(LINE_BREAK); at >= 0; at = bytes.indexOf(LINE_BREAK, at + 1)) this.#rows++
  }

  /** Call it once, at the end. */
  facts(): FileFacts {
    return { rows: this.#rows, bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }
}

/** Writes a file that was made in memory, synced to disk. */
export async function writeTextFile(fs: FileSystem, path: string, text: string): Promise<FileFacts> {
  const count = new FactCount()
  count.add(Buffer.from(text))
  await writeText(fs, path, text)
  return count.facts()
}

/** Reads a file again and says what is really there; `onBytes` tells how far it came. */
export async function factsOf(
  fs: FileSystem,
  path: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<FileFacts> {
  const count = new FactCount()
  await withFile(fs, path, 'r', async (file) => {
    for (;;) {
      signal.throwIfAborted()
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
      const length = await file.read(buffer)
      if (length === 0) return
      count.add(buffer.subarray(0, length))
      onBytes(length)
    }
  })
  return count.facts()
}
