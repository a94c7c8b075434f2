import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { LEASE_COLUMNS } from './row.ts'

/** Every column of `tasks`. */
// prettier-ignore
const COLUMNS = [
  'id', 'revision', 'release_id', 'studies', 'state', 'tombstone', 'progress', 'best_progress', 'message',
  'summary', 'staged', 'work', 'due_at', 'held', 'attempt', 'lease_owner', 'lease_work', 'lease_expires_at',
  'failures', 'crashes', 'last_error', 'since', 'last_progress_at', 'needs_attention', 'ended_from',
  'cancel_requested_at', 'cancel_acknowledged_at', 'cleanup', 'cleanup_ended_at', 'missing_since',
  'check_due_at', 'initialized_version', 'ran_version', 'created_at', 'updated_at',
  'work_attempt',
] as const

const all = (columns: readonly string[]) => Object.fromEntries(columns.map((name) => [name, parameter(name)]))
const optional = (name: string) => sql`cast(${parameter(name)} as text)`
const number = (name: string) => sql`cast(${parameter(name)} as bigint)`

/** Statements on one row of `tasks`; like all here, they know no rule. */
export function taskQueries({ builder, now }: Database) {
  const leases: readonly string[] = LEASE_COLUMNS
  const changing = COLUMNS.filter((name) => name !== 'id')
  const unleased = changing.filter((name) => !leases.includes(name))
  const same = builder
    .updateTable('tasks')
    .where('id', '=', parameter('id'))
    .where('revision', '=', parameter('was'))
  const unrenewed = sql<boolean>`coalesce(lease_expires_at, 0) = coalesce(${number('guard')}, lease_expires_at, 0)`
  return {
    one: prepare(builder.selectFrom('tasks').selectAll().where('id', '=', parameter('id'))),
    // One row always, so that the clock comes along for a task that there is not.
    load: prepare(
      builder
        .selectFrom(sql`(select 1 as one)`.as('always'))
        .leftJoin('tasks', (join) => join.on('tasks.id', '=', parameter('id')))
        .selectAll('tasks')
        .select(now.as('now')),
    ),
    insert: prepare(
      builder
        .insertInto('tasks')
        .values(all(COLUMNS))
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare(same.set(all(unleased))),
    updateLease: prepare(same.set(all(changing)).where(unrenewed)),
  }
}

/** Statements of the renewal, which runs beside everything else. */
export function leaseQueries({ builder, now }: Database) {
  return {
    renew: prepare(
      builder
        .updateTable('tasks')
        .set({ lease_expires_at: sql`${now} + ${parameter('lease_ms')}` })
        .where('id', '=', parameter('id'))
        .where('attempt', '=', parameter('attempt'))
        .where('lease_owner', '=', parameter('owner')),
    ),
    wanted: prepare(
      builder.selectFrom('tasks').select(['work', 'lease_work']).where('id', '=', parameter('id')),
    ),
  }
}

/** Statements that find tasks. */
export function listQueries({ builder, now }: Database) {
  const known = builder.selectFrom('tasks').where('tombstone', '=', sql.lit(0))
  const filtered = known
    .where(sql<boolean>`(${optional('state')} is null or state = ${optional('state')})`)
    .where(sql<boolean>`(${optional('release_id')} is null or release_id = ${optional('release_id')})`)
  const beyond = sql<boolean>`(due_at > ${number('after_due_at')} or (due_at = ${number('after_due_at')} and id > ${parameter('after_id')}))`
  const count = sql<number>`count(*)`.as('count')
  return {
    list: prepare(
      filtered
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(parameter('limit'))
        .offset(parameter('offset')),
    ),
    count: prepare(filtered.select(count)),
    countByState: prepare(known.select(['state', count]).groupBy('state')),
    underWay: prepare(
      known
        .select('release_id')
        .distinct()
        .where(sql<boolean>`(state not in ('published', 'failed', 'canceled') or work is not null)`),
    ),
    // What somebody does is not late, whenever it was due.
    oldestDue: prepare(
      builder
        .selectFrom('tasks')
        .select([sql`min(due_at)`.as('due_at'), now.as('now')])
        .where('due_at', '<=', now)
        .where(sql<boolean>`coalesce(lease_expires_at, 0) <= ${now}`),
    ),
    due: prepare(
      builder
        .selectFrom('tasks')
        .select(['id', 'due_at', 'lease_owner', 'lease_expires_at', now.as('now')])
        .where('due_at', '<=', now)
        .where(beyond)
        .orderBy('due_at')
        .orderBy('id')
        .limit(parameter('limit')),
    ),
    checksDue: prepare(
      builder
        .selectFrom('tasks')
        .select('id')
        .where('check_due_at', '<=', now)
        .orderBy('check_due_at')
        .limit(parameter('limit')),
    ),
  }
}

/** Statements that remove what was remembered of ids that never became tasks. */
export function tombstoneQueries({ builder, now }: Database) {
  const old = builder
    .selectFrom('tasks')
    .select('id')
    .where('tombstone', '=', sql.lit(1))
    .where('created_at', '<', sql<number>`${now} - ${parameter('age_ms')}`)
  return {
    removeEvents: prepare(builder.deleteFrom('events').where('task_id', 'in', old)),
    remove: prepare(builder.deleteFrom('tasks').where('id', 'in', old)),
  }
}

/** Statements that remove what is kept for a time only, of tasks that ended so long ago. */
export function expiryQueries({ builder, now }: Database) {
  const ended = builder
    .selectFrom('tasks')
    .select('id')
    .where(sql<boolean>`state in ('published', 'failed', 'canceled') and work is null`)
    .where('updated_at', '<', sql<number>`${now} - ${parameter('age_ms')}`)
  return {
    events: prepare(builder.deleteFrom('events').where('task_id', 'in', ended)),
    steps: prepare(builder.deleteFrom('steps').where('task_id', 'in', ended)),
  }
}

/** Statements on events and steps. */
export function historyQueries({ builder }: Database) {
  const position = builder.selectFrom('counters').select('value').where('name', '=', sql.lit('events'))
  const events = builder.selectFrom('events').selectAll().where('task_id', '=', parameter('task_id'))
  const steps = builder
    .selectFrom('steps')
    .where('task_id', '=', parameter('task_id'))
    .where('version', '=', parameter('version'))
    .where('work', '=', parameter('work'))
  return {
    bump: prepare(
      builder
        .updateTable('counters')
        .set({ value: sql`value + 1` })
        .where('name', '=', sql.lit('events')),
    ),
    insertEvent: prepare(
      builder
        .insertInto('events')
        .values({ position, ...all(['task_id', 'at', 'level', 'type', 'message', 'data']) }),
    ),
    eventsAfter: prepare(
      events.where('position', '>', parameter('after')).orderBy('position').limit(parameter('limit')),
    ),
    newestEvents: prepare(events.orderBy('position', 'desc').limit(parameter('limit'))),
    step: prepare(steps.select('result').where('name', '=', parameter('name'))),
    steps: prepare(steps.select(['name', 'result']).orderBy('at').orderBy('name')),
    saveStep: prepare(
      builder
        .insertInto('steps')
        .values(all(['task_id', 'version', 'work', 'name', 'result', 'attempt', 'at']))
        .onConflict((conflict) => conflict.doNothing()),
    ),
  }
}
