/** A claim on a task that must be renewed. */
export interface HeldLease {
  readonly id: string
  readonly attempt: number
  readonly owner: string
}

/** Keeps leases alive while their work runs (WK-1). */
export interface LeaseKeeper {
  /**
   * Renews until `drop`, or until `forMs` have passed: a hung task is not kept for ever.
   * @param look called when the lease turns out to be somebody else's, or the record wants something else by now
   */
  hold(lease: HeldLease, forMs: number, look: () => void): void
  drop(lease: HeldLease): void
  close(): Promise<void>
}

/** One round of renewals. `lost`: somebody else's now. `changed`: still held, but other work is wanted (a cancel). */
export interface Renewed {
  readonly lost: readonly HeldLease[]
  readonly changed: readonly HeldLease[]
}
export type RenewAll = (leases: readonly HeldLease[]) => Promise<Renewed>

export const leaseKey = (lease: HeldLease): string => `${lease.id}/${lease.attempt}`

/** Renews on a timer of this thread; the thread beside it, and tests, run the same code. */
export class TimerLeaseKeeper implements LeaseKeeper {
  readonly #held = new Map<string, { lease: HeldLease; until: number; look: () => void }>()
  readonly #timer: NodeJS.Timeout
  readonly #renewAll: RenewAll
  #renewing: Promise<void> | null = null

  constructor(renewAll: RenewAll, intervalMs: number) {
    this.#renewAll = renewAll
    // A round that takes longer than the interval is not followed by a queue of others.
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => (this.#renewing = null))
    }, intervalMs)
  }

  hold(lease: HeldLease, forMs: number, look: () => void): void {
    this.#held.set(leaseKey(lease), { lease, until: performance.now() + forMs, look })
  }

  drop(lease: HeldLease): void {
    this.#held.delete(leaseKey(lease))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#renewing
  }

  async #renew(): Promise<void> {
    const now = performance.now()
    for (const [key, held] of this.#held) if (held.until < now) this.#held.delete(key)
    const leases = [...this.#held.values()].map((held) => held.lease)
    if (leases.length === 0) return
    // The database may be away for a moment; the lease outlives two missed rounds.
    const { lost, changed } = await this.#renewAll(leases).catch((): Renewed => ({ lost: [], changed: [] }))
    for (const lease of [...lost, ...changed]) this.#held.get(leaseKey(lease))?.look()
    for (const lease of lost) this.#held.delete(leaseKey(lease))
  }
}
