import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { AuditEntry, Page } from '../../api-types.ts'
import { FollowBox, TextFilters } from '../../components/list-page.tsx'
import { Empty } from '../../components/notice.tsx'
import { Pager } from '../../components/pager.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { Table } from '../../components/table.tsx'
import { TimeText } from '../../components/time-text.tsx'
import { usePageSearch, useRoleHindrance } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { auditQuery } from '../../queries.ts'
import { offsetOf } from '../../search-text.ts'
import { Details } from './details.tsx'
import { auditPath, auditSearch, follows, pageOf, PAGE_SIZE, type AuditSearch } from './page.model.ts'

const FILTERS = [
  { name: 'actor', label: 'Who', placeholder: 'user:…' },
  { name: 'action', label: 'What', placeholder: 'release.publish' },
  { name: 'subject', label: 'On which record', placeholder: 'RE_…' },
]

type Change = (change: Partial<AuditSearch>) => void

/** Who changed what, newest first. */
export default function AuditPage() {
  const [search, change] = usePageSearch(auditSearch)
  const hindrance = useRoleHindrance('audit.read')
  return (
    <>
      <PageTitle title="Audit" />
      {hindrance === null ? (
        <Trail search={search} change={change} />
      ) : (
        <Empty title="Only admins read the audit trail.">{hindrance}</Empty>
      )}
    </>
  )
}

function Trail({ search, change }: { readonly search: AuditSearch; readonly change: Change }) {
  const isFollowing = follows(search)
  const query = useQuery(auditQuery(usePageParts().api, auditPath(search), isFollowing))
  return (
    <>
      <TextFilters label="Filter the audit trail" filters={FILTERS} values={search} onChange={change}>
        <FollowBox isOn={isFollowing} onChange={(isOn) => change({ follow: isOn ? '' : 'no', offset: '' })} />
      </TextFilters>
      <QueryView query={query}>{(page) => <Listed page={page} search={search} change={change} />}</QueryView>
    </>
  )
}

function Listed({
  page,
  search,
  change,
}: {
  readonly page: Page<AuditEntry>
  readonly search: AuditSearch
  readonly change: Change
}) {
  if (page.results.length === 0)
    return <Empty title="No entry fits.">Each filter must be the whole text, such as user:ada.</Empty>
  return (
    <>
      <Table label="Audit trail" columns={['When', 'Who', 'What', 'On which record', 'Asked for']}>
        {page.results.map((entry) => (
          <tr key={entry.position}>
            <td data-name="When">
              <TimeText at={entry.at} form="clock" />
            </td>
            <td data-name="Who">{entry.actor}</td>
            <td data-name="What">{entry.action}</td>
            <td data-name="On which record">
              <Subject id={entry.subject} />
            </td>
            <td data-name="Asked for" className="wide small">
              <Details detail={entry.detail} />
            </td>
          </tr>
        ))}
      </Table>
      <Pager
        offset={offsetOf(search.offset)}
        size={PAGE_SIZE}
        count={page.count}
        onOffset={(offset) => change({ offset: offset === 0 ? '' : String(offset) })}
      />
    </>
  )
}

function Subject({ id }: { readonly id: string | null }) {
  const page = id === null ? null : pageOf(id)
  if (page === null) return <code>{id ?? '–'}</code>
  return (
    <Link to={page as never}>
      <code>{id}</code>
    </Link>
  )
}
