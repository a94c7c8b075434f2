/** How fast a task goes, from what was seen of its progress; for people, never for a decision. */
export class Rates {
  readonly #seen = new Map<string, { percent: number; at: number }[]>()

  /** @param now milliseconds of any steady clock */
  see(key: string, percent: number, now: number): void {
    const points = this.#seen.get(key) ?? []
    const last = points.at(-1)
    if (last?.percent === percent) return
    // Progress that goes back is another attempt: what was before says nothing about it.
    const kept = last && percent < last.percent ? [] : points.slice(-20)
    this.#seen.set(key, [...kept, { percent, at: now }])
  }

  /** Milliseconds until 100 percent at the present rate; null where that cannot be told yet. */
  leftMs(key: string): number | null {
    const points = this.#seen.get(key) ?? []
    const [first, last] = [points[0], points.at(-1)]
    if (!first || !last || points.length < 3 || last.percent <= first.percent) return null
    const msPerPercent = (last.at - first.at) / (last.percent - first.percent)
    return Math.round(msPerPercent * (100 - last.percent))
  }
}
