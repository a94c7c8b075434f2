export interface RepeatedOptions {
  readonly run: () => Promise<void>
  /** From the end of one run to the start of the next. */
  readonly intervalMs: number
  readonly failed: (error: unknown) => void
}

/** Runs something again and again, never twice at a time; an error of one run does not end the others. */
export class Repeated {
  readonly #options: RepeatedOptions
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: RepeatedOptions) {
    this.#options = options
  }

  /** The first run at once. */
  start(): void {
    this.#running = this.#once()
  }

  /** Begins no further run; resolves when none is going on. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
  }

  async #once(): Promise<void> {
    const { run, intervalMs, failed } = this.#options
    await run().catch(failed)
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.start(), intervalMs)
    // What is repeated keeps no process alive.
    this.#timer.unref()
  }
}
