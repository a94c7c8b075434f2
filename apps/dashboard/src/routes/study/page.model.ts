import { withQuery } from '../../api.ts'
import { offsetOf, only } from '../../search-text.ts'

export const PAGE_SIZE = 10

/** Which page of the study's releases is shown. Pure. */
export function studyPageSearch(search: Readonly<Record<string, unknown>>) {
  return only(search, ['offset'])
}

/** The releases of a study. Pure. */
export function releasesOfStudyPath(id: string, offset: string | undefined): string {
  return withQuery(`/studies/${encodeURIComponent(id)}/releases`, {
    limit: PAGE_SIZE,
    offset: offsetOf(offset) || undefined,
  })
}

/** The notes on a study. Pure. */
export function notesOfStudyPath(id: string): string {
  return withQuery('/release-notes', { study: id, limit: 100 })
}
