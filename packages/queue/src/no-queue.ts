import type { Queue } from './queue.ts'

/** For a process that only takes actions while there is no broker: nobody is woken, and the sweep of others finds all. */
export function noQueue(): Queue {
  const nothing = () => undefined
  return {
    wake: nothing,
    offer: nothing,
    notify: nothing,
    consume: nothing,
    subscribe: nothing,
    health: () => 'ok',
    close: async () => undefined,
  }
}
