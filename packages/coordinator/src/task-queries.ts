import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { all, count, given, page } from './query-parts.ts'

/** Statements that look at tasks across releases. */
export function taskQueries({ builder }: Database) {
  const listed = builder
    .selectFrom('tasks')
    .where(given('release_id', 'release'))
    .where(given('task_service_id', 'task_service'))
    .where(given('state'))
  const ofRelease = (column: string) =>
    builder
      .selectFrom('releases')
      .select(`releases.${column}`)
      .whereRef('releases.kf_id', '=', 'tasks.release_id')
      .as(`release_${column}`)
  return {
    releaseOf: prepare(builder.selectFrom('tasks').select('release_id').where('kf_id', '=', parameter('id'))),
    list: prepare(
      listed
        .selectAll()
        .select([ofRelease('state'), ofRelease('since')])
        .orderBy('created_at', 'desc')
        .orderBy('place')
        .orderBy('kf_id')
        .limit(page.limit)
        .offset(page.offset),
    ),
    count: prepare(listed.select(count)),
    countWorking: prepare(
      builder
        .selectFrom('tasks')
        .select(count)
        .where(sql<boolean>`state in ('running', 'publishing')`),
    ),
  }
}

const later = (now: Database['now'], name: string) => sql`${now} + ${parameter(name)}`

/** Statements on polls: which tasks are asked for their state, and when. */
export function pollQueries({ builder, now }: Database) {
  const ofTask = builder.updateTable('polls').where('task_id', '=', parameter('task_id'))
  const free = builder
    .selectFrom('polls')
    .selectAll()
    .select(now.as('now'))
    .where(sql<boolean>`coalesce(claimed_until, 0) <= ${now}`)
  return {
    from: prepare(
      builder
        .insertInto('polls')
        .values({ ...all(['task_id', 'release_id']), due_at: later(now, 'interval_ms') })
        .onConflict((conflict) =>
          conflict.column('task_id').doUpdateSet({ due_at: sql`excluded.due_at`, misses: sql.lit(0) }),
        ),
    ),
    noMore: prepare(builder.deleteFrom('polls').where('task_id', '=', parameter('task_id'))),
    due: prepare(free.where('due_at', '<=', now).orderBy('due_at').limit(page.limit)),
    everyone: prepare(free),
    claim: prepare(
      ofTask
        .set({ claimed_until: later(now, 'claim_ms') })
        // Both: another process may have asked and been answered since the row was read.
        .where('due_at', '=', parameter('due_was'))
        .where(sql<boolean>`coalesce(claimed_until, 0) = ${parameter('claimed_was')}`),
    ),
    answered: prepare(
      ofTask.set({ claimed_until: sql`null`, due_at: later(now, 'interval_ms'), misses: sql.lit(0) }),
    ),
    missed: prepare(
      ofTask.set({ claimed_until: sql`null`, due_at: later(now, 'interval_ms'), misses: sql`misses + 1` }),
    ),
    misses: prepare(builder.selectFrom('polls').select('misses').where('task_id', '=', parameter('task_id'))),
  }
}
