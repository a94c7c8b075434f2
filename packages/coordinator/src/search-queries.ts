import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { contains, count, given, numberOrNull, page, textOrNull } from './query-parts.ts'
import { shownNotes } from './note-queries.ts'

/** The names of the places for ids that are asked for together. */
export const ID_PLACES: readonly string[] = Array.from({ length: 50 }, (_, index) => `id_${index}`)

const places = ID_PLACES.map((name) => parameter<string>(name))

const createdWithin = (column = 'created_at') =>
  sql<boolean>`(${numberOrNull('created_before')} is null or ${sql.ref(column)} < ${numberOrNull('created_before')})
    and (${numberOrNull('created_after')} is null or ${sql.ref(column)} > ${numberOrNull('created_after')})`

const ofStudy = sql<boolean>`(${textOrNull('study')} is null or exists (select 1 from release_studies
  where release_studies.release_id = releases.kf_id and study_id = ${textOrNull('study')}))`

const flagGiven = (column: string) =>
  sql<boolean>`(${numberOrNull(column)} is null or ${sql.ref(column)} = ${numberOrNull(column)})`

/** One list in both directions, and how long it is. */
function bothWays(listed: any, shown: (query: any) => any, ...order: readonly string[]) {
  const ordered = (direction: 'asc' | 'desc') =>
    prepare(
      order
        .reduce((query, column) => query.orderBy(column, direction), shown(listed))
        .limit(page.limit)
        .offset(page.offset),
    )
  return { oldest: ordered('asc'), newest: ordered('desc'), count: prepare(listed.select(count)) }
}

const whole = (query: any) => query.selectAll()

/** Statements that search what grows with every release: each filter and each window is the database's work. */
export function searchQueries(database: Database) {
  const { builder } = database
  const releases = builder
    .selectFrom('releases')
    .where(given('version'))
    .where(given('state'))
    .where(given('author'))
    .where(given('name'))
    .where(flagGiven('is_major'))
    .where(contains('name', 'name_contains'))
    .where(createdWithin())
    .where(ofStudy)
  const tasks = builder
    .selectFrom('tasks')
    .where(given('kf_id'))
    .where(given('release_id', 'release'))
    .where(given('task_service_id', 'task_service'))
    .where(given('state'))
    .where(createdWithin())
  const events = builder
    .selectFrom('events')
    .where(given('release_id', 'release'))
    .where(given('task_service_id', 'task_service'))
    .where(given('task_id', 'task'))
    .where(given('event_type'))
    .where(contains('message', 'message_contains'))
    .where(createdWithin())
  return {
    releases: bothWays(releases, whole, 'created_at', 'position'),
    tasks: bothWays(tasks, whole, 'created_at', 'place', 'kf_id'),
    events: bothWays(events, whole, 'position'),
    notes: noteSearch(database),
    releasesById: prepare(builder.selectFrom('releases').selectAll().where('kf_id', 'in', places)),
    tasksById: prepare(builder.selectFrom('tasks').selectAll().where('kf_id', 'in', places)),
    studiesOf: prepare(
      builder
        .selectFrom('release_studies')
        .select(['release_id', 'study_id'])
        .where('release_id', 'in', places)
        .orderBy('place'),
    ),
  }
}

function noteSearch(database: Database) {
  const { notes, shown } = shownNotes(database)
  const listed = notes
    .where(given('note.kf_id', 'kf_id'))
    .where(given('note.author', 'author'))
    .where(given('note.release_id', 'release'))
    .where(given('part.study_id', 'study'))
    .where(createdWithin('note.created_at'))
  return bothWays(listed, (query) => query.select(shown), 'note.created_at', 'note.position')
}
