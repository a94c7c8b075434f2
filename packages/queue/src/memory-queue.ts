import { LocalConsumer } from './local-consumer.ts'
import type { Queue } from './queue.ts'

/** The queue of a single process. */
export class MemoryQueue implements Queue {
  readonly #consumer = new LocalConsumer()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #listeners: ((id: string) => void)[] = []
  #closed = false

  wake(id: string, delayMs = 0): void {
    if (this.#closed) return
    if (delayMs > 0) this.#wakeLater(id, delayMs)
    else this.#consumer.add(id)
  }

  offer(id: string): void {
    this.#consumer.add(id)
  }

  notify(id: string): void {
    queueMicrotask(() => {
      if (!this.#closed) for (const listen of this.#listeners) listen(id)
    })
  }

  consume(handle: (id: string) => Promise<void>, concurrency: number): void {
    this.#consumer.consume(handle, concurrency)
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
    await this.#consumer.close()
  }

  #wakeLater(id: string, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.wake(id)
    }, delayMs)
    this.#timers.add(timer)
  }
}
