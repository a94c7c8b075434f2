import type { Database } from '@release-task/database'
import { never } from './moments.ts'

/** Gives answers to those who live only: what a dead process asks is not answered, and what it says is not heard. */
export type Fence = <T>(ask: () => Promise<T>) => Promise<T>

/** @param isDead asked before each word and after it: an answer that comes after the end reaches nobody */
export function createFence(isDead: () => boolean): Fence {
  return async (ask) => {
    if (isDead()) return never()
    const answer = await ask()
    return isDead() ? never() : answer
  }
}

/** The database as one process sees it. */
export function fencedDatabase(database: Database, fence: Fence): Database {
  const { builder, now, clock } = database
  return {
    builder,
    now,
    clock,
    commit: (statements) => fence(() => database.commit(statements)),
    all: (query, values) => fence(() => database.all(query, values)),
    ping: () => fence(() => database.ping()),
    // Whoever comes after it opens the same one.
    close: async () => undefined,
  }
}
