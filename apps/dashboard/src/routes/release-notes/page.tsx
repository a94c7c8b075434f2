import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { idOf, type Note } from '../../api-types.ts'
import { TextFilters } from '../../components/list-page.tsx'
import { NoteText } from '../../components/note-text.tsx'
import { Empty } from '../../components/notice.tsx'
import { Pager } from '../../components/pager.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { QueryView } from '../../components/query-view.tsx'
import { usePageSearch, useStudyNames } from '../../components/use-page.ts'
import { usePageParts } from '../../page-parts.ts'
import { notesQuery } from '../../queries.ts'
import { offsetOf } from '../../search-text.ts'
import { noteSearch, notesPath, PAGE_SIZE } from './page.model.ts'

const FILTERS = [
  { name: 'author', label: 'Author' },
  { name: 'release', label: 'Release', placeholder: 'RE_…' },
  { name: 'study', label: 'Study', placeholder: 'SD_…' },
]

/** Notes of all releases, newest first. */
export default function NotesPage() {
  const [search, change] = usePageSearch(noteSearch)
  const query = useQuery(notesQuery(usePageParts().api, notesPath(search)))
  return (
    <>
      <PageTitle title="Notes" />
      <TextFilters label="Filter notes" filters={FILTERS} values={search} onChange={change} />
      <QueryView query={query}>
        {({ results, count }) => (
          <section className="panel" aria-label="Notes">
            <h2 className="visually-hidden">What people wrote</h2>
            {results.length === 0 && (
              <Empty title="No note here.">Notes are written on the page of a release.</Empty>
            )}
            {results.map((note) => (
              <Row key={note.kf_id} note={note} />
            ))}
            <Pager
              offset={offsetOf(search.offset)}
              size={PAGE_SIZE}
              count={count}
              onOffset={(offset) => change({ offset: offset === 0 ? '' : String(offset) })}
            />
          </section>
        )}
      </QueryView>
    </>
  )
}

function Row({ note }: { readonly note: Note }) {
  const nameOf = useStudyNames()
  const study = idOf(note.study)
  const release = idOf(note.release)
  return (
    <NoteText note={note}>
      <Link to="/releases/$id" params={{ id: release }}>
        release {release}
      </Link>
      {study !== null && (
        <Link to="/studies/$id" params={{ id: study }}>
          {nameOf(study)}
        </Link>
      )}
    </NoteText>
  )
}
