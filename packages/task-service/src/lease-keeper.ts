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

/** Renews leases from a thread of its own, which is started at the first claim (about 20 MB). */
export class ThreadLeaseKeeper implements LeaseKeeper {
  readonly #data: LeaseThreadData
  readonly #looks = new Map<string, () => void>()
  #thread: Worker | null = null

  constructor(data: LeaseThreadData) {
    this.#data = data
  }

  hold(lease: HeldLease, forMs: number, look: () => void): void {
    this.#looks.set(leaseKey(lease), look)
    this.#tell({ type: 'hold', lease, forMs })
  }

  drop(lease: HeldLease): void {
    if (this.#looks.delete(leaseKey(lease))) this.#tell({ type: 'drop', lease })
  }

  async close(): Promise<void> {
    const thread = this.#thread
    if (!thread) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    this.#tell({ type: 'close' })
    await ended
  }

  #tell(message: ToThread): void {
    this.#thread ??= this.#start()
    this.#thread.postMessage(message)
  }

  #start(): Worker {
    const file = new URL(import.meta.url.replace('lease-keeper', 'lease-thread'))
    const thread = new Worker(file, { workerData: this.#data, name: 'lease renewal' })
    thread.unref()
    thread.on('message', (message: ToKeeper) => this.#looks.get(leaseKey(message.lease))?.())
    // A new thread begins with the next claim; leases of this one run out, and their late reports are refused.
    thread.on('error', () => (this.#thread = null))
    return thread
  }
}
