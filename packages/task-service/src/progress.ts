/** Stores progress at most once per interval, the newest only: authors may call as often as they like. */
export class ProgressSender {
  readonly #store: (percent: number, message: string | null) => Promise<void>
  readonly #intervalMs: number
  #latest: { percent: number; message: string | null } | null = null
  #timer: NodeJS.Timeout | null = null
  #storing: Promise<void> = Promise.resolve()

  constructor(store: (percent: number, message: string | null) => Promise<void>, intervalMs: number) {
    this.#store = store
    this.#intervalMs = intervalMs
  }

  set(percent: number, message: string | null): void {
    this.#latest = { percent, message: message ?? this.#latest?.message ?? null }
    this.#timer ??= setTimeout(() => this.#flush(), this.#intervalMs)
  }

  /** Forgets what is not stored yet and waits for what is being stored: nothing comes after the attempt's outcome. */
  async end(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    await this.#storing
  }

  #flush(): void {
    this.#timer = null
    const latest = this.#latest
    this.#latest = null
    // Progress is a courtesy: one that is not stored is followed by the next.
    if (latest) this.#storing = this.#store(latest.percent, latest.message).catch(() => undefined)
  }
}
