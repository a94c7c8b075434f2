import { createHash } from 'node:crypto'

import { withFile } from './durable.ts'
import type { FileSystem } from './file-system.ts'

const CHUNK_BYTES = 64 * 1024
const MAX_LINE_BYTES = 16 * 1024 * 1024 // 16 MiB; a file without any line break must not fill the memory
const LINE_BREAK = 0x0a

/** What can be said about a file of rows without keeping it. */
export interface FileFacts {
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

export type Batches = AsyncIterable<readonly string[]> | Iterable<readonly string[]>

/**
 * Writes one row a line, synced to disk. The next batch is asked for only when the last one is written, so
 * no more than one is in memory; each write also lets other work of the process have its turn.
 */
export async function writeRows(
  fs: FileSystem,
  path: string,
  batches: Batches,
  onRows: (rows: number) => void,
): Promise<FileFacts> {
  const hash = createHash('sha256')
  let [rows, bytes] = [0, 0]
  await withFile(fs, path, 'w', async (file) => {
    for await (const batch of batches) {
      if (batch.length === 0) continue
      const text = Buffer.from(batch.join('\n') + '\n')
      await file.write(text)
      hash.update(text)
      rows += batch.length
      bytes += text.length
      onRows(batch.length)
    }
    await file.sync()
  })
  return { rows, bytes, sha256: hash.digest('hex') }
}

/** Reads the lines of a file in batches; empty lines are left out, `\r\n` ends a line too. */
export async function* readLines(
  fs: FileSystem,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  let rest = Buffer.alloc(0)
  for await (const chunk of readChunks(fs, path, signal)) {
    const text = Buffer.concat([rest, chunk])
    const end = text.lastIndexOf(LINE_BREAK) + 1
    rest = text.subarray(end)
    if (rest.length > MAX_LINE_BYTES)
      throw new Error(`${path} has a line of more than ${MAX_LINE_BYTES} bytes`)
    if (end > 0) yield linesOf(path, text.subarray(0, end))
  }
  if (rest.length > 0) yield linesOf(path, rest)
}

function linesOf(path: string, bytes: Uint8Array): string[] {
  return decode(path, bytes)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) // not fatal, it would put U+FFFD for broken bytes
  } catch (cause) {
    throw new Error(`${path} is not UTF-8 text`, { cause })
  }
}

/** Reads a file again and says what is really there; `onBytes` tells how far it came. */
export async function factsOf(
  fs: FileSystem,
  path: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<FileFacts> {
  const hash = createHash('sha256')
  let [rows, bytes] = [0, 0]
  for await (const chunk of readChunks(fs, path, signal)) {
    hash.update(chunk)
    bytes += chunk.length
    for (let at = chunk.indexOf(LINE_BREAK); at >= 0; at = chunk.indexOf(LINE_BREAK, at + 1)) rows++
    onBytes(chunk.length)
  }
  return { rows, bytes, sha256: hash.digest('hex') }
}

async function* readChunks(fs: FileSystem, path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await fs.open(path, 'r')
  try {
    for (;;) {
      signal.throwIfAborted()
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
      const length = await file.read(buffer)
      if (length === 0) return
      yield buffer.subarray(0, length)
    }
  } finally {
    await file.close()
  }
}
