/**
 * Rings when events were written, by this process or another one. It may ring for nothing, and a ring may be lost: who
 * waits looks now and then all the same.
 */
export class EventBell {
  #rings = 0
  readonly #waiting = new Set<() => void>()

  /** How often it has rung; to be asked for before looking, so that a ring meanwhile is not missed. */
  get rings(): number {
    return this.#rings
  }

  ring(): void {
    this.#rings++
    for (const wake of this.#waiting) wake()
  }

  /** Resolves once it has rung more than `rings` times, after `ms` at the latest, or when `signal` aborts. */
  wait(rings: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#rings > rings || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      const waiting = this.#waiting
      function done() {
        clearTimeout(timer)
        waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
