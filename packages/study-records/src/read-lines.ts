import type { InputFiles } from './input-files.ts'

const CHUNK_BYTES = 64 * 1024
const MAX_LINE_BYTES = 16 * 1024 * 1024 // 16 MiB; a file without any line break must not fill the memory
const LINE_BREAK = 0x0a

/** Reads the lines of a file in batches; empty lines are left out, `\r\n` ends a line too. */
export async function* readLines(
  files: InputFiles,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  let rest = Buffer.alloc(0)
  for await (const chunk of readChunks(files, path, signal)) {
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

async function* readChunks(files: InputFiles, path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await files.open(path, 'r')
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
