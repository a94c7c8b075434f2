/**
 * A wake-up call and nothing else: entries carry an id, never state. Whatever is lost here is found again by
 * a sweep of the database, so no method waits for delivery and none throws.
 */
export interface Queue {
  /**
   * Asks one consumer, in any process, to look at `id`: now, or after `delayMs`. While the broker is away it is
   * dropped, not kept.
   */
  wake(id: string, delayMs?: number): void
  /**
   * This process found `id` by itself (a sweep): it is handled here as soon as there is a place free, and nobody
   * else is told. Needs no broker. An id that waits already is not doubled.
   */
  offer(id: string): void
  /** Tells every process at once that something about `id` changed (a cancel, for example). */
  notify(id: string): void
  /**
   * Starts taking wake-ups and offers: at most `concurrency` calls of `handle` at a time for both together, never
   * two for one id at a time in this process. One that comes while its id is being handled is handled after it,
   * once. Called once.
   */
  consume(handle: (id: string) => Promise<void>, concurrency: number): void
  /** Calls `listen` for every `notify`, also this process's own. */
  subscribe(listen: (id: string) => void): void
  /** `degraded`: the broker does not answer; work goes on by sweeps alone. */
  health(): 'ok' | 'degraded'
  /** Stops taking wake-ups and offers; resolves when no `handle` is running. A broker that is away does not hold it up. */
  close(): Promise<void>
}

/**
 * Told when the broker stops answering and when it answers again, once each, not for every try.
 * @param why for a log; never has a password
 */
export type HealthChanged = (health: 'ok' | 'degraded', why: string) => void
