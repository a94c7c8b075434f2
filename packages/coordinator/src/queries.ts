import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'

/** A named parameter for each column. */
export const all = (columns: readonly string[]) =>
  Object.fromEntries(columns.map((name) => [name, parameter(name)]))
const optional = (name: string) => sql`cast(${parameter(name)} as text)`
const given = (column: string, name = column) =>
  sql<boolean>`(${optional(name)} is null or ${sql.ref(column)} = ${optional(name)})`

const RELEASE = [
  'kf_id', 'revision', 'name', 'description', 'state', 'version', 'tags', 'author', 'is_major', 'created_at',
  'since', 'due_at', 'outcome', 'reason', 'stopped_from',
] // prettier-ignore
const TASK = [
  'kf_id', 'release_id', 'task_service_id', 'place', 'state', 'progress', 'message', 'summary', 'last_error',
  'needs_attention', 'cancel_pending', 'created_at', 'since', 'last_activity_at',
] // prettier-ignore
const NEVER_CHANGE = ['kf_id', 'created_at']

function bump(builder: Database['builder'], counter: string) {
  return prepare(
    builder
      .updateTable('counters')
      .set({ value: sql`value + 1` })
      .where('name', '=', sql.lit(counter)),
  )
}

function counterValue(builder: Database['builder'], counter: string) {
  return builder.selectFrom('counters').select('value').where('name', '=', sql.lit(counter))
}

const page = { limit: parameter('limit'), offset: parameter('offset') }
const count = sql<number>`count(*)`.as('count')

/** Every statement on releases, their studies and their tasks; none of them knows a rule. */
export function releaseQueries({ builder, now }: Database) {
  const changing = (columns: readonly string[]) => all(columns.filter((name) => !NEVER_CHANGE.includes(name)))
  const listed = builder.selectFrom('releases').where(given('state'))
  const ofStudy = builder
    .selectFrom('releases')
    .innerJoin('release_studies', 'release_studies.release_id', 'releases.kf_id')
    .where('study_id', '=', parameter('study_id'))
  const newest = <T extends typeof listed>(query: T) =>
    query.orderBy('created_at', 'desc').orderBy('position', 'desc').limit(page.limit).offset(page.offset)
  return {
    moment: prepare(
      builder
        .selectFrom('versions')
        .select(['value as latest_version', now.as('now')])
        .where('name', '=', sql.lit('latest')),
    ),
    release: prepare(builder.selectFrom('releases').selectAll().where('kf_id', '=', parameter('id'))),
    studies: prepare(
      builder
        .selectFrom('release_studies')
        .select('study_id')
        .where('release_id', '=', parameter('id'))
        .orderBy('place'),
    ),
    tasks: prepare(
      builder.selectFrom('tasks').selectAll().where('release_id', '=', parameter('id')).orderBy('place'),
    ),
    bump: bump(builder, 'releases'),
    insertRelease: prepare(
      builder
        .insertInto('releases')
        .values({ ...all(RELEASE), position: counterValue(builder, 'releases') } as any)
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
    insertTask: prepare(
      builder
        .insertInto('tasks')
        .values(all(TASK))
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateTask: prepare(
      builder.updateTable('tasks').set(changing(TASK)).where('kf_id', '=', parameter('kf_id')),
    ),
    raiseVersion: prepare(
      builder
        .updateTable('versions')
        .set({ value: parameter('to') })
        .where('name', '=', sql.lit('latest'))
        .where('value', '=', parameter('from')),
    ),
    list: prepare(newest(listed.select('kf_id') as any) as any),
    count: prepare(listed.select(count)),
    listOfStudy: prepare(newest(ofStudy.select('kf_id') as any) as any),
    countOfStudy: prepare(ofStudy.select(count)),
    underWay: prepare(
      builder
        .selectFrom('releases')
        .innerJoin('release_studies', 'release_studies.release_id', 'releases.kf_id')
        .select('kf_id')
        .distinct()
        .where('study_id', '=', parameter('study_id'))
        .where('state', 'not in', [sql.lit('published'), sql.lit('canceled'), sql.lit('failed')]),
    ),
    due: prepare(
      builder
        .selectFrom('releases')
        .select(['kf_id', 'state'])
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(page.limit),
    ),
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

/** Statements that look at tasks across releases. */
export function taskQueries({ builder, now }: Database) {
  const listed = builder
    .selectFrom('tasks')
    .where(given('release_id', 'release'))
    .where(given('task_service_id', 'task_service'))
    .where(given('state'))
  return {
    releaseOf: prepare(builder.selectFrom('tasks').select('release_id').where('kf_id', '=', parameter('id'))),
    list: prepare(
      listed.selectAll().orderBy('created_at', 'desc').orderBy('place').limit(page.limit).offset(page.offset),
    ),
    count: prepare(listed.select(count)),
    countWorking: prepare(
      builder
        .selectFrom('tasks')
        .select(count)
        .where(sql<boolean>`state in ('running', 'publishing')`),
    ),
    pollFrom: prepare(
      builder
        .insertInto('polls')
        .values({
          ...all(['task_id', 'release_id']),
          due_at: sql`${now} + ${parameter('interval_ms')}`,
        } as any)
        .onConflict((conflict) => conflict.column('task_id').doUpdateSet({ due_at: sql`excluded.due_at` })),
    ),
    pollNoMore: prepare(builder.deleteFrom('polls').where('task_id', '=', parameter('task_id'))),
    pollsDue: prepare(
      builder
        .selectFrom('polls')
        .selectAll()
        .select(now.as('now'))
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(page.limit),
    ),
    allPolls: prepare(builder.selectFrom('polls').selectAll().select(now.as('now'))),
    claimPoll: prepare(
      builder
        .updateTable('polls')
        .set({ due_at: sql`${now} + ${parameter('interval_ms')}` })
        .where('task_id', '=', parameter('task_id'))
        .where('due_at', '=', parameter('was')),
    ),
  }
}

const EVENT = ['kf_id', 'event_type', 'message', 'release_id', 'task_service_id', 'task_id', 'created_at']

export function eventQueries({ builder }: Database) {
  const listed = builder
    .selectFrom('events')
    .where(given('release_id', 'release'))
    .where(given('task_service_id', 'task_service'))
    .where(given('task_id', 'task'))
  return {
    bump: bump(builder, 'events'),
    insert: prepare(
      builder
        .insertInto('events')
        .values({ ...all(EVENT), position: counterValue(builder, 'events') } as any),
    ),
    get: prepare(builder.selectFrom('events').selectAll().where('kf_id', '=', parameter('id'))),
    list: prepare(listed.selectAll().orderBy('position', 'desc').limit(page.limit).offset(page.offset)),
    count: prepare(listed.select(count)),
  }
}

/** Statements on the outbox of actions. */
export function actionQueries({ builder, now }: Database) {
  const own = builder.updateTable('actions').where('task_id', '=', parameter('task_id'))
  return {
    put: prepare(
      builder
        .insertInto('actions')
        .values({
          ...all(['task_id', 'release_id', 'action', 'sequence']),
          due_at: now,
          deadline_at: sql`${now} + ${parameter('for_ms')}`,
          failures: sql.lit(0),
          ask_first: sql.lit(0),
        } as any)
        .onConflict((conflict) =>
          conflict.column('task_id').doUpdateSet({
            sequence: sql`excluded.sequence`,
            action: sql`excluded.action`,
            due_at: sql`excluded.due_at`,
            deadline_at: sql`excluded.deadline_at`,
            failures: sql.lit(0),
            ask_first: sql.lit(0),
            last_error: sql`null`,
          }),
        ),
    ),
    told: prepare(
      builder
        .deleteFrom('actions')
        .where('task_id', '=', parameter('task_id'))
        .where('action', '=', parameter('action')),
    ),
    due: prepare(
      builder
        .selectFrom('actions')
        .selectAll()
        .select(now.as('now'))
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(page.limit),
    ),
    ofRelease: prepare(
      builder.selectFrom('actions').selectAll().where('release_id', '=', parameter('release_id')),
    ),
    nextDue: prepare(builder.selectFrom('actions').select([sql`min(due_at)`.as('due_at'), now.as('now')])),
    // From here on the service may have heard it: whoever takes the row over asks before repeating.
    claim: prepare(
      own
        .set({
          claimed_by: parameter('owner'),
          claimed_until: sql`${now} + ${parameter('claim_ms')}`,
          ask_first: sql.lit(1),
        })
        .where('sequence', '=', parameter('sequence'))
        .where(sql<boolean>`coalesce(claimed_until, 0) = ${parameter('claimed_was')}`),
    ),
    again: prepare(
      own
        .set({
          due_at: sql`${now} + ${parameter('delay_ms')}`,
          failures: parameter('failures'),
          ask_first: parameter('ask_first'),
          last_error: parameter('last_error'),
        })
        .where('sequence', '=', parameter('sequence')),
    ),
    remove: prepare(
      builder
        .deleteFrom('actions')
        .where('task_id', '=', parameter('task_id'))
        .where('sequence', '=', parameter('sequence')),
    ),
    unclaim: prepare(
      own
        .set({ claimed_by: sql`null`, claimed_until: sql`null` })
        .where('claimed_by', '=', parameter('owner')),
    ),
  }
}

const SERVICE = ['kf_id', 'name', 'description', 'url', 'author', 'enabled', 'last_ok_status', 'created_at']

export function serviceQueries({ builder, now }: Database) {
  const services = builder.selectFrom('task_services')
  const enabled = sql<boolean>`(cast(${parameter('enabled')} as bigint) is null or enabled = cast(${parameter('enabled')} as bigint))`
  const listed = services.where(enabled)
  return {
    get: prepare(services.selectAll().where('kf_id', '=', parameter('id'))),
    byUrl: prepare(services.selectAll().where('url', '=', parameter('url'))),
    all: prepare(services.selectAll().orderBy('created_at')),
    enabled: prepare(
      services.selectAll().where('enabled', '=', sql.lit(1)).orderBy('created_at').orderBy('kf_id'),
    ),
    list: prepare(
      listed.selectAll().orderBy('created_at', 'desc').orderBy('kf_id').limit(page.limit).offset(page.offset),
    ),
    count: prepare(listed.select(count)),
    insert: prepare(
      builder
        .insertInto('task_services')
        .values({ ...all(SERVICE), created_at: now, check_due_at: now } as any)
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare(
      builder
        .updateTable('task_services')
        .set(all(['name', 'description', 'url', 'author', 'enabled']))
        .where('kf_id', '=', parameter('kf_id')),
    ),
    remove: prepare(builder.deleteFrom('task_services').where('kf_id', '=', parameter('id'))),
    removeTasks: prepare(builder.deleteFrom('tasks').where('task_service_id', '=', parameter('id'))),
    unlinkEvents: prepare(
      builder
        .updateTable('events')
        .set({ task_service_id: sql`null`, task_id: sql`null` })
        .where('task_service_id', '=', parameter('id')),
    ),
    inUse: prepare(
      builder
        .selectFrom('tasks')
        .innerJoin('releases', 'releases.kf_id', 'tasks.release_id')
        .select('releases.kf_id')
        .where('task_service_id', '=', parameter('id'))
        .where('releases.state', 'not in', [sql.lit('published'), sql.lit('canceled'), sql.lit('failed')])
        .limit(sql.lit(1)),
    ),
    // The counter alone, never the whole row: an edit made meanwhile must not be undone (F-04).
    healthy: prepare(
      builder
        .updateTable('task_services')
        .set({ last_ok_status: sql.lit(0) })
        .where('kf_id', '=', parameter('id')),
    ),
    unhealthy: prepare(
      builder
        .updateTable('task_services')
        .set({ last_ok_status: sql`last_ok_status + 1` })
        .where('kf_id', '=', parameter('id')),
    ),
    checksDue: prepare(services.selectAll().where('check_due_at', '<=', now).limit(page.limit)),
    claimCheck: prepare(
      builder
        .updateTable('task_services')
        .set({ check_due_at: sql`${now} + ${parameter('interval_ms')}` })
        .where('kf_id', '=', parameter('id'))
        .where('check_due_at', '=', parameter('was')),
    ),
  }
}

export function studyQueries({ builder }: Database) {
  const studies = builder.selectFrom('studies')
  return {
    get: prepare(studies.selectAll().where('kf_id', '=', parameter('id'))),
    all: prepare(studies.selectAll()),
    list: prepare(
      studies
        .selectAll()
        // "nulls first" is not the same word everywhere
        .orderBy(sql`case when created_at is null then 0 else 1 end`)
        .orderBy('created_at', 'desc')
        .orderBy('kf_id')
        .limit(page.limit)
        .offset(page.offset),
    ),
    count: prepare(studies.select(count)),
    put: prepare(
      builder
        .insertInto('studies')
        .values({ ...all(['kf_id', 'name', 'visible', 'created_at']), deleted: sql.lit(0) } as any)
        .onConflict((conflict) =>
          conflict.column('kf_id').doUpdateSet({
            name: sql`excluded.name`,
            visible: sql`excluded.visible`,
            created_at: sql`excluded.created_at`,
            deleted: sql.lit(0),
          }),
        ),
    ),
    remove: prepare(
      builder
        .updateTable('studies')
        .set({ deleted: sql.lit(1) })
        .where('kf_id', '=', parameter('kf_id')),
    ),
  }
}
