import { memoryQueue, type Queue } from '@release-task/queue'

/** The queue of one process. Nobody is woken: the test says when to look, and what is due is found then. */
export class WorkQueue implements Queue {
  readonly #inner = memoryQueue()
  readonly #changed: () => void
  /** How many ids are being handled. */
  running = 0

  constructor(changed: () => void) {
    this.#changed = changed
  }

  wake(): void {}

  offer(id: string): void {
    this.#inner.offer(id)
  }

  notify(id: string): void {
    this.#inner.notify(id)
  }

  subscribe(listen: (id: string) => void): void {
    this.#inner.subscribe(listen)
  }

  consume(handle: (id: string) => Promise<void>, concurrency: number): void {
    const counted = async (id: string) => {
      this.running++
      await handle(id)
      this.running--
      this.#changed()
    }
    this.#inner.consume(counted, concurrency)
  }

  health(): 'ok' {
    return 'ok'
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  /** Begins nothing more, and waits for nothing. */
  end(): void {
    void this.#inner.close()
  }
}
