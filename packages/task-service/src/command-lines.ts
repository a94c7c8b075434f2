import type { Readable } from 'node:stream'

/** A step or what was staged may have 256 Ki characters; what is longer than this is no line that anybody needs. */
const MOST_LINE_CHARS = 1024 * 1024 // 1 Mi characters

export interface Line {
  readonly text: string
  /** The rest of the line was not kept. */
  readonly cut: boolean
}

/**
 * The lines of a stream of UTF-8, without what a terminal or a database would stumble over. Never more than one line
 * and one chunk are kept, whatever is written; while a line is handled nothing more is read, so who writes waits.
 */
export async function* linesOf(stream: Readable, mostChars = MOST_LINE_CHARS): AsyncGenerator<Line> {
  let rest = ''
  let cut = false
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    const parts = chunk.split('\n')
    for (const [index, part] of parts.entries()) {
      const room = mostChars - rest.length
      cut ||= part.length > room
      rest += part.slice(0, room)
      if (index === parts.length - 1) break
      yield { text: cleaned(rest), cut }
      rest = ''
      cut = false
    }
  }
  if (rest !== '') yield { text: cleaned(rest), cut }
}

/** A progress bar writes over itself with `\r`: only what it showed last is told. */
function cleaned(text: string): string {
  const shown = text.replace(/\r+$/, '')
  return shown
    .slice(shown.lastIndexOf('\r') + 1)
    .replaceAll(CONTROL, '')
    .toWellFormed()
}

const CONTROL = /[^\P{Cc}\t]/gu
