/** What the loop is given: rows of an outbox, each with a key under which only one is handled at a time. */
export interface DueLoopOptions<Row> {
  /** Rows whose time has come, the oldest first. */
  readonly due: () => Promise<readonly Row[]>
  /** Milliseconds until the next row is due; null where there is none. */
  readonly nextDelayMs: () => Promise<number | null>
  readonly key: (row: Row) => string
  readonly handle: (row: Row) => Promise<void>
  readonly concurrency: number
  /** How long to sleep at the most: other processes write to the same table. */
  readonly idleMs: number
  readonly failed: (error: unknown, key: string | null) => void
}

const HELD_MS = 100

/**
 * Handles rows when they are due. It remembers nothing but what is being handled: everything else is in the
 * database, so whatever ends this process, the next one goes on.
 */
export class DueLoop<Row> {
  readonly #options: DueLoopOptions<Row>
  readonly #busy = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #lookAgain = false
  #stopped = false
  #idle: (() => void) | null = null

  constructor(options: DueLoopOptions<Row>) {
    this.#options = options
  }

  /** Something may have become due. */
  nudge(): void {
    if (this.#stopped) return
    if (this.#looking) this.#lookAgain = true
    else void this.#look()
  }

  /** Begins nothing more; resolves when nothing is being handled. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#busy.size > 0 || this.#looking) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  async #look(): Promise<void> {
    this.#looking = true
    if (this.#timer) clearTimeout(this.#timer)
    try {
      do {
        this.#lookAgain = false
        for (const row of await this.#options.due()) this.#begin(row)
      } while (this.#lookAgain && !this.#stopped)
      const next = await this.#options.nextDelayMs()
      // What is due and was not begun is busy here, whose end wakes us, or held elsewhere, or came this very moment.
      this.#sleep(next === null ? this.#options.idleMs : Math.min(next || HELD_MS, this.#options.idleMs))
    } catch (error) {
      this.#options.failed(error, null)
      this.#sleep(this.#options.idleMs)
    }
    this.#looking = false
    if (this.#lookAgain) this.nudge()
    this.#settle()
  }

  #sleep(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.nudge(), ms)
    this.#timer.unref()
  }

  #begin(row: Row): void {
    const key = this.#options.key(row)
    if (this.#stopped || this.#busy.has(key) || this.#busy.size >= this.#options.concurrency) return
    this.#busy.add(key)
    void this.#options
      .handle(row)
      .catch((error: unknown) => this.#options.failed(error, key))
      .then(() => {
        this.#busy.delete(key)
        this.nudge()
        this.#settle()
      })
  }

  #settle(): void {
    if (this.#stopped && this.#busy.size === 0 && !this.#looking) this.#idle?.()
  }
}
