/** When something may happen again; handed in, so that tests have their own time. */
export interface Clock {
  now(): number
  after(ms: number, what: () => void): void
}

// What takes long is done less often: at most a third of the time is spent on it.
const SHARE = 3

interface Entry {
  isRunning: boolean
  isDirty: boolean
  isWaiting: boolean
  /** The earliest moment of the next run. */
  nextAt: number
}

/**
 * Runs something per key when the key is touched: at once, then at most once per spacing, never twice at a time, and
 * always once more after the last touch. So a storm of events makes few requests, and none makes the last one lost.
 */
export class Coalescer {
  readonly #entries = new Map<string, Entry>()
  readonly #run: (key: string) => Promise<unknown>
  readonly #spacingMs: number
  readonly #clock: Clock

  constructor(run: (key: string) => Promise<unknown>, spacingMs: number, clock: Clock) {
    this.#run = run
    this.#spacingMs = spacingMs
    this.#clock = clock
  }

  touch(key: string): void {
    const entry = this.#entries.get(key) ?? {
      isRunning: false,
      isDirty: false,
      isWaiting: false,
      nextAt: -Infinity,
    }
    this.#entries.set(key, entry)
    entry.isDirty = true
    this.#next(key, entry)
  }

  #next(key: string, entry: Entry): void {
    if (!entry.isDirty || entry.isRunning || entry.isWaiting) return
    const wait = entry.nextAt - this.#clock.now()
    if (wait <= 0) return void this.#start(key, entry)
    entry.isWaiting = true
    this.#clock.after(wait, () => {
      entry.isWaiting = false
      this.#next(key, entry)
    })
  }

  async #start(key: string, entry: Entry): Promise<void> {
    entry.isDirty = false
    entry.isRunning = true
    const startedAt = this.#clock.now()
    try {
      await this.#run(key)
    } catch {
      // Whoever runs it shows its failure; the next touch tries again.
    }
    const tookMs = this.#clock.now() - startedAt
    entry.nextAt = startedAt + Math.max(this.#spacingMs, SHARE * tookMs)
    entry.isRunning = false
    this.#next(key, entry)
  }
}
