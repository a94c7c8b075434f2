import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import {
  all,
  bump,
  contains,
  count,
  counterValue,
  given,
  holdService,
  page,
  textOrNull,
  underWay,
} from './query-parts.ts'

const RELEASE = [
  'kf_id', 'revision', 'name', 'description', 'state', 'version', 'tags', 'author', 'is_major', 'created_at',
  'since', 'due_at', 'outcome', 'reason', 'stopped_from', 'needs_attention',
] // prettier-ignore
const TASK_TEXTS = [
  'kf_id', 'release_id', 'task_service_id', 'state', 'message', 'summary', 'last_error', 'overdue',
] // prettier-ignore
const TASK_NUMBERS = [
  'place', 'progress', 'needs_attention', 'cancel_pending', 'created_at', 'since', 'last_activity_at',
  'accept_ms', 'silence_ms', 'total_ms', 'attempt',
] // prettier-ignore
const NEVER_CHANGE = ['kf_id', 'created_at']

const changing = (columns: readonly string[]) => all(columns.filter((name) => !NEVER_CHANGE.includes(name)))

/** Statements that write a release with its studies and tasks; none of them knows a rule. */
export function releaseWrites({ builder }: Database) {
  return {
    bump: bump(builder, 'releases'),
    insertRelease: prepare(
      builder
        .insertInto('releases')
        .values({ ...all(RELEASE), position: counterValue(builder, 'releases') })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateRelease: prepare(
      builder
        .updateTable('releases')
        .set(changing(RELEASE))
        .where('kf_id', '=', parameter('kf_id'))
        .where('revision', '=', parameter('was')),
    ),
    insertStudy: prepare(
      builder.insertInto('release_studies').values(all(['release_id', 'study_id', 'place'])),
    ),
    deleteStudies: prepare(
      builder.deleteFrom('release_studies').where('release_id', '=', parameter('release_id')),
    ),
    holdService: holdService(builder, parameter('task_service_id')),
    insertTask: prepare(builder.insertInto('tasks').values(all([...TASK_TEXTS, ...TASK_NUMBERS]))),
    updateTask: prepare(
      builder
        .updateTable('tasks')
        .set(changing([...TASK_TEXTS, ...TASK_NUMBERS]))
        .where('kf_id', '=', parameter('kf_id')),
    ),
    raiseVersion: prepare(
      builder
        .updateTable('versions')
        .set({ value: parameter('to') })
        .where('name', '=', sql.lit('latest'))
        .where('value', '=', parameter('from')),
    ),
  }
}

/** Statements that read one release, or what there is besides it. */
export function releaseReads({ builder, now }: Database) {
  const byRelease = (table: string) =>
    builder.selectFrom(table).where('release_id', '=', parameter('id')).orderBy('place')
  return {
    moment: prepare(
      builder
        .selectFrom('versions')
        .select(['value as latest_version', now.as('now')])
        .where('name', '=', sql.lit('latest')),
    ),
    release: prepare(builder.selectFrom('releases').selectAll().where('kf_id', '=', parameter('id'))),
    revision: prepare(builder.selectFrom('releases').select('revision').where('kf_id', '=', parameter('id'))),
    studies: prepare(byRelease('release_studies').select('study_id')),
    tasks: prepare(byRelease('tasks').selectAll()),
    underWay: prepare(
      builder
        .selectFrom('releases')
        .innerJoin('release_studies', 'release_studies.release_id', 'releases.kf_id')
        .select('kf_id')
        .distinct()
        .where('study_id', '=', parameter('study_id'))
        .where(underWay),
    ),
    due: prepare(
      builder
        .selectFrom('releases')
        .select(['kf_id', 'state'])
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(page.limit),
    ),
  }
}

/** Statements that list and count releases. */
export function releaseLists({ builder }: Database) {
  const listed = builder
    .selectFrom('releases')
    .where(given('state'))
    .where(contains('author'))
    .where(contains('name'))
    .where(
      sql<boolean>`(${textOrNull('study')} is null or exists (select 1 from release_studies
        where release_studies.release_id = releases.kf_id and study_id = ${textOrNull('study')}))`,
    )
  const ofStudy = builder
    .selectFrom('releases')
    .innerJoin('release_studies', 'release_studies.release_id', 'releases.kf_id')
    .where('study_id', '=', parameter('study_id'))
  const newest = (query: any) =>
    prepare(
      query
        .select('kf_id')
        .orderBy('created_at', 'desc')
        .orderBy('position', 'desc')
        .limit(page.limit)
        .offset(page.offset),
    )
  return {
    list: newest(listed),
    count: prepare(listed.select(count)),
    listOfStudy: newest(ofStudy),
    countOfStudy: prepare(ofStudy.select(count)),
    countActive: prepare(
      builder
        .selectFrom('releases')
        .select(count)
        .where(sql<boolean>`state in ('initializing', 'running', 'publishing', 'canceling')`),
    ),
    countByState: prepare(builder.selectFrom('releases').select(['state', count]).groupBy('state')),
    newestOfStudy: prepare(
      ofStudy
        .select(['version', 'created_at'])
        .where(given('state'))
        .orderBy('created_at', 'desc')
        .orderBy('position', 'desc')
        .limit(sql.lit(1)),
    ),
  }
}
