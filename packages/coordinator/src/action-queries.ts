import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { all, page } from './query-parts.ts'

const task = parameter('task_id')

/** Statements that go with a decision: what is to be told to a task's service, at most one thing per task. */
export function actionWrites({ builder, now }: Database) {
  const gone = builder.deleteFrom('actions').where('task_id', '=', task)
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
        })
        // The claim stays: a request that is under way ends before the next one begins (RC-5).
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
    told: prepare(gone.where('action', '=', parameter('action'))),
    tellNoMore: prepare(gone),
  }
}

/** Statements of those who send: an older row's never touches a newer action (its sequence is higher). */
export function actionQueries({ builder, now }: Database) {
  const own = builder.updateTable('actions').where('task_id', '=', task)
  const same = <Query extends { where: any }>(query: Query): Query =>
    query.where('sequence', '=', parameter('sequence'))
  const rows = builder.selectFrom('actions')
  return {
    clock: prepare(builder.selectNoFrom(now.as('now'))),
    due: prepare(
      rows
        .selectAll()
        .select(now.as('now'))
        .where('due_at', '<=', parameter('until'))
        .orderBy('due_at')
        .limit(page.limit),
    ),
    ofRelease: prepare(rows.selectAll().where('release_id', '=', parameter('release_id'))),
    nextDue: prepare(
      rows.select([sql`min(due_at)`.as('due_at'), now.as('now')]).where('due_at', '>', parameter('after')),
    ),
    waiting: prepare(rows.select([sql`count(*)`.as('count'), sql`min(due_at)`.as('oldest'), now.as('now')])),
    current: prepare(same(rows.select('task_id').where('task_id', '=', task))),
    // From here on the service may have heard it: whoever takes the row over asks before repeating.
    claim: prepare(
      same(own)
        .set({
          claimed_by: parameter('owner'),
          claimed_until: sql`${now} + ${parameter('claim_ms')}`,
          ask_first: sql.lit(1),
        })
        .where(sql<boolean>`coalesce(claimed_until, 0) = ${parameter('claimed_was')}`),
    ),
    again: prepare(
      same(own).set({
        due_at: sql`${now} + ${parameter('delay_ms')}`,
        failures: parameter('failures'),
        ask_first: parameter('ask_first'),
        last_error: parameter('last_error'),
      }),
    ),
    remove: prepare(same(builder.deleteFrom('actions').where('task_id', '=', task))),
    renew: prepare(
      own
        .set({ claimed_until: sql`${now} + ${parameter('claim_ms')}` })
        .where('claimed_by', '=', parameter('owner')),
    ),
    giveBack: prepare(
      own
        .set({
          claimed_by: sql`null`,
          claimed_until: sql`null`,
          due_at: sql`${now} + ${parameter('delay_ms')}`,
        })
        .where('claimed_by', '=', parameter('owner')),
    ),
    unclaim: prepare(
      own
        .set({ claimed_by: sql`null`, claimed_until: sql`null` })
        .where('claimed_by', '=', parameter('owner')),
    ),
  }
}
