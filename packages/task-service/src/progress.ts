/** @returns whether the attempt may go on; false where it no longer holds its task */
export type StoreProgress = (percent: number, message: string | null) => Promise<boolean>

/**
 * Stores progress at most once per interval, the newest only and one after the other: authors may call as often as
 * they like.
 */
export class ProgressSender {
  readonly #store: StoreProgress
  readonly #intervalMs: number
  #latest: { percent: number; message: string | null } | null = null
  #timer: NodeJS.Timeout | null = null
  #storing: Promise<void> | null = null
  #ended = false

  constructor(store: StoreProgress, intervalMs: number) {
    this.#store = store
    this.#intervalMs = intervalMs
  }

  set(percent: number, message: string | null): void {
    if (this.#ended) return
    this.#latest = { percent, message: message ?? this.#latest?.message ?? null }
    if (!this.#storing) this.#timer ??= setTimeout(() => this.#flush(), this.#intervalMs)
  }

  /**
   * Waits for what is being stored, and stores no more: nothing comes after the attempt's outcome.
   * @returns the last words that are not stored, for the outcome to take along; null: there are none
   */
  async end(): Promise<string | null> {
    this.#ended = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    await this.#storing
    return this.#latest?.message ?? null
  }

  #flush(): void {
    this.#timer = null
    const latest = this.#latest
    this.#latest = null
    if (latest) this.#storing = this.#send(latest)
  }

  async #send({ percent, message }: { percent: number; message: string | null }): Promise<void> {
    // Progress is a courtesy: one that is not stored is followed by the next.
    const goOn = await this.#store(percent, message).catch(() => true)
    this.#storing = null
    if (!goOn) this.#ended = true
    else if (this.#latest) this.set(this.#latest.percent, this.#latest.message)
  }
}
