import type { QueryClient } from '@tanstack/react-query'
import { idOf, type ReleaseEvent } from './api-types.ts'
import { newestFirst } from './event-order.ts'

/**
 * Puts new events to the logs that are loaded, so that a release with thousands of events is read once and not after
 * each of them.
 * @returns the releases whose log is being read just now: what came meanwhile may be missing there
 */
export function addToLogs(queries: QueryClient, events: readonly ReleaseEvent[]): string[] {
  const ids = new Set(events.map((event) => idOf(event.release)).filter((id) => id !== null))
  return [...ids].filter((id) => {
    const key = ['release-log', id]
    const own = events.filter((event) => idOf(event.release) === id)
    queries.setQueryData<readonly ReleaseEvent[]>(key, (known) => known && newestFirst(known, own))
    return queries.isFetching({ queryKey: key }) > 0
  })
}
