/** How long to wait before the next try. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

const MOST_DOUBLINGS = 30

/**
 * Exponential delay without chance: the first, then doubled, never more than the most (WK-8).
 * @param failures how often it failed so far, from 1
 */
export function backoffStep({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(MOST_DOUBLINGS, Math.max(0, failures - 1)))
}

/**
 * The same with full jitter: anything between 0 and the step, so that many that failed together do not come back
 * together (N-1).
 * @param failures how often it failed so far, from 1
 * @param random in [0, 1)
 */
export function backoffDelay(backoff: Backoff, failures: number, random: number): number {
  return Math.round(backoffStep(backoff, failures) * random)
}

const MOST_RETRY_AFTER_MS = 60 * 60 * 1000 // 1 h

/** `Retry-After` in milliseconds: seconds or an HTTP date; null where it is neither. Never over an hour (N-1). */
export function retryAfterMs(header: string | null, now: number): number | null {
  const text = header?.trim() ?? ''
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : dateMs(text) - now
  if (Number.isNaN(ms)) return null
  return Math.min(MOST_RETRY_AFTER_MS, Math.max(0, ms))
}

/** An HTTP date names its weekday or month; `Date.parse` alone would also take "-5" for one. */
function dateMs(text: string): number {
  return /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN
}
