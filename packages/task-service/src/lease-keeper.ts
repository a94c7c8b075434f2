import { Worker } from 'node:worker_threads'
import { leaseKey, type HeldLease, type LeaseKeeper } from './lease.ts'

export interface LeaseThreadData {
  readonly url: string
  readonly leaseMs: number
}

export type ToThread =
  | { readonly type: 'hold'; readonly lease: HeldLease; readonly forMs: number }
  | { readonly type: 'drop'; readonly lease: HeldLease }
  | { readonly type: 'close' }

export interface ToKeeper {
  readonly type: 'look'
  readonly lease: HeldLease
}

interface Held {
  readonly lease: HeldLease
  /** By `performance.now()`. */
  readonly until: number
  readonly look: () => void
}

/** Renews leases from a thread of its own, which is started at the first claim (about 20 MB). */
export class ThreadLeaseKeeper implements LeaseKeeper {
  readonly #data: LeaseThreadData
  readonly #held = new Map<string, Held>()
  #thread: Worker | null = null

  constructor(data: LeaseThreadData) {
    this.#data = data
  }

  hold(lease: HeldLease, forMs: number, look: () => void): void {
    this.#held.set(leaseKey(lease), { lease, until: performance.now() + forMs, look })
    if (this.#thread) this.#thread.postMessage({ type: 'hold', lease, forMs } satisfies ToThread)
    else this.#thread = this.#start()
  }

  drop(lease: HeldLease): void {
    if (this.#held.delete(leaseKey(lease)))
      this.#thread?.postMessage({ type: 'drop', lease } satisfies ToThread)
  }

  async close(): Promise<void> {
    const thread = this.#thread
    if (!thread) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.postMessage({ type: 'close' } satisfies ToThread)
    await ended
  }

  /** A thread that ended by an error is followed by another at the next claim; it takes over what is still held. */
  #start(): Worker {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
    const file = new URL(`./lease-thread${extension}`, import.meta.url)
    const thread = new Worker(file, { workerData: this.#data, name: 'lease renewal' })
    thread.unref()
    thread.on('message', (message: ToKeeper) => this.#held.get(leaseKey(message.lease))?.look())
    thread.on('error', () => undefined)
    thread.on('exit', () => (this.#thread = null))
    const now = performance.now()
    for (const { lease, until } of this.#held.values())
      thread.postMessage({ type: 'hold', lease, forMs: until - now } satisfies ToThread)
    return thread
  }
}
