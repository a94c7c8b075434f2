import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { all, bump, count, counterValue, given, page } from './query-parts.ts'

const SHOWN = [
  'note.kf_id', 'note.revision', 'note.description', 'note.author', 'note.release_id', 'part.study_id',
  'note.created_at',
] // prettier-ignore
const FIELDS = ['description', 'author', 'release_id', 'study_id']

const id = parameter('id')

/** The names of the places for the releases whose notes are asked for together. */
export const RELEASE_PLACES: readonly string[] = Array.from({ length: 50 }, (_, index) => `release_${index}`)

/**
 * Notes as they are shown. The study is read from the release's own list: one that a waiting release has lost since is
 * null here, whoever wrote first (CR-34).
 */
export function shownNotes({ builder }: Database) {
  const notes = builder
    .selectFrom('release_notes as note')
    .leftJoin('release_studies as part', (join) =>
      join.onRef('part.release_id', '=', 'note.release_id').onRef('part.study_id', '=', 'note.study_id'),
    )
  return { notes, shown: SHOWN }
}

/** Statements that read notes. */
export function noteReads(database: Database) {
  const { notes } = shownNotes(database)
  const listed = notes
    .where(given('note.author', 'author'))
    .where(given('note.release_id', 'release'))
    .where(given('part.study_id', 'study'))
  const newest = (query: typeof notes) =>
    query.select(SHOWN).orderBy('note.created_at', 'desc').orderBy('note.position', 'desc')
  return {
    get: prepare(notes.select(SHOWN).where('note.kf_id', '=', id)),
    list: prepare(newest(listed).limit(page.limit).offset(page.offset)),
    count: prepare(listed.select(count)),
    ofReleases: prepare(
      newest(
        notes.where(
          'note.release_id',
          'in',
          RELEASE_PLACES.map((name) => parameter(name)),
        ),
      ),
    ),
  }
}

/** Statements that write notes; none of them knows a rule. */
export function noteWrites({ builder, now }: Database) {
  const own = (query: any) => query.where('kf_id', '=', id)
  const release = parameter('release_id')
  return {
    // What the note is about is written as it is: from here to the commit nobody takes it away (decisions/003).
    holdRelease: prepare(
      builder
        .updateTable('releases')
        .set({ revision: sql.ref('revision') })
        .where('kf_id', '=', release),
    ),
    holdStudy: prepare(
      builder
        .updateTable('release_studies')
        .set({ place: sql.ref('place') })
        .where('release_id', '=', release)
        .where('study_id', '=', parameter('study_id')),
    ),
    bump: bump(builder, 'release_notes'),
    insert: prepare(
      builder
        .insertInto('release_notes')
        .values({
          ...all(FIELDS),
          kf_id: id,
          revision: sql.lit(0),
          created_at: now,
          position: counterValue(builder, 'release_notes'),
        })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare(
      own(builder.updateTable('release_notes'))
        .set({ ...all(FIELDS), revision: sql`revision + 1` })
        .where('revision', '=', parameter('was')),
    ),
    remove: prepare(own(builder.deleteFrom('release_notes'))),
  }
}
