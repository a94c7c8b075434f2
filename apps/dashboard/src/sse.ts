/** One event of a stream that has data. */
export interface SseEvent {
  readonly id: string | null
  readonly data: string
}

/** Reads server-sent events from pieces of text that may end anywhere. Pure but for what it remembers. */
export class SseParser {
  /** From where a reader resumes; a block with an id and no data moves it too. */
  lastEventId: string | null
  #rest = ''
  #data: string[] = []

  constructor(lastEventId: string | null = null) {
    this.lastEventId = lastEventId
  }

  /** @returns the events that are complete now */
  push(text: string): SseEvent[] {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.#take(line.replace(/\r$/, '')))
  }

  #take(line: string): SseEvent[] {
    if (line === '') return this.#end()
    const { field, value } = fieldOf(line)
    if (field === 'data') this.#data.push(value)
    if (field === 'id' && !value.includes('\0')) this.lastEventId = value
    return []
  }

  #end(): SseEvent[] {
    const data = this.#data
    this.#data = []
    return data.length > 0 ? [{ id: this.lastEventId, data: data.join('\n') }] : []
  }
}

function fieldOf(line: string): { field: string; value: string } {
  const at = line.indexOf(':')
  if (at < 0) return { field: line, value: '' }
  const value = line.slice(at + 1)
  return { field: line.slice(0, at), value: value.startsWith(' ') ? value.slice(1) : value }
}
