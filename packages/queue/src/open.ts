import { checkAddress, checkName } from './address.ts'
import { QueueError } from './errors.ts'
import { MemoryQueue } from './memory-queue.ts'
import type { HealthChanged, Queue } from './queue.ts'

export interface QueueOptions {
  /** `redis://…` or `rediss://…` (TLS); null for a queue that ends with the process. */
  readonly url: string | null
  /** Processes that name the same queue share it; not with ':'. */
  readonly name: string
  readonly changed?: HealthChanged
}

/** The queue of a single process. */
export function memoryQueue(): Queue {
  return new MemoryQueue()
}

/**
 * Opens the queue of this process. A Redis that is away neither fails this nor holds it up for more than about a
 * second; it is tried for ever.
 * @throws QueueError with a message for whoever starts the program
 */
export async function openQueue(options?: QueueOptions): Promise<Queue> {
  if (!options || options.url === null) return memoryQueue()
  checkAddress(options.url)
  checkName(options.name)
  const { openBullQueue } = await loadBullQueue()
  return openBullQueue({
    url: options.url,
    name: options.name,
    changed: options.changed ?? (() => undefined),
  })
}

/** Only a process that has the address of a Redis loads what reaches it. */
async function loadBullQueue() {
  try {
    return await import('./bull-queue.ts')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new QueueError(
      'QUEUE_PACKAGES_MISSING',
      'A queue over Redis needs two more packages: npm install bullmq ioredis',
      error,
    )
  }
}
