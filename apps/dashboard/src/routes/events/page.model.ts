import { withQuery } from '../../api.ts'
import { offsetOf, only } from '../../search-text.ts'

export const PAGE_SIZE = 50

const NAMES = ['release', 'task_service', 'task', 'type', 'follow', 'offset'] as const
export type EventSearch = { [name in (typeof NAMES)[number]]?: string }

/** The filters in the address. Pure. */
export function eventSearch(search: Readonly<Record<string, unknown>>): EventSearch {
  return only(search, NAMES)
}

/** Following is the default; who looks at older pages does not. Pure. */
export function follows({ follow, offset }: EventSearch): boolean {
  return follow !== 'no' && offsetOf(offset) === 0
}

/** What the coordinator is asked. Pure. */
export function eventsPath({ release, task_service, task, type, offset }: EventSearch): string {
  return withQuery('/events', {
    release,
    task_service,
    task,
    event_type: type,
    limit: PAGE_SIZE,
    offset: offsetOf(offset) || undefined,
  })
}
