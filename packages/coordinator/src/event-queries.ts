import { parameter, prepare, type Database } from '@release-task/database'
import { all, bump, count, counterValue, given, page } from './query-parts.ts'

const EVENT = [
  'kf_id',
  'event_type',
  'message',
  'release_id',
  'task_service_id',
  'task_id',
  'actor',
  'created_at',
]

/** Statements on events: written only together with the change that they tell (RC-31). */
export function eventQueries({ builder }: Database) {
  const listed = builder
    .selectFrom('events')
    .where(given('release_id', 'release'))
    .where(given('task_service_id', 'task_service'))
    .where(given('task_id', 'task'))
    .where(given('event_type'))
  return {
    bump: bump(builder, 'events'),
    insert: prepare(
      builder
        .insertInto('events')
        .values({ ...all(EVENT), position: counterValue(builder, 'events') })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    get: prepare(builder.selectFrom('events').selectAll().where('kf_id', '=', parameter('id'))),
    list: prepare(listed.selectAll().orderBy('position', 'desc').limit(page.limit).offset(page.offset)),
    count: prepare(listed.select(count)),
    newest: prepare(counterValue(builder, 'events')),
    after: prepare(
      listed.selectAll().where('position', '>', parameter('after')).orderBy('position').limit(page.limit),
    ),
  }
}
