interface Point {
  readonly percent: number
  readonly at: number
}

interface Counted {
  readonly count: number
  readonly at: number
  /** Per second, smoothed; null until two counts were seen. */
  readonly rate: number | null
}

const COUNT = /([\d,]+) of [\d,]+ (\w+)/
const SMOOTHING = 0.5

/** How fast a task goes, from what was seen of its progress and its words; for people, never for a decision. */
export class Rates {
  readonly #points = new Map<string, Point[]>()
  readonly #counted = new Map<string, Counted>()

  /** @param now milliseconds of any steady clock */
  see(key: string, percent: number, now: number): void {
    const points = this.#points.get(key) ?? []
    const last = points.at(-1)
    if (last?.percent === percent) return
    // Progress that goes back is another attempt, and before the first progress lies preparation: neither tells a rate.
    const anew = last !== undefined && (percent < last.percent || last.percent === 0)
    const kept = anew ? [] : points.slice(-20)
    this.#points.set(key, [...kept, { percent, at: now }])
  }

  /** Takes "12,345 of 60,000 rows" out of a message; a count that begins anew goes on from zero. */
  seeMessage(key: string, message: string, now: number): void {
    const count = Number(COUNT.exec(message)?.[1]?.replaceAll(',', '') ?? Number.NaN)
    const last = this.#counted.get(key)
    if (Number.isNaN(count) || last?.count === count) return
    if (!last) return void this.#counted.set(key, { count, at: now, rate: null })
    const more = count > last.count ? count - last.count : count
    const rate = (more / Math.max(1, now - last.at)) * 1000
    this.#counted.set(key, {
      count,
      at: now,
      rate: last.rate === null ? rate : SMOOTHING * rate + (1 - SMOOTHING) * last.rate,
    })
  }

  /** `85,000 rows/s` by the unit of the message; null where none is known. */
  perSecond(key: string, message: string): string | null {
    const rate = this.#counted.get(key)?.rate
    const unit = COUNT.exec(message)?.[2]
    if (rate == null || !unit) return null
    const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, rate))) - 1)
    return `${(Math.round(rate / scale) * scale).toLocaleString('en')} ${unit}/s`
  }

  /** Milliseconds until 100 percent at the present rate; null where that cannot be told yet. */
  leftMs(key: string): number | null {
    const points = this.#points.get(key) ?? []
    const [first, last] = [points[0], points.at(-1)]
    if (!first || !last || points.length < 2 || last.percent <= first.percent) return null
    const msPerPercent = (last.at - first.at) / (last.percent - first.percent)
    return Math.round(msPerPercent * (100 - last.percent))
  }
}
