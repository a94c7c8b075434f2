import type { ReleaseEvent } from './api-types.ts'

/** Known events, newest first, with those that came, oldest first; each once. Pure. */
export function newestFirst(known: readonly ReleaseEvent[], came: readonly ReleaseEvent[]): ReleaseEvent[] {
  const ids = new Set(known.map(({ kf_id }) => kf_id))
  const fresh = came.filter(({ kf_id }) => !ids.has(kf_id))
  return [...fresh.toReversed(), ...known]
}

/** Pages of a list that may have grown between two of them: each event once, in order. Pure. */
export function joinPages(pages: readonly (readonly ReleaseEvent[])[]): ReleaseEvent[] {
  const byId = new Map(pages.flat().map((event) => [event.kf_id, event]))
  return [...byId.values()]
}
