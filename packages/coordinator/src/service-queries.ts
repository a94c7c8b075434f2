import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { all, count, holdService, numberOrNull, page, textOrNull, underWay } from './query-parts.ts'

const DEADLINES = ['accept_ms', 'silence_ms', 'total_ms']
const SERVICE = [
  'kf_id', 'name', 'description', 'url', 'author', 'enabled', 'last_ok_status', 'created_at', 'version', ...DEADLINES,
] // prettier-ignore

const id = parameter('id')

/** Statements that read registered services. */
export function serviceReads({ builder, now }: Database) {
  const services = builder.selectFrom('task_services')
  const listed = services.where(
    sql<boolean>`(${numberOrNull('enabled')} is null or enabled = ${numberOrNull('enabled')})`,
  )
  return {
    get: prepare(services.selectAll().where('kf_id', '=', id)),
    byUrl: prepare(services.selectAll().where('url', '=', parameter('url'))),
    all: prepare(services.selectAll().orderBy('created_at')),
    enabled: prepare(
      services.selectAll().where('enabled', '=', sql.lit(1)).orderBy('created_at').orderBy('kf_id'),
    ),
    list: prepare(
      listed.selectAll().orderBy('created_at', 'desc').orderBy('kf_id').limit(page.limit).offset(page.offset),
    ),
    count: prepare(listed.select(count)),
    inUse: prepare(tasksUnderWay(builder).select('releases.kf_id').limit(sql.lit(1))),
    checksDue: prepare(services.selectAll().where('check_due_at', '<=', now).limit(page.limit)),
  }
}

/** Tasks of a service in releases that have not ended (RC-35). */
function tasksUnderWay(builder: Database['builder']) {
  return builder
    .selectFrom('tasks')
    .innerJoin('releases', 'releases.kf_id', 'tasks.release_id')
    .where('task_service_id', '=', id)
    .where(underWay)
}

/** Statements that change a service. */
export function serviceWrites({ builder, now }: Database) {
  const own = builder.updateTable('task_services').where('kf_id', '=', id)
  const kept = (name: string, value: any) => sql`coalesce(${value}, ${sql.ref(name)})`
  const texts = ['name', 'description', 'url', 'author']
  return {
    insert: prepare(
      builder
        .insertInto('task_services')
        .values({ ...all(SERVICE), created_at: now, check_due_at: now })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    // Only what is given: an edit of another field made meanwhile must not be undone.
    update: prepare(
      own
        .set({
          ...Object.fromEntries(texts.map((name) => [name, kept(name, textOrNull(name))])),
          enabled: kept('enabled', numberOrNull('enabled')),
          // No deadline is 0 long: that takes one away.
          ...Object.fromEntries(
            DEADLINES.map((name) => [name, sql`nullif(${kept(name, numberOrNull(name))}, 0)`]),
          ),
        })
        .where((is) => is.not(is.exists(otherWithUrl(builder)))),
    ),
    // The counter alone, never the whole row (F-04).
    healthy: prepare(
      own.set({ last_ok_status: sql.lit(0), version: kept('version', textOrNull('version')) }),
    ),
    unhealthy: prepare(own.set({ last_ok_status: sql`last_ok_status + 1` })),
    claimCheck: prepare(
      own
        .set({ check_due_at: sql`${now} + ${parameter('interval_ms')}` })
        .where('check_due_at', '=', parameter('was')),
    ),
  }
}

function otherWithUrl(builder: Database['builder']) {
  return builder
    .selectFrom('task_services as other')
    .select('other.kf_id')
    .where(sql<boolean>`other.url = ${textOrNull('url')}`)
    .where('other.kf_id', '<>', id)
}

/** Statements that delete a service with all that hangs on it; `service` finds nothing where it is in use (CR-32). */
export function serviceRemoval({ builder }: Database) {
  const ofService = builder.selectFrom('tasks').select('kf_id').where('task_service_id', '=', id)
  return {
    hold: holdService(builder, id),
    service: prepare(
      builder
        .deleteFrom('task_services')
        .where('kf_id', '=', id)
        .where((is) => is.not(is.exists(tasksUnderWay(builder).select('tasks.kf_id')))),
    ),
    // A cancel may still be told for the tasks of ended releases (RC-20).
    actions: prepare(builder.deleteFrom('actions').where('task_id', 'in', ofService)),
    polls: prepare(builder.deleteFrom('polls').where('task_id', 'in', ofService)),
    tasks: prepare(builder.deleteFrom('tasks').where('task_service_id', '=', id)),
    eventLinks: prepare(
      builder
        .updateTable('events')
        .set({ task_service_id: sql`null`, task_id: sql`null` })
        .where('task_service_id', '=', id),
    ),
  }
}
