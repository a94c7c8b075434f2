import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'

const COLUMNS = [
  'task_id',
  'sequence',
  'state',
  'progress',
  'message',
  'summary',
  'attempt',
  'error',
] as const

/** Statements that the store runs together with the change that a report tells. */
export function reportWrites({ builder, now }: Database) {
  const isState = sql`excluded.state is not null`
  const values = Object.fromEntries(COLUMNS.map((name) => [name, parameter(name)]))
  const fresh = { phase: sql.lit('send'), confirm_step: sql.lit(0) }
  return {
    // Progress alone does not hurry a report that waits after a failure; a new state does.
    put: prepare(
      builder
        .insertInto('reports')
        .values({ ...values, ...fresh, due_at: now, failures: sql.lit(0), created_at: now })
        .onConflict((conflict) =>
          conflict.column('task_id').doUpdateSet({
            sequence: sql`excluded.sequence`,
            state: sql`excluded.state`,
            progress: sql`excluded.progress`,
            message: sql`excluded.message`,
            summary: sql`excluded.summary`,
            attempt: sql`excluded.attempt`,
            error: sql`excluded.error`,
            ...fresh,
            due_at: sql`case when ${isState} or reports.failures = 0 then excluded.due_at else reports.due_at end`,
            failures: sql`case when ${isState} then 0 else reports.failures end`,
            last_error: sql`case when ${isState} then null else reports.last_error end`,
            created_at: sql`excluded.created_at`,
          }),
        ),
    ),
    withdraw: prepare(builder.deleteFrom('reports').where('task_id', '=', parameter('task_id'))),
  }
}

/** Statements that read the outbox. */
export function reportReads({ builder, now }: Database) {
  const releaseOf = sql<string>`(select release_id from tasks where tasks.id = reports.task_id)`
  const free = sql<boolean>`coalesce(claimed_until, 0) <= ${now}`
  return {
    get: prepare(builder.selectFrom('reports').selectAll().where('task_id', '=', parameter('task_id'))),
    due: prepare(
      builder
        .selectFrom('reports')
        .selectAll()
        .select(releaseOf.as('release_id'))
        .select(now.as('now'))
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .limit(parameter('limit')),
    ),
    // What is being sent wakes us by its end; its time says nothing of the others.
    nextDue: prepare(
      builder
        .selectFrom('reports')
        .select([sql`min(due_at)`.as('due_at'), now.as('now')])
        .where(free),
    ),
    waiting: prepare(
      builder
        .selectFrom('reports')
        .select([sql<number>`count(*)`.as('count'), sql<number>`min(created_at)`.as('oldest'), now.as('now')])
        .where('phase', '<>', sql.lit('confirm')),
    ),
  }
}

/** Statements of one try: all of them only where nothing newer came in the meantime. */
export function deliveryWrites({ builder, now }: Database) {
  const mine = builder.updateTable('reports').where('task_id', '=', parameter('task_id'))
  const own = mine.where('sequence', '=', parameter('sequence'))
  return {
    // The row must be as it was read: another process may have dealt with it in between.
    claim: prepare(
      own
        .set({ claimed_by: parameter('owner'), claimed_until: sql`${now} + ${parameter('claim_ms')}` })
        .where('due_at', '=', parameter('due_was'))
        .where(sql<boolean>`coalesce(claimed_until, 0) = ${parameter('claimed_was')}`),
    ),
    reschedule: prepare(
      own.set({
        phase: parameter('phase'),
        due_at: sql`${now} + ${parameter('delay_ms')}`,
        failures: parameter('failures'),
        confirm_step: parameter('confirm_step'),
        last_error: parameter('last_error'),
      }),
    ),
    remove: prepare(
      builder
        .deleteFrom('reports')
        .where('task_id', '=', parameter('task_id'))
        .where('sequence', '=', parameter('sequence')),
    ),
    renew: prepare(
      mine
        .set({ claimed_until: sql`${now} + ${parameter('claim_ms')}` })
        .where('claimed_by', '=', parameter('owner')),
    ),
    giveBack: prepare(
      mine
        .set({
          claimed_by: sql`null`,
          claimed_until: sql`null`,
          due_at: sql`${now} + ${parameter('delay_ms')}`,
        })
        .where('claimed_by', '=', parameter('owner')),
    ),
    // The exception: a newer report keeps the claim of the row that it replaced, until that try has ended.
    unclaim: prepare(
      mine
        .set({ claimed_by: sql`null`, claimed_until: sql`null` })
        .where('claimed_by', '=', parameter('owner')),
    ),
  }
}
