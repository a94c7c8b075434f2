import { actorOf, callerOn } from '@release-task/auth'
import { sendEventStream, wantsEventStream, type App } from '@release-task/http'
import { idSchema, isId, TASK_STATES } from '@release-task/protocol'
import { z } from 'zod'
import type { HttpDependencies } from './http-dependencies.ts'
import { refusals, refuse, refuseUnknown } from './http-errors.ts'
import type { TaskRecord } from './record.ts'
import { eventView, eventViewSchema, taskView, taskViewSchema } from './views.ts'

const STREAM_INTERVAL_MS = 250

const params = z.object({ id: z.string() })
const listQuery = z.object({
  state: z.enum(TASK_STATES, { error: `must be one of ${TASK_STATES.join(', ')}` }).optional(),
  release_id: idSchema('RE').optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
})

/** The tasks and one of them (SV-17). */
export function addTasks(app: App, deps: HttpDependencies): void {
  const page = z.object({ count: z.int(), results: z.array(taskViewSchema) })
  app.get(
    '/tasks',
    { schema: { querystring: listQuery, response: { 200: page, ...refusals } } },
    async (request) => {
      const { state = null, release_id: releaseId = null, limit, offset } = request.query
      const { count, tasks } = await deps.store.list({
        state,
        releaseId,
        limit,
        offset,
      })
      return { count, results: await Promise.all(tasks.map((record) => view(deps, record))) }
    },
  )
  app.get(
    '/tasks/:id',
    { schema: { params, response: { 200: taskViewSchema, ...refusals } } },
    async (request, reply) => {
      const record = await find(deps, request.params.id)
      return record ? view(deps, record) : refuseUnknown(reply, request.params.id)
    },
  )
}

const eventsQuery = z.object({ after: z.coerce.number().int().min(0).optional() })

/** The newest events, those after a position, or a stream of them (SV-18). */
export function addEvents(app: App, deps: HttpDependencies): void {
  const events = z.object({ results: z.array(eventViewSchema) })
  const schema = { params, querystring: eventsQuery, response: { 200: events, ...refusals } }
  app.get('/tasks/:id/events', { schema }, async (request, reply) => {
    const record = await find(deps, request.params.id)
    if (!record) return refuseUnknown(reply, request.params.id)
    const { store } = deps
    const { after } = request.query
    if (request.method !== 'GET' || !wantsEventStream(request)) {
      const found = await (after === undefined
        ? store.newestEvents(record.id)
        : store.eventsAfter(record.id, after))
      return { results: found.map(eventView) }
    }
    await sendEventStream(request, reply, {
      read: async (position) =>
        (await store.eventsAfter(record.id, position)).map((event) => ({
          id: event.position,
          data: eventView(event),
        })),
      signal: deps.stopping,
      intervalMs: STREAM_INTERVAL_MS,
    })
    return undefined
  })
}

/** What a person may do to a task (SV-19). */
export function addPersonActions(app: App, deps: HttpDependencies): void {
  for (const [path, type] of [
    ['retry', 'retry'],
    ['give-up', 'give_up'],
  ] as const) {
    app.post(
      `/tasks/:id/${path}`,
      { schema: { params, response: { 200: taskViewSchema, ...refusals } } },
      async (request, reply) => {
        const record = await find(deps, request.params.id)
        if (!record) return refuseUnknown(reply, request.params.id)
        const { decision, record: next } = await deps.execute(record.id, { type })
        const about = { task_id: record.id, release_id: record.releaseId, actor: actorOf(callerOn(request)) }
        deps.log.info(about, `${path} was asked for`)
        if (decision.kind === 'refused')
          return refuse(reply, decision.answer.code, decision.code, decision.message)
        return view(deps, next ?? record)
      },
    )
  }
}

async function find(deps: HttpDependencies, id: string): Promise<TaskRecord | null> {
  if (!isId('TA', id)) return null
  const { record } = await deps.store.load(id)
  return record?.tombstone ? null : record
}

async function view(deps: HttpDependencies, record: TaskRecord) {
  return taskView(deps.name, record, await deps.report(record.id), deps.policy)
}
