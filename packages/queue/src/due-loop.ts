/** What the loop is given: rows of an outbox, each with a key under which only one is handled at a time. */
export interface DueLoopOptions<Row> {
  /** Rows whose time has come, the oldest first. */
  readonly due: () => Promise<readonly Row[]>
  /** Milliseconds until the next row is due; null where there is none. */
  readonly nextDelayMs: () => Promise<number | null>
  readonly key: (row: Row) => string
  readonly handle: (row: Row) => Promise<void>
  /**
   * Gives up the claim on a row whose handling went wrong, most likely because the database went away in the middle of
   * it. Called until it succeeds: a claim that nobody gives up would keep everybody from the row until it runs out.
   */
  readonly giveBack: (row: Row) => Promise<void>
  /**
   * Makes the claim on a row that is being handled last longer. Claims are short: what a process on another host held
   * when it died must not wait for long, and nobody there can see that it is dead.
   */
  readonly renew: (row: Row) => Promise<void>
  readonly renewMs: number
  readonly concurrency: number
  /** How long to sleep at the most: other processes write to the same table. */
  readonly idleMs: number
  readonly failed: (error: unknown, key: string | null) => void
}

const HELD_MS = 100
const FIRST_PAUSE_MS = 100
const MOST_PAUSE_MS = 2000

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())

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
    void this.#handle(row, key).then(() => {
      this.#busy.delete(key)
      this.nudge()
      this.#settle()
    })
  }

  async #handle(row: Row, key: string): Promise<void> {
    // One that fails is tried again at the next; the claim outlives two.
    const renew = () => void this.#options.renew(row).catch(() => undefined)
    const timer = setInterval(renew, this.#options.renewMs)
    timer.unref()
    try {
      await this.#options.handle(row)
    } catch (error) {
      this.#options.failed(error, key)
      await this.#giveBack(row)
    } finally {
      clearInterval(timer)
    }
  }

  /** Not at shutdown, which must not wait for a database: the claim is short. */
  async #giveBack(row: Row): Promise<void> {
    for (let failures = 1; !this.#stopped; failures++) {
      try {
        return await this.#options.giveBack(row)
      } catch {
        // Why it does not answer was told already.
        await pause(Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)))
      }
    }
  }

  #settle(): void {
    if (this.#stopped && this.#busy.size === 0 && !this.#looking) this.#idle?.()
  }
}
