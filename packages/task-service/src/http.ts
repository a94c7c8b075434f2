import {
  createApp,
  sendEventStream,
  serveMetrics,
  wantsEventStream,
  type App,
  type FastifyReply,
  type Logger,
  type Registry,
} from '@release-task/http'
import {
  actionRequest,
  actionRequestSchema,
  idSchema,
  isId,
  statusAnswerSchema,
  TASK_STATES,
  taskAnswerSchema,
  type Action,
} from '@release-task/protocol'
import { z } from 'zod'
import type { Decision } from './decision.ts'
import type { Execute } from './execute.ts'
import { errorSchema, handleErrors } from './http-errors.ts'
import type { OutboxRow } from './outbox.ts'
import type { TaskRecord, Work } from './record.ts'
import type { TaskStore } from './store.ts'
import { eventView, eventViewSchema, taskAnswer, taskView, taskViewSchema } from './views.ts'

const STREAM_INTERVAL_MS = 250

/** What the routes are made of; they know no SQL and no rules. */
export interface HttpDependencies {
  readonly name: string
  readonly version: string
  readonly execute: Execute
  readonly store: Pick<TaskStore, 'load' | 'list' | 'eventsAfter' | 'newestEvents'>
  readonly report: (taskId: string) => Promise<OutboxRow | null>
  readonly policy: { readonly stageRetryForMs: number }
  readonly ping: () => Promise<void>
  readonly queueHealth: () => 'ok' | 'degraded'
  /** Aborts when the service begins to stop: it then takes no action any more. */
  readonly stopping: AbortSignal
  readonly registry: Registry
  readonly log: Logger
}

/** Paths and the methods that they have, for 405. */
const METHODS = new Map([
  ['/status', ['GET']],
  ['/tasks', ['GET', 'POST']],
  ['/tasks/[^/]+', ['GET']],
  ['/tasks/[^/]+/events', ['GET']],
  ['/tasks/[^/]+/(retry|give-up)', ['POST']],
  ['/(livez|readyz|metrics|openapi\\.json)', ['GET']],
])

/** The API of a task service; opens no port. */
export async function createHttp(deps: HttpDependencies): Promise<App> {
  const app = await createApp({ title: deps.name, version: deps.version, logger: deps.log })
  handleErrors(app, METHODS)
  addActions(app, deps)
  addTasks(app, deps)
  addEvents(app, deps)
  addPersonActions(app, deps)
  addHealth(app, deps)
  serveMetrics(app, deps.registry)
  return app
}

const refusals = { 400: errorSchema, 404: errorSchema, 503: errorSchema }

/** The work that begins once the answer to its action is written (WK-6). */
const WORK_OF: { readonly [action in Action]?: Work } = { start: 'stage', publish: 'publish' }

function addActions(app: App, deps: HttpDependencies): void {
  const afterAnswer = new WeakMap<object, { readonly id: string; readonly work: Work }>()
  const schema = { body: actionRequestSchema, response: { 200: taskAnswerSchema, ...refusals } }
  app.post('/tasks', { schema }, async (request, reply) => {
    const command = actionRequest(request.body)
    const { action, taskId: id } = command
    if (deps.stopping.aborted && action !== 'get_status')
      return refuse(reply, 503, 'SHUTTING_DOWN', `Cannot ${action} ${id} now: the service is stopping`)
    const { decision, record } = await deps.execute(id, {
      type: 'action',
      request: command,
      version: deps.version,
    })
    if (decision.kind === 'refused')
      return refuse(reply, decision.answer.code, decision.code, decision.message)
    const work = WORK_OF[action]
    if (work && wakesAfterAnswer(decision)) afterAnswer.set(request, { id, work })
    const { state } = decision.answer
    if (!record || !state) return unknownTask(reply, id)
    return taskAnswer(deps.name, record, state)
  })
  // Only now is the answer written, so only now may work begin that will report (WK-6, N-4). Where this never
  // fires, because the caller went away, the sweep finds the work a second later.
  app.addHook('onResponse', async (request) => {
    const due = afterAnswer.get(request)
    if (due) await deps.execute(due.id, { type: 'answered', work: due.work })
  })
}

function wakesAfterAnswer(decision: Decision): boolean {
  return decision.kind === 'next' && decision.effects.some((effect) => effect.type === 'wake_after_answer')
}

function refuse(reply: FastifyReply, status: number, code: string, message: string) {
  return reply.status(status).send({ message, code }) as never
}

const listQuery = z.object({
  state: z.enum(TASK_STATES, { error: `must be one of ${TASK_STATES.join(', ')}` }).optional(),
  release_id: idSchema('RE').optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
})
const params = z.object({ id: z.string() })

function addTasks(app: App, deps: HttpDependencies): void {
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
      return record ? view(deps, record) : unknownTask(reply, request.params.id)
    },
  )
}

const eventsQuery = z.object({ after: z.coerce.number().int().min(0).optional() })

/** The newest events, those after a position, or a stream of them (SV-18). */
function addEvents(app: App, deps: HttpDependencies): void {
  const events = z.object({ results: z.array(eventViewSchema) })
  const schema = { params, querystring: eventsQuery, response: { 200: events, ...refusals } }
  app.get('/tasks/:id/events', { schema }, async (request, reply) => {
    const record = await find(deps, request.params.id)
    if (!record) return unknownTask(reply, request.params.id)
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

async function find(deps: HttpDependencies, id: string): Promise<TaskRecord | null> {
  if (!isId('TA', id)) return null
  const { record } = await deps.store.load(id)
  return record?.tombstone ? null : record
}

async function view(deps: HttpDependencies, record: TaskRecord) {
  return taskView(deps.name, record, await deps.report(record.id), deps.policy)
}

function unknownTask(reply: FastifyReply, id: string) {
  return refuse(reply, 404, 'TASK_NOT_FOUND', `There is no task ${id} here: it was never initialized`)
}

/** What a person may do to a task (SV-19). */
function addPersonActions(app: App, deps: HttpDependencies): void {
  for (const [path, type] of [
    ['retry', 'retry'],
    ['give-up', 'give_up'],
  ] as const) {
    app.post(
      `/tasks/:id/${path}`,
      { schema: { params, response: { 200: taskViewSchema, ...refusals } } },
      async (request, reply) => {
        const record = await find(deps, request.params.id)
        if (!record) return unknownTask(reply, request.params.id)
        const { decision, record: next } = await deps.execute(record.id, { type })
        if (decision.kind === 'refused')
          return refuse(reply, decision.answer.code, decision.code, decision.message)
        return view(deps, next ?? record)
      },
    )
  }
}

function addHealth(app: App, deps: HttpDependencies): void {
  const ready = z.object({ status: z.enum(['ok', 'degraded']), queue: z.enum(['ok', 'degraded']) })
  app.get(
    '/status',
    { schema: { response: { 200: statusAnswerSchema, 503: errorSchema } } },
    async (_, reply) => {
      if (!(await isReady(deps))) return notReady(deps, reply)
      return { name: deps.name, message: 'ready', version: deps.version }
    },
  )
  app.get('/livez', { schema: { response: { 200: z.object({ status: z.literal('ok') }) } } }, async () => {
    return { status: 'ok' as const }
  })
  app.get('/readyz', { schema: { response: { 200: ready, 503: errorSchema } } }, async (_, reply) => {
    if (!(await isReady(deps))) return notReady(deps, reply)
    const queue = deps.queueHealth()
    return { status: queue, queue }
  })
}

async function isReady(deps: HttpDependencies): Promise<boolean> {
  if (deps.stopping.aborted) return false
  return deps.ping().then(
    () => true,
    () => false,
  )
}

function notReady({ stopping }: HttpDependencies, reply: FastifyReply) {
  return stopping.aborted
    ? refuse(reply, 503, 'SHUTTING_DOWN', 'The service is stopping and takes no action')
    : refuse(reply, 503, 'STORE_UNAVAILABLE', 'The database does not answer; the service takes no action')
}
