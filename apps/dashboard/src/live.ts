import { ApiError } from './api-error.ts'
import type { ReleaseEvent } from './api-types.ts'
import { backoffMs, type Connection } from './connection.ts'
import { SseParser, type SseEvent } from './sse.ts'

// The coordinator says something at least every 20 s (CR-43).
const SILENCE_MS = 25 * 1000
// A network that is cut says nothing: after this long without a word the coordinator is asked whether it is there.
const QUIET_MS = 8 * 1000
const OPEN_MS = 8 * 1000
const PROBE_MS = 4 * 1000
const POLL_MS = 5 * 1000

type Found = 'there' | 'refused' | 'nobody'

/** What the feed is made of; handed in, so that tests need no network. */
export interface LiveParts {
  /** Opens the stream after an event. */
  readonly open: (lastEventId: string | null, signal: AbortSignal) => Promise<Response>
  /** A small question, to learn whether the coordinator is there at all. */
  readonly probe: (signal: AbortSignal) => Promise<unknown>
  /** New events, oldest first. */
  readonly take: (events: readonly ReleaseEvent[]) => void
  /** Something may have been missed: look at everything again. */
  readonly resync: () => void
  readonly now?: () => number
  readonly random?: () => number
}

/** Reads the event stream for as long as the page is open, and always knows how well it hears. */
export class LiveFeed {
  readonly #parts: LiveParts
  readonly #listeners = new Set<() => void>()
  #state: Connection = { kind: 'connecting' }
  #lastEventId: string | null = null
  #heardAt: number
  #wake: () => void = () => {}
  #stream = new AbortController()
  #isStopped = false

  constructor(parts: LiveParts) {
    this.#parts = parts
    this.#heardAt = this.#now()
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): Connection => this.#state

  /** Goes on until it is stopped; never fails. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#isStopped;) {
      const isWell = await this.#read()
      if (this.#isStopped) return
      // A stream that ended by itself is opened again at once: the coordinator may only restart.
      failures = isWell ? 0 : failures + 1
      if (!isWell) await this.#look()
      await this.#pause(this.#waitMs(failures))
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#stream.abort()
    this.#wake()
  }

  /** Connects anew: another person is signed in, or the machine woke up. */
  restart(): void {
    this.#stream.abort()
    this.#wake()
  }

  /** A request of the page was not answered: finds out at once whether anybody is there. */
  async doubt(): Promise<void> {
    if (this.#state.kind !== 'live' && this.#state.kind !== 'polling') return
    const found = await this.#probe()
    if (found === 'there') {
      this.#heardAt = this.#now()
      return
    }
    this.#tell(found)
    this.restart()
  }

  /** After a sleep of the machine nobody knows whether the stream still stands. */
  awake(): void {
    if (this.#now() - this.#heardAt > SILENCE_MS || this.#state.kind === 'lost') this.restart()
  }

  #now(): number {
    return (this.#parts.now ?? Date.now)()
  }

  #waitMs(failures: number): number {
    const wait = backoffMs(failures, (this.#parts.random ?? Math.random)())
    return this.#state.kind === 'polling' ? Math.min(wait, POLL_MS) : wait
  }

  /** @returns whether the stream was heard, and ended without trouble */
  async #read(): Promise<boolean> {
    const stream = new AbortController()
    this.#stream = stream
    let isSilent = false
    let isHeard = false
    const watch = new Watchdog(OPEN_MS, () => {
      isSilent = true
      stream.abort()
    })
    const quiet = new Watchdog(QUIET_MS, () => {
      quiet.pat(QUIET_MS)
      void this.doubt()
    })
    try {
      const response = await this.#parts.open(this.#lastEventId, stream.signal)
      await this.#follow(response, () => {
        isHeard = true
        watch.pat(SILENCE_MS)
        quiet.pat(QUIET_MS)
      })
    } catch {
      // Whatever it was, the coordinator is asked next whether it is there.
    } finally {
      watch.stop()
      quiet.stop()
    }
    return isHeard && !isSilent
  }

  async #follow(response: Response, heard: () => void): Promise<void> {
    const parser = new SseParser(this.#lastEventId)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const piece = await reader?.read()
      if (!piece || piece.done) return
      heard()
      this.#heard('live')
      const events = parser.push(piece.value)
      this.#lastEventId = parser.lastEventId
      if (events.length > 0) this.#parts.take(events.flatMap(eventOf))
    }
  }

  /** The stream is not there: is anybody? */
  async #look(): Promise<void> {
    const found = await this.#probe()
    if (this.#isStopped) return
    this.#tell(found)
    if (found === 'there') this.#parts.resync()
  }

  #tell(found: Found): void {
    if (found === 'there') this.#heard('polling')
    else if (found === 'refused') this.#heard('refused')
    else this.#enter({ kind: 'lost', since: this.#heardAt })
  }

  async #probe(): Promise<Found> {
    try {
      await this.#parts.probe(AbortSignal.timeout(PROBE_MS))
      return 'there'
    } catch (error) {
      const isRefused = error instanceof ApiError && (error.status === 403 || error.status === 401)
      return isRefused ? 'refused' : 'nobody'
    }
  }

  #heard(kind: 'live' | 'polling' | 'refused'): void {
    this.#heardAt = this.#now()
    if (this.#state.kind === kind) return
    this.#enter({ kind, since: this.#heardAt })
    // What happened between is not all told by events: progress, health, notes.
    if (kind === 'live') this.#parts.resync()
  }

  #enter(state: Connection): void {
    if (this.#state.kind === state.kind) return
    this.#state = state
    for (const listener of this.#listeners) listener()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Calls for help when nobody patted it for a while. */
class Watchdog {
  readonly #bark: () => void
  #timer: ReturnType<typeof setTimeout>

  constructor(ms: number, bark: () => void) {
    this.#bark = bark
    this.#timer = setTimeout(bark, ms)
  }

  pat(ms: number): void {
    this.stop()
    this.#timer = setTimeout(this.#bark, ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** An event that cannot be read is passed over: the queries that it would have touched are read again anyhow. */
function eventOf({ data }: SseEvent): ReleaseEvent[] {
  try {
    return [JSON.parse(data) as ReleaseEvent]
  } catch {
    return []
  }
}
