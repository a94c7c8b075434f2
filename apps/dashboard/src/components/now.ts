import { useSyncExternalStore } from 'react'

/** One timer for everything that shows time going by, and none while nothing does. */
class Ticker {
  readonly #everyMs: number
  readonly #listeners = new Set<() => void>()
  #timer: ReturnType<typeof setInterval> | undefined
  #now = Date.now()

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) this.#start()
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) clearInterval(this.#timer)
    }
  }

  readonly now = (): number => this.#now

  #start(): void {
    this.#now = Date.now()
    this.#timer = setInterval(() => {
      this.#now = Date.now()
      for (const listener of this.#listeners) listener()
    }, this.#everyMs)
  }
}

const fast = new Ticker(1000)
const slow = new Ticker(10_000)

/** The present moment, in epoch ms; renders again every second, or every ten. */
export function useNow(pace: 'second' | 'slow' = 'second'): number {
  const ticker = pace === 'second' ? fast : slow
  return useSyncExternalStore(ticker.subscribe, ticker.now)
}
