import { withQuery } from '../../api.ts'
import { offsetOf, only } from '../../search-text.ts'

export const PAGE_SIZE = 50

const NAMES = ['actor', 'action', 'subject', 'follow', 'offset'] as const
export type AuditSearch = { [name in (typeof NAMES)[number]]?: string }

/** The filters in the address. Pure. */
export function auditSearch(search: Readonly<Record<string, unknown>>): AuditSearch {
  return only(search, NAMES)
}

/** Following is the default; who looks at older pages does not. Pure. */
export function follows({ follow, offset }: AuditSearch): boolean {
  return follow !== 'no' && offsetOf(offset) === 0
}

/** What the coordinator is asked. Pure. */
export function auditPath({ actor, action, subject, offset }: AuditSearch): string {
  return withQuery('/audit', {
    actor,
    action,
    subject,
    limit: PAGE_SIZE,
    offset: offsetOf(offset) || undefined,
  })
}

/** The page that an id belongs to; null where it has none of its own. Pure. */
export function pageOf(subject: string): string | null {
  if (subject.startsWith('RE_')) return `/releases/${subject}`
  if (subject.startsWith('TS_')) return `/task-services/${subject}`
  return subject.startsWith('SD_') ? `/studies/${subject}` : null
}
