export interface Seen {
  readonly id: number
  readonly event: any
}

/** A reader of server-sent events that a test can ask for the next one, and that resumes as browsers do. */
export class EventReader {
  readonly response: Response
  /** Where a browser would resume: the last id that was sent, with or without an event. */
  lastId = ''
  #body: AsyncIterator<Uint8Array> | null = null
  readonly #abort: AbortController
  readonly #seen: Seen[] = []
  /** Blocks that are no events. */
  readonly others: string[] = []
  #text = ''

  private constructor(response: Response, abort: AbortController) {
    this.response = response
    this.#abort = abort
  }

  static async open(url: string, lastId = ''): Promise<EventReader> {
    const abort = new AbortController()
    const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) }
    return new EventReader(await fetch(url, { headers, signal: abort.signal }), abort)
  }

  /** Open, and everything that is written from now on will be seen. */
  static async ready(url: string, lastId = ''): Promise<EventReader> {
    const reader = await EventReader.open(url, lastId)
    while (reader.lastId === '') await reader.#more()
    return reader
  }

  /** The next event; null where the stream has ended. */
  async next(): Promise<Seen | null> {
    while (this.#seen.length === 0) if (!(await this.#more())) return null
    return this.#seen.shift()!
  }

  async take(count: number): Promise<Seen[]> {
    const taken: Seen[] = []
    while (taken.length < count) {
      const seen = await this.next()
      if (!seen) throw new Error(`The stream ended after ${taken.length} of ${count} events`)
      taken.push(seen)
    }
    return taken
  }

  /** Goes away in the middle. */
  leave(): void {
    this.#abort.abort()
  }

  async #more(): Promise<boolean> {
    this.#body ??= this.response.body![Symbol.asyncIterator]()
    const { value, done } = await this.#body.next()
    if (done) return false
    this.#text += Buffer.from(value).toString()
    const blocks = this.#text.split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) this.#take(block)
    return true
  }

  #take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
    this.lastId = field('id') ?? this.lastId
    const data = field('data')
    if (data === undefined) this.others.push(block)
    else this.#seen.push({ id: Number(this.lastId), event: JSON.parse(data) })
  }
}
