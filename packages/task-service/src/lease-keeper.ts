import { Worker } from 'node:worker_threads'
import { leaseKey, type HeldLease, type LeaseKeeper, type Look } from './lease.ts'

const CLOSE_LIMIT_MS = 2 * 1000 // 2 s
const RESTART_MS = 500

export interface LeaseThreadData {
  readonly url: string
  readonly leaseMs: number
  /** Beyond the lease, for a database that does not answer. */
  readonly graceMs: number
}

export type ToThread =
  | { readonly type: 'hold'; readonly lease: HeldLease; readonly forMs: number }
  | { readonly type: 'drop'; readonly lease: HeldLease }
  | { readonly type: 'close' }

export interface ToKeeper {
  readonly type: 'look'
  readonly lease: HeldLease
  readonly why: 'unrenewed' | null
}

interface Held {
  readonly lease: HeldLease
  /** By `performance.now()`. */
  readonly until: number
  readonly look: Look
}

/** Renews leases from a thread of its own, which is started at the first claim (about 20 MB). */
export class ThreadLeaseKeeper implements LeaseKeeper {
  readonly #data: LeaseThreadData
  readonly #held = new Map<string, Held>()
  readonly #failed: (error: unknown) => void
  #thread: Worker | null = null
  #closed = false

  /** @param failed told why the thread ended, where it was not to end */
  constructor(data: LeaseThreadData, failed: (error: unknown) => void) {
    this.#data = data
    this.#failed = failed
  }

  hold(lease: HeldLease, forMs: number, look: Look): void {
    this.#held.set(leaseKey(lease), { lease, until: performance.now() + forMs, look })
    if (this.#thread) this.#thread.postMessage({ type: 'hold', lease, forMs } satisfies ToThread)
    else this.#start()
  }

  drop(lease: HeldLease): void {
    if (this.#held.delete(leaseKey(lease)))
      this.#thread?.postMessage({ type: 'drop', lease } satisfies ToThread)
  }

  async close(): Promise<void> {
    this.#closed = true
    const thread = this.#thread
    if (!thread) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.postMessage({ type: 'close' } satisfies ToThread)
    // A database that does not answer must not hold up the end of the process.
    const timer = setTimeout(() => void thread.terminate(), CLOSE_LIMIT_MS)
    await ended
    clearTimeout(timer)
  }

  /** A thread that ended unasked is followed by another, which takes over what is still held. */
  #start(): void {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
    const file = new URL(`./lease-thread${extension}`, import.meta.url)
    const thread = new Worker(file, { workerData: this.#data, name: 'lease renewal' })
    thread.unref()
    thread.on('message', ({ lease, why }: ToKeeper) =>
      this.#held.get(leaseKey(lease))?.look(why ?? undefined),
    )
    thread.on('error', this.#failed)
    thread.on('exit', () => this.#ended())
    this.#thread = thread
    const now = performance.now()
    for (const { lease, until } of this.#held.values())
      thread.postMessage({ type: 'hold', lease, forMs: until - now } satisfies ToThread)
  }

  /** Without renewals another worker would begin beside the work that runs here. */
  #ended(): void {
    this.#thread = null
    if (this.#closed || this.#held.size === 0) return
    setTimeout(() => {
      if (this.#closed || this.#thread || this.#held.size === 0) return
      this.#start()
      // Meanwhile a lease may have run out: whoever lost it must stop.
      for (const { look } of this.#held.values()) look()
    }, RESTART_MS).unref()
  }
}
