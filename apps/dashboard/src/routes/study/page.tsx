import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { idOf, type Study } from '../../api-types.ts'
import { IdText } from '../../components/id-text.tsx'
import { NoteText } from '../../components/note-text.tsx'
import { Empty } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { Pager } from '../../components/pager.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { ReleaseTable } from '../../components/release-table.tsx'
import { TimeText } from '../../components/time-text.tsx'
import { usePageSearch } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { notesQuery, releasesQuery, studyQuery } from '../../queries.ts'
import { offsetOf } from '../../search-text.ts'
import { StudyTags } from '../studies/page.tsx'
import { notesOfStudyPath, PAGE_SIZE, releasesOfStudyPath, studyPageSearch } from './page.model.ts'

/** One study, with its releases and what was written about it. */
export default function StudyPage() {
  const { id = '' } = useParams({ strict: false })
  const query = useQuery(studyQuery(usePageParts().api, id))
  return (
    <>
      <PageTitle title={query.data?.name ?? `Study ${id}`} />
      <QueryView query={query}>{(study) => <Facts study={study} />}</QueryView>
      <section className="panel" aria-label="Its releases">
        <h2>Releases</h2>
        <Releases id={id} />
      </section>
      <section className="panel" aria-label="Its notes">
        <h2>Notes</h2>
        <NotesOnIt id={id} />
      </section>
    </>
  )
}

function Facts({ study }: { readonly study: Study }) {
  return (
    <section className="panel facts-line" aria-label="The study">
      <StudyTags study={study} />
      <span>
        Newest release <strong className="number">{study.version ?? 'none'}</strong>
      </span>
      <span>
        Published as <strong className="number">{study.last_pub_version ?? 'never'}</strong>
        {study.last_pub_date && (
          <>
            , <TimeText at={study.last_pub_date} />
          </>
        )}
      </span>
      <IdText id={study.kf_id} />
    </section>
  )
}

function Releases({ id }: { readonly id: string }) {
  const [search, change] = usePageSearch(studyPageSearch)
  const query = useQuery(releasesQuery(usePageParts().api, releasesOfStudyPath(id, search.offset)))
  return (
    <QueryView query={query}>
      {({ results, count }) =>
        count === 0 ? (
          <Empty title="It was in no release yet.">
            <Link to="/releases/new">Make a new release</Link> with it.
          </Empty>
        ) : (
          <>
            <ReleaseTable releases={results} />
            <Pager
              offset={offsetOf(search.offset)}
              size={PAGE_SIZE}
              count={count}
              onOffset={(offset) => change({ offset: offset === 0 ? '' : String(offset) })}
            />
          </>
        )
      }
    </QueryView>
  )
}

function NotesOnIt({ id }: { readonly id: string }) {
  const query = useQuery(notesQuery(usePageParts().api, notesOfStudyPath(id)))
  return (
    <QueryView query={query}>
      {({ results }) =>
        results.length === 0 ? (
          <Empty title="Nobody wrote about it yet.">Notes are written on the page of a release.</Empty>
        ) : (
          results.map((note) => (
            <NoteText key={note.kf_id} note={note}>
              <Link to="/releases/$id" params={{ id: idOf(note.release) }}>
                release {idOf(note.release)}
              </Link>
            </NoteText>
          ))
        )
      }
    </QueryView>
  )
}
