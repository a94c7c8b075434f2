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
  type TaskState,
} from '@release-task/protocol'
import { z } from 'zod'
import type { Decision } from './decision.ts'
import type { Execute } from './execute.ts'
import { errorSchema, handleErrors } from './http-errors.ts'
import type { OutboxRow } from './outbox.ts'
import type { TaskRecord } from './record.ts'
import type { TaskStore } from './store.ts'
import { eventView, eventViewSchema, taskAnswer, taskView, taskViewSchema } from './views.ts'

const STREAM_INTERVAL_MS = 250

/** What the routes are made of; they know no SQL and no rules. */
export interface HttpDependencies {
  readonly name: string
  readonly version: string
  readonly execute: Execute
  readonly store: Pick<TaskStore, 'load' | 'list' | 'events'>
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
  addPersonActions(app, deps)
  addHealth(app, deps)
  serveMetrics(app, deps.registry)
  return app
}

const refusals = { 400: errorSchema, 404: errorSchema, 503: errorSchema }

function addActions(app: App, deps: HttpDependencies): void {
  const wakeAfterAnswer = new WeakMap<object, string>()
  const schema = { body: actionRequestSchema, response: { 200: taskAnswerSchema, ...refusals } }
  app.post('/tasks', { schema }, async (request, reply) => {
    const command = actionRequest(request.body)
    if (deps.stopping.aborted && command.action !== 'get_status')
      return refuse(
        reply,
        503,
        'SHUTTING_DOWN',
        `Cannot ${command.action} ${command.taskId} now: the service is stopping`,
      )
    const { decision, record } = await deps.execute(command.taskId, {
      type: 'action',
      request: command,
      version: deps.version,
    })
    if (wakesAfterAnswer(decision)) wakeAfterAnswer.set(request, command.taskId)
    if (decision.kind === 'refused')
      return refuse(reply, decision.answer.code, decision.code, decision.message)
    const { state } = decision.answer
    if (!record || !state)
      return refuse(reply, 404, 'TASK_NOT_FOUND', `There is no task ${command.taskId} here`)
    return taskAnswer(deps.name, record, state)
  })
  // Only now is the answer written, so only now may work begin that will report (WK-6, N-4). Where this never
  // fires, because the caller went away, the sweep finds the work a second later.
  app.addHook('onResponse', async (request) => {
    const taskId = wakeAfterAnswer.get(request)
    if (taskId !== undefined) await deps.execute(taskId, { type: 'answered' })
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
        state: state as TaskState | null,
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
  const events = z.object({ results: z.array(eventViewSchema) })
  app.get(
    '/tasks/:id/events',
    { schema: { params, response: { 200: events, ...refusals } } },
    async (request, reply) => {
      const record = await find(deps, request.params.id)
      if (!record) return unknownTask(reply, request.params.id)
      if (!wantsEventStream(request)) return { results: (await deps.store.events(record.id)).map(eventView) }
      await sendEventStream(request, reply, {
        read: async (after) =>
          (await deps.store.events(record.id, after)).map((event) => ({
            id: event.position,
            data: eventView(event),
          })),
        signal: deps.stopping,
        intervalMs: STREAM_INTERVAL_MS,
      })
      return undefined as never
    },
  )
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
      if (!(await isReady(deps))) return notReady(reply)
      return { name: deps.name, message: 'ready', version: deps.version }
    },
  )
  app.get('/livez', { schema: { response: { 200: z.object({ status: z.literal('ok') }) } } }, async () => {
    return { status: 'ok' as const }
  })
  app.get('/readyz', { schema: { response: { 200: ready, 503: errorSchema } } }, async (_, reply) => {
    if (!(await isReady(deps))) return notReady(reply)
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

function notReady(reply: FastifyReply) {
  return refuse(reply, 503, 'STORE_UNAVAILABLE', 'The service is stopping, or its database does not answer')
}
