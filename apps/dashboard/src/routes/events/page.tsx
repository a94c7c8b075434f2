import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Page, ReleaseEvent } from '../../api-types.ts'
import { EventRow } from '../../components/event-list.tsx'
import { FollowBox, TextFilters } from '../../components/list-page.tsx'
import { Empty } from '../../components/notice.tsx'
import { Pager } from '../../components/pager.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { usePageSearch } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { eventsQuery } from '../../queries.ts'
import { offsetOf } from '../../search-text.ts'
import { eventSearch, eventsPath, follows, PAGE_SIZE, type EventSearch } from './page.model.ts'

const FILTERS = [
  { name: 'release', label: 'Release', placeholder: 'RE_…' },
  { name: 'task_service', label: 'Task service', placeholder: 'TS_…' },
  { name: 'task', label: 'Task', placeholder: 'TA_…' },
]

/** Everything that happened, newest first. */
export default function EventsPage() {
  const { api } = usePageParts()
  const [search, change] = usePageSearch(eventSearch)
  const isFollowing = follows(search)
  const query = useQuery(eventsQuery(api, eventsPath(search), isFollowing))
  return (
    <>
      <PageTitle title="Events" />
      <TextFilters label="Filter events" filters={FILTERS} values={search} onChange={change}>
        <NativeSelect
          size="xs"
          label="Type"
          value={search.type ?? ''}
          data={[{ value: '', label: 'any' }, 'info', 'warning', 'error']}
          onChange={(event) => change({ type: event.currentTarget.value })}
        />
        <FollowBox isOn={isFollowing} onChange={(isOn) => change({ follow: isOn ? '' : 'no', offset: '' })} />
      </TextFilters>
      <QueryView query={query}>{(page) => <Listed page={page} search={search} change={change} />}</QueryView>
    </>
  )
}

function Listed(props: {
  readonly page: Page<ReleaseEvent>
  readonly search: EventSearch
  readonly change: (change: Partial<EventSearch>) => void
}) {
  const { page, search, change } = props
  return (
    <section className="panel" aria-label="Events">
      {page.results.length === 0 ? (
        <Empty title="No event here.">Change a filter to see more.</Empty>
      ) : (
        page.results.map((event) => <EventRow key={event.kf_id} event={event} isLinked />)
      )}
      <Pager
        offset={offsetOf(search.offset)}
        size={PAGE_SIZE}
        count={page.count}
        onOffset={(offset) => change({ offset: offset === 0 ? '' : String(offset) })}
      />
    </section>
  )
}
