/** A claim on a task that must be renewed. */
export interface HeldLease {
  readonly id: string
  readonly attempt: number
  readonly owner: string
}

/**
 * Told that a lease turns out to be somebody else's, or that the record wants something else by now; `unrenewed`: that
 * nobody knows, because the database has not answered for too long.
 */
export type Look = (why?: 'unrenewed') => void

/** Keeps leases alive while their work runs (WK-1). */
export interface LeaseKeeper {
  /**
   * Renews until `drop`, or until `forMs` have passed: a hung task is not kept for ever.
   */
  hold(lease: HeldLease, forMs: number, look: Look): void
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

interface Held {
  readonly lease: HeldLease
  readonly until: number
  readonly look: Look
  readonly renewedAt: number
}

const MOST_EXPIRY_MS = 250

/** Renews on a timer of this thread; the thread beside it, and tests, run the same code. */
export class TimerLeaseKeeper implements LeaseKeeper {
  readonly #held = new Map<string, Held>()
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #renewAll: RenewAll
  readonly #patienceMs: number
  #renewing: Promise<void> | null = null

  /** @param patienceMs after so long without a renewal that succeeded, the work is told that its lease is lost (WK-1) */
  constructor(renewAll: RenewAll, intervalMs: number, patienceMs = Infinity) {
    this.#renewAll = renewAll
    this.#patienceMs = patienceMs
    // A round that takes longer than the interval is not followed by a queue of others.
    const renewal = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => (this.#renewing = null))
    }, intervalMs)
    // Beside it: a round that hangs is when this matters.
    const expiry = setInterval(() => this.#expire(), Math.min(intervalMs, MOST_EXPIRY_MS))
    this.#timers = [renewal, expiry]
  }

  hold(lease: HeldLease, forMs: number, look: Look): void {
    const now = performance.now()
    this.#held.set(leaseKey(lease), { lease, until: now + forMs, look, renewedAt: now })
  }

  drop(lease: HeldLease): void {
    this.#held.delete(leaseKey(lease))
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#renewing
  }

  /** By the clock of this thread alone: whoever cannot reach the database cannot ask it. */
  #expire(): void {
    const now = performance.now()
    for (const [key, { renewedAt, look }] of this.#held) {
      if (now - renewedAt <= this.#patienceMs) continue
      this.#held.delete(key)
      look('unrenewed')
    }
  }

  async #renew(): Promise<void> {
    const now = performance.now()
    for (const [key, held] of this.#held) if (held.until < now) this.#held.delete(key)
    const leases = [...this.#held.values()].map((held) => held.lease)
    if (leases.length === 0) return
    // The database may be away for a moment; the lease outlives two missed rounds.
    const renewed = await this.#renewAll(leases).catch(() => null)
    if (renewed === null) return
    for (const lease of leases) this.#renewed(lease, now)
    const { lost, changed } = renewed
    for (const lease of [...lost, ...changed]) this.#held.get(leaseKey(lease))?.look()
    for (const lease of lost) this.#held.delete(leaseKey(lease))
  }

  /** From before it was asked: the lease cannot end earlier than that. */
  #renewed(lease: HeldLease, at: number): void {
    const held = this.#held.get(leaseKey(lease))
    if (held) this.#held.set(leaseKey(lease), { ...held, renewedAt: at })
  }
}
