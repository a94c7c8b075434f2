import { Button, NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import type { Page, Release } from '../../api-types.ts'
import { HinderedButton } from '../../components/hindered-button.tsx'
import { LateInput } from '../../components/late-input.tsx'
import { Empty } from '../../components/notice.tsx'
import { Pager } from '../../components/pager.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { ReleaseTable } from '../../components/release-table.tsx'
import { useHindrance, usePageSearch } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { releasesQuery, studiesQuery } from '../../queries.ts'
import { offsetOf } from '../../search-text.ts'
import { RELEASE_STATES } from '../../states.ts'
import { isFiltered, PAGE_SIZE, releaseSearch, releasesPath, type ReleaseSearch } from './page.model.ts'

type Change = (change: Partial<ReleaseSearch>) => void

/** All releases, newest first. */
export default function ReleasesPage() {
  const { api } = usePageParts()
  const [search, change] = usePageSearch(releaseSearch)
  const query = useQuery(releasesQuery(api, releasesPath(search)))
  return (
    <>
      <PageTitle title="Releases">
        <NewButton />
      </PageTitle>
      <Filters search={search} change={change} />
      <QueryView query={query}>{(page) => <Found page={page} search={search} change={change} />}</QueryView>
    </>
  )
}

function NewButton() {
  const navigate = useNavigate()
  const hindrance = useHindrance('release.create')
  return (
    <HinderedButton hindrance={hindrance} onClick={() => void navigate({ to: '/releases/new' })}>
      New release
    </HinderedButton>
  )
}

function Filters({ search, change }: { readonly search: ReleaseSearch; readonly change: Change }) {
  const studies = useQuery(studiesQuery(usePageParts().api)).data?.results ?? []
  const text = (name: 'name' | 'author', label: string) => (
    <LateInput label={label} value={search[name] ?? ''} onChange={(value) => change({ [name]: value })} />
  )
  return (
    <form
      role="search"
      aria-label="Filter releases"
      className="filters"
      onSubmit={(event) => event.preventDefault()}
    >
      <NativeSelect
        size="xs"
        label="State"
        value={search.state ?? ''}
        onChange={(event) => change({ state: event.currentTarget.value })}
        data={[{ value: '', label: 'Any state' }, ...RELEASE_STATES]}
      />
      {text('name', 'Name contains')}
      {text('author', 'Author contains')}
      <NativeSelect
        size="xs"
        label="Study"
        value={search.study ?? ''}
        onChange={(event) => change({ study: event.currentTarget.value })}
        data={[
          { value: '', label: 'Any study' },
          ...studies.map(({ kf_id, name }) => ({ value: kf_id, label: `${name} (${kf_id})` })),
        ]}
      />
      {isFiltered(search) && (
        <Button
          size="xs"
          variant="default"
          className="at-end"
          onClick={() => change({ state: '', name: '', author: '', study: '' })}
        >
          Clear
        </Button>
      )}
    </form>
  )
}

function Found({
  page,
  search,
  change,
}: {
  readonly page: Page<Release>
  readonly search: ReleaseSearch
  readonly change: Change
}) {
  const offset = offsetOf(search.offset)
  if (page.results.length === 0) return <Nothing search={search} change={change} />
  return (
    <>
      <ReleaseTable releases={page.results} />
      <Pager
        offset={offset}
        size={PAGE_SIZE}
        count={page.count}
        onOffset={(next) => change({ offset: next === 0 ? '' : String(next) })}
      />
    </>
  )
}

function Nothing({ search, change }: { readonly search: ReleaseSearch; readonly change: Change }) {
  if (isFiltered(search))
    return <Empty title="No release fits these filters.">Clear a filter to see more.</Empty>
  if (offsetOf(search.offset) > 0)
    return (
      <Empty title="The list ends before this page.">
        <Button size="xs" variant="default" onClick={() => change({ offset: '' })}>
          To the newest
        </Button>
      </Empty>
    )
  return (
    <Empty title="There is no release yet.">
      Register a <Link to="/task-services">task service</Link> first, then make a new release.
    </Empty>
  )
}
