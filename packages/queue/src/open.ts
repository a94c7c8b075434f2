import { MemoryQueue } from './memory-queue.ts'
import type { Queue } from './queue.ts'

/** Opens the queue of this process. A broker's address is a later addition; without one the queue is memory. */
export function openQueue(): Queue {
  return new MemoryQueue()
}
