const nobody = (): void => undefined

/** What whoever brought an id wants to hear. */
interface Wish {
  readonly begun: () => void
  readonly ended: (handled: boolean) => void
}

/**
 * Handles ids in this process: at most so many at a time, never one id twice at a time. An id that comes while it
 * waits is the same wake-up; one that comes while it is handled is handled after it, once.
 */
export class LocalConsumer {
  /** Each id with who wants to hear whether it was handled. */
  readonly #waiting = new Map<string, Wish>()
  readonly #running = new Set<string>()
  #handle: ((id: string) => Promise<void>) | null = null
  #concurrency = 0
  #closed = false
  #idle: (() => void) | null = null

  consume(handle: (id: string) => Promise<void>, concurrency: number): void {
    this.#handle = handle
    this.#concurrency = concurrency
    queueMicrotask(() => this.#pump())
  }

  add(id: string): void {
    if (!this.#closed && !this.#waiting.has(id)) this.#enter(id, { begun: nobody, ended: nobody })
  }

  /**
   * Like `add`. Resolves with true when this handling has ended, or at once where the id waits or runs here
   * already; with false when it never began, because it was withdrawn or this was closed.
   * @param begun called when this handling begins
   */
  handled(id: string, begun: () => void = nobody): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false)
    if (!this.#waiting.has(id) && !this.#running.has(id))
      return new Promise((resolve) => this.#enter(id, { begun, ended: resolve }))
    this.add(id)
    return Promise.resolve(true)
  }

  /** Takes back an id that waits; one that is being handled stays. */
  withdraw(id: string): void {
    this.#waiting.get(id)?.ended(false)
    this.#waiting.delete(id)
  }

  /** Begins nothing more; resolves when nothing is being handled. */
  async close(): Promise<void> {
    this.#closed = true
    for (const id of this.#waiting.keys()) this.withdraw(id)
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  #enter(id: string, wish: Wish): void {
    this.#waiting.set(id, wish)
    // Not at once: whoever wakes is in the middle of something, and must not find itself called back inside it.
    queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    for (const [id, { begun, ended }] of this.#waiting) {
      if (!this.#handle || this.#running.size >= this.#concurrency) return
      if (this.#running.has(id)) continue
      this.#waiting.delete(id)
      this.#running.add(id)
      begun()
      void this.#run(this.#handle, id).then(() => ended(true))
    }
  }

  async #run(handle: (id: string) => Promise<void>, id: string): Promise<void> {
    // A handler reports its own errors; here a failure only ends this wake-up, as it would in another process.
    await handle(id).catch(nobody)
    this.#running.delete(id)
    if (this.#running.size === 0) this.#idle?.()
    this.#pump()
  }
}
