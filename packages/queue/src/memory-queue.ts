import type { Queue } from './queue.ts'

/** The queue of a single process. */
export class MemoryQueue implements Queue {
  readonly #waiting = new Set<string>()
  readonly #running = new Set<string>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #listeners: ((id: string) => void)[] = []
  #handle: ((id: string) => Promise<void>) | null = null
  #concurrency = 0
  #closed = false
  #idle: (() => void) | null = null

  wake(id: string, delayMs = 0): void {
    if (this.#closed) return
    if (delayMs > 0) return this.#wakeLater(id, delayMs)
    this.#waiting.add(id)
    // Not at once: whoever wakes is in the middle of something, and must not find itself called back inside it.
    queueMicrotask(() => this.#pump())
  }

  notify(id: string): void {
    queueMicrotask(() => {
      if (!this.#closed) for (const listen of this.#listeners) listen(id)
    })
  }

  consume(handle: (id: string) => Promise<void>, concurrency: number): void {
    this.#handle = handle
    this.#concurrency = concurrency
    queueMicrotask(() => this.#pump())
  }

  subscribe(listen: (id: string) => void): void {
    this.#listeners.push(listen)
  }

  health(): 'ok' {
    return 'ok'
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#waiting.clear()
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  #wakeLater(id: string, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.wake(id)
    }, delayMs)
    this.#timers.add(timer)
  }

  #pump(): void {
    for (const id of this.#waiting) {
      if (!this.#handle || this.#running.size >= this.#concurrency) return
      if (this.#running.has(id)) continue
      this.#waiting.delete(id)
      this.#running.add(id)
      void this.#run(this.#handle, id)
    }
  }

  async #run(handle: (id: string) => Promise<void>, id: string): Promise<void> {
    // A handler reports its own errors; here a failure only ends this wake-up, as it would in another process.
    await handle(id).catch(() => undefined)
    this.#running.delete(id)
    if (this.#running.size === 0) this.#idle?.()
    this.#pump()
  }
}
