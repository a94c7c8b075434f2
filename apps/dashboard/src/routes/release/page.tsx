import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Release } from '../../api-types.ts'
import { EventBox } from '../../components/event-list.tsx'
import { Empty } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { usePageParts } from '../../page-parts.ts'
import { releaseLogQuery, releaseQuery } from '../../queries.ts'
import { ReleaseActions } from './actions.tsx'
import { Facts } from './facts.tsx'
import { Notes } from './notes.tsx'
import { Tasks } from './tasks.tsx'
import { TimelineView } from './timeline.tsx'

/** Everything about one release. */
export default function ReleasePage() {
  const { api } = usePageParts()
  const { id = '' } = useParams({ strict: false })
  const query = useQuery(releaseQuery(api, id))
  return (
    <>
      {query.data === undefined && <PageTitle title={`Release ${id}`} />}
      <QueryView query={query}>
        {(release) => <Shown release={release} answeredAt={query.dataUpdatedAt} />}
      </QueryView>
    </>
  )
}

function Shown({ release, answeredAt }: { readonly release: Release; readonly answeredAt: number }) {
  const log = useQuery(releaseLogQuery(usePageParts().api, release.kf_id))
  return (
    <>
      <PageTitle title={release.name}>
        <ReleaseActions release={release} />
      </PageTitle>
      <Facts release={release} />
      <Section title="Timeline">
        <QueryView query={log}>{(events) => <TimelineView release={release} events={events} />}</QueryView>
      </Section>
      <Section title={`Tasks (${release.tasks.length})`}>
        <Tasks release={release} answeredAt={answeredAt} />
      </Section>
      <Section title="Notes">
        <Notes release={release} />
      </Section>
      <Section title="Events">
        <QueryView query={log}>
          {(events) =>
            events.length === 0 ? (
              <Empty title="Nothing has happened yet." />
            ) : (
              <EventBox events={events} label="Events of the release, newest first" />
            )
          }
        </QueryView>
      </Section>
    </>
  )
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}
