/** How long to wait before the next try. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * Exponential delay with full jitter: anything between 0 and the doubled step, so that many that failed
 * together do not come back together.
 * @param failures how often it failed so far, from 1
 * @param random in [0, 1)
 */
export function backoffDelay(backoff: Backoff, failures: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(30, failures - 1))
  return Math.round(ceiling * random)
}

/** `Retry-After` in milliseconds: seconds or an HTTP date; null where it is neither. Never over an hour. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null || header.trim() === '') return null
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now
  if (!Number.isFinite(ms)) return null
  return Math.min(60 * 60 * 1000, Math.max(0, ms)) // at most 1 h
}
