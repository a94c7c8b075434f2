export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** Collects calls, and lets a test wait for the n-th. */
export class Calls {
  readonly ids: string[] = []
  readonly #waiting: { count: number; resolve: () => void }[] = []

  add(id: string): void {
    this.ids.push(id)
    for (const waiter of this.#waiting) if (this.ids.length >= waiter.count) waiter.resolve()
  }

  reached(count: number): Promise<void> {
    if (this.ids.length >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }
}
