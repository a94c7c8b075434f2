import { withQuery } from '../../api.ts'
import { offsetOf, only } from '../../search-text.ts'

export const PAGE_SIZE = 50

const NAMES = ['state', 'release', 'task_service', 'offset'] as const
export type TaskSearch = { [name in (typeof NAMES)[number]]?: string }

/** The filters in the address. Pure. */
export function taskSearch(search: Readonly<Record<string, unknown>>): TaskSearch {
  return only(search, NAMES)
}

/** What the coordinator is asked. Pure. */
export function tasksPath({ offset, ...filters }: TaskSearch): string {
  return withQuery('/tasks', { ...filters, limit: PAGE_SIZE, offset: offsetOf(offset) || undefined })
}
