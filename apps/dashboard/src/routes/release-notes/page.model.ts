import { withQuery } from '../../api.ts'
import { offsetOf, only } from '../../search-text.ts'

export const PAGE_SIZE = 20

const NAMES = ['author', 'release', 'study', 'offset'] as const
export type NoteSearch = { [name in (typeof NAMES)[number]]?: string }

/** The filters in the address. Pure. */
export function noteSearch(search: Readonly<Record<string, unknown>>): NoteSearch {
  return only(search, NAMES)
}

/** What the coordinator is asked. Pure. */
export function notesPath({ offset, ...filters }: NoteSearch): string {
  return withQuery('/release-notes', { ...filters, limit: PAGE_SIZE, offset: offsetOf(offset) || undefined })
}
