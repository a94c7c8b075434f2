import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Study } from '../../api-types.ts'
import { IdText } from '../../components/id-text.tsx'
import { LateInput } from '../../components/late-input.tsx'
import { Empty } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { Tag } from '../../components/state-badge.tsx'
import { Table } from '../../components/table.tsx'
import { TimeText } from '../../components/time-text.tsx'
import { usePageSearch } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { studiesQuery } from '../../queries.ts'
import { studiesLike, studySearch } from './page.model.ts'
import { SyncStudies } from './sync.tsx'

/** All studies that the coordinator knows. */
export default function StudiesPage() {
  const [search, change] = usePageSearch(studySearch)
  const query = useQuery(studiesQuery(usePageParts().api))
  return (
    <>
      <PageTitle title="Studies">
        <SyncStudies />
      </PageTitle>
      <form
        role="search"
        aria-label="Filter studies"
        className="filters"
        onSubmit={(event) => event.preventDefault()}
      >
        <LateInput
          label="Name or id contains"
          value={search.name ?? ''}
          onChange={(name) => change({ name })}
        />
      </form>
      <QueryView query={query}>
        {({ results }) => <Listed all={results.length} studies={studiesLike(results, search.name)} />}
      </QueryView>
    </>
  )
}

const COLUMNS = ['Study', 'Newest release', 'Published as', 'Published', 'State']

function Listed({ all, studies }: { readonly all: number; readonly studies: readonly Study[] }) {
  if (all === 0)
    return <Empty title="There are no studies yet.">Synchronise to read them from the Data Service.</Empty>
  if (studies.length === 0) return <Empty title="No study fits.">Change the filter to see more.</Empty>
  return (
    <Table label="Studies" columns={COLUMNS}>
      {studies.map((study) => (
        <tr key={study.kf_id}>
          <td data-name="Study" className="wide">
            <Link to="/studies/$id" params={{ id: study.kf_id }} className="strong">
              {study.name}
            </Link>
            <br />
            <IdText id={study.kf_id} />
          </td>
          <td data-name="Newest release" className="number">
            {study.version ?? 'none'}
          </td>
          <td data-name="Published as" className="number">
            {study.last_pub_version ?? 'never'}
          </td>
          <td data-name="Published">{study.last_pub_date ? <TimeText at={study.last_pub_date} /> : '–'}</td>
          <td data-name="State">
            <StudyTags study={study} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

/** What is unusual about a study. */
export function StudyTags({ study }: { readonly study: Study }) {
  if (study.deleted) return <Tag tone="stopped" sign="■" text="gone from the Data Service" />
  return study.visible ? (
    <Tag tone="good" sign="✓" text="visible" />
  ) : (
    <Tag tone="idle" sign="○" text="hidden" />
  )
}
