/**
 * A wake-up call and nothing else: entries carry an id, never state. Whatever is lost here is found again by
 * a sweep of the database, so no method waits for delivery and none throws.
 */
export interface Queue {
  /** Asks one consumer, in any process, to look at `id`: now, or after `delayMs`. */
  wake(id: string, delayMs?: number): void
  /** Tells every process at once that something about `id` changed (a cancel, for example). */
  notify(id: string): void
  /**
   * Starts taking wake-ups: at most `concurrency` calls of `handle` at a time, never two for one id at a time in
   * this process. A wake-up that comes while its id is being handled is handled after it, once.
   */
  consume(handle: (id: string) => Promise<void>, concurrency: number): void
  /** Calls `listen` for every `notify`, also this process's own. */
  subscribe(listen: (id: string) => void): void
  /** `degraded`: the broker does not answer; work goes on by sweeps alone. */
  health(): 'ok' | 'degraded'
  /** Stops taking wake-ups; resolves when no `handle` is running. */
  close(): Promise<void>
}
