import { networkOf } from './address-kind.ts'

const BURST_S = 5 // seconds' worth of requests at once
const MOST_CLIENTS = 10_000
const TELL_EVERY_MS = 60 * 1000 // 60 s

interface Bucket {
  tokens: number
  /** When the tokens were counted. */
  at: number
  toldAt: number
}

export interface Taken {
  /** Null: go on. Else the seconds after which it is worth another try. */
  readonly retryAfterS: number | null
  /** The first refusal for a while: worth a line in the log. */
  readonly isNews: boolean
}

/**
 * How often each address may ask: `perSecond` in the long run, five times that at once (SV-30, CR-50). It remembers so
 * many addresses and no more: the one that has asked least recently is forgotten, and begins anew.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #most: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number, most = MOST_CLIENTS) {
    this.#perSecond = perSecond
    this.#most = most
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size
  }

  /** One request of an address at a moment, in milliseconds that only go forward. */
  take(address: string, now: number): Taken {
    const bucket = this.#bucketOf(networkOf(address), now)
    const full = this.#perSecond * BURST_S
    bucket.tokens = Math.min(full, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond)
    bucket.at = now
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1
      return { retryAfterS: null, isNews: false }
    }
    const isNews = now - bucket.toldAt >= TELL_EVERY_MS
    if (isNews) bucket.toldAt = now
    return { retryAfterS: Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond)), isNews }
  }

  #bucketOf(network: string, now: number): Bucket {
    const known = this.#buckets.get(network)
    const fresh = { tokens: this.#perSecond * BURST_S, at: now, toldAt: Number.NEGATIVE_INFINITY }
    const bucket = known ?? fresh
    // To the end: the first of the map is then the one that asked least recently.
    this.#buckets.delete(network)
    this.#buckets.set(network, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > this.#most && oldest !== undefined) this.#buckets.delete(oldest)
    return bucket
  }
}
