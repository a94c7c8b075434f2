import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { LEASE_COLUMNS } from './row.ts'

/** Every column of `tasks`, in the order of the migration. */
// prettier-ignore
const COLUMNS = [
  'id', 'revision', 'release_id', 'studies', 'state', 'tombstone', 'progress', 'best_progress', 'message',
  'summary', 'staged', 'work', 'due_at', 'held', 'attempt', 'lease_owner', 'lease_work', 'lease_expires_at',
  'failures', 'crashes', 'last_error', 'since', 'last_progress_at', 'needs_attention', 'ended_from',
  'cancel_requested_at', 'cancel_acknowledged_at', 'cleanup', 'cleanup_ended_at', 'missing_since',
  'check_due_at', 'initialized_version', 'ran_version', 'created_at', 'updated_at',
] as const

const all = (columns: readonly string[]) => Object.fromEntries(columns.map((name) => [name, parameter(name)]))
const optional = (name: string) => sql`cast(${parameter(name)} as text)`

/** Every statement on `tasks`, once; none of them knows a rule. */
export function taskQueries({ builder, now }: Database) {
  const leases: readonly string[] = LEASE_COLUMNS
  const changing = COLUMNS.filter((name) => name !== 'id')
  const unleased = changing.filter((name) => !leases.includes(name))
  const same = builder
    .updateTable('tasks')
    .where('id', '=', parameter('id'))
    .where('revision', '=', parameter('was'))
  const guard = sql`cast(${parameter('guard')} as bigint)`
  const filtered = builder
    .selectFrom('tasks')
    .where('tombstone', '=', sql.lit(0))
    .where(sql<boolean>`(${optional('state')} is null or state = ${optional('state')})`)
    .where(sql<boolean>`(${optional('release_id')} is null or release_id = ${optional('release_id')})`)
  return {
    now: prepare(builder.selectNoFrom(now.as('now'))),
    load: prepare(
      builder.selectFrom('tasks').selectAll().select(now.as('now')).where('id', '=', parameter('id')),
    ),
    insert: prepare(
      builder
        .insertInto('tasks')
        .values(all(COLUMNS))
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare(same.set(all(unleased))),
    updateLease: prepare(
      same
        .set(all(changing))
        .where(sql<boolean>`coalesce(lease_expires_at, 0) = coalesce(${guard}, lease_expires_at, 0)`),
    ),
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
    list: prepare(
      filtered
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(parameter('limit'))
        .offset(parameter('offset')),
    ),
    count: prepare(filtered.select(sql<number>`count(*)`.as('count'))),
    countByState: prepare(
      builder
        .selectFrom('tasks')
        .select(['state', sql<number>`count(*)`.as('count')])
        .where('tombstone', '=', sql.lit(0))
        .groupBy('state'),
    ),
    due: prepare(
      builder
        .selectFrom('tasks')
        .select(['id', 'due_at', 'lease_owner', 'lease_expires_at', now.as('now')])
        .where('due_at', '<=', now)
        .orderBy('due_at')
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
    deleteTombstones: prepare(
      builder
        .deleteFrom('tasks')
        .where('tombstone', '=', sql.lit(1))
        .where('created_at', '<', sql<number>`${now} - ${parameter('age_ms')}`),
    ),
  }
}

/** Statements on events, steps. */
export function historyQueries({ builder }: Database) {
  const position = builder.selectFrom('counters').select('value').where('name', '=', sql.lit('events'))
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
        .values({ position, ...all(['task_id', 'at', 'level', 'type', 'message', 'data']) } as any),
    ),
    events: prepare(
      builder
        .selectFrom('events')
        .selectAll()
        .where('task_id', '=', parameter('task_id'))
        .where('position', '>', parameter('after'))
        .orderBy('position')
        .limit(parameter('limit')),
    ),
    step: prepare(
      builder
        .selectFrom('steps')
        .select('result')
        .where('task_id', '=', parameter('task_id'))
        .where('version', '=', parameter('version'))
        .where('work', '=', parameter('work'))
        .where('name', '=', parameter('name')),
    ),
    saveStep: prepare(
      builder
        .insertInto('steps')
        .values(all(['task_id', 'version', 'work', 'name', 'result', 'attempt', 'at']))
        .onConflict((conflict) => conflict.doNothing()),
    ),
  }
}

/** Statements on the outbox. */
export function reportQueries({ builder, now }: Database) {
  const claimable = sql<boolean>`coalesce(claimed_until, 0) = ${parameter('claimed_was')}`
  const own = builder.updateTable('reports').where('task_id', '=', parameter('task_id'))
  const isState = sql`excluded.state is not null`
  return {
    // Progress alone does not hurry a report that waits after a failure; a new state does.
    put: prepare(
      builder
        .insertInto('reports')
        .values({
          ...all(['task_id', 'sequence', 'state', 'progress', 'message', 'summary']),
          phase: sql.lit('send'),
          due_at: now,
          failures: sql.lit(0),
          confirm_step: sql.lit(0),
          created_at: now,
        } as any)
        .onConflict((conflict) =>
          conflict.column('task_id').doUpdateSet({
            sequence: sql`excluded.sequence`,
            state: sql`excluded.state`,
            progress: sql`excluded.progress`,
            message: sql`excluded.message`,
            summary: sql`excluded.summary`,
            phase: sql.lit('send'),
            due_at: sql`case when ${isState} or reports.failures = 0 then excluded.due_at else reports.due_at end`,
            failures: sql`case when ${isState} then 0 else reports.failures end`,
            confirm_step: sql.lit(0),
            created_at: sql`excluded.created_at`,
          }),
        ),
    ),
    withdraw: prepare(builder.deleteFrom('reports').where('task_id', '=', parameter('task_id'))),
    get: prepare(builder.selectFrom('reports').selectAll().where('task_id', '=', parameter('task_id'))),
    due: prepare(
      builder
        .selectFrom('reports')
        .selectAll()
        .select(now.as('now'))
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(parameter('limit')),
    ),
    nextDue: prepare(builder.selectFrom('reports').select([sql`min(due_at)`.as('due_at'), now.as('now')])),
    claim: prepare(
      own
        .set({ claimed_by: parameter('owner'), claimed_until: sql`${now} + ${parameter('claim_ms')}` })
        .where('sequence', '=', parameter('sequence'))
        .where(claimable),
    ),
    // Only where nothing newer came in the meantime; the claim itself is given back by `unclaim`.
    reschedule: prepare(
      own
        .set({
          phase: parameter('phase'),
          due_at: sql`${now} + ${parameter('delay_ms')}`,
          failures: parameter('failures'),
          confirm_step: parameter('confirm_step'),
          last_error: parameter('last_error'),
        })
        .where('sequence', '=', parameter('sequence')),
    ),
    remove: prepare(
      builder
        .deleteFrom('reports')
        .where('task_id', '=', parameter('task_id'))
        .where('sequence', '=', parameter('sequence')),
    ),
    unclaim: prepare(
      own
        .set({ claimed_by: sql`null`, claimed_until: sql`null` })
        .where('claimed_by', '=', parameter('owner')),
    ),
    waiting: prepare(
      builder
        .selectFrom('reports')
        .select([sql<number>`count(*)`.as('count'), sql<number>`min(created_at)`.as('oldest'), now.as('now')])
        .where('phase', '=', sql.lit('send')),
    ),
  }
}
