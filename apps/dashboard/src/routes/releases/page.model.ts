import { withQuery } from '../../api.ts'
import type { Release } from '../../api-types.ts'
import { offsetOf, only } from '../../search-text.ts'
import { capital, waitingSentence } from '../../waiting.ts'

export const PAGE_SIZE = 20

const NAMES = ['state', 'author', 'name', 'study', 'offset'] as const
export type ReleaseSearch = { [name in (typeof NAMES)[number]]?: string }

/** The filters in the address. Pure. */
export function releaseSearch(search: Readonly<Record<string, unknown>>): ReleaseSearch {
  return only(search, NAMES)
}

/** What the coordinator is asked (CR-18). Pure. */
export function releasesPath({ offset, ...filters }: ReleaseSearch): string {
  return withQuery('/releases', { ...filters, limit: PAGE_SIZE, offset: offsetOf(offset) || undefined })
}

/** Whether anything but the page is chosen: an empty list then means that nothing fits. Pure. */
export function isFiltered(search: ReleaseSearch): boolean {
  return Object.keys(search).some((name) => name !== 'offset')
}

/** How a release's tasks stand, in a few words. Pure. */
export function taskCounts(tasks: readonly Pick<Release['tasks'][number], 'state'>[]): string {
  if (tasks.length === 0) return 'no tasks'
  const counts = new Map<string, number>()
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
}

/** What a release waits for, or how it ended, in a sentence. Pure. */
export function standing(
  { state, reason, waiting_for }: Pick<Release, 'state' | 'reason' | 'waiting_for'>,
  now: number,
): string {
  if (waiting_for !== null) return waitingSentence(waiting_for, now)
  if (reason !== null) return capital(reason)
  return state === 'published' ? 'Its data is public.' : 'It has ended.'
}
