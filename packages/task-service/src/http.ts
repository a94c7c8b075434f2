import { guard } from '@release-task/auth'
import { createApp, serveMetrics, type App, type FastifyReply } from '@release-task/http'
import { actionRequest, actionRequestSchema, taskAnswerSchema, type Action } from '@release-task/protocol'
import type { Decision } from './decision.ts'
import type { HttpDependencies } from './http-dependencies.ts'
import { handleErrors, refusals, refuse, refuseUnknown } from './http-errors.ts'
import { addHealth, addStatus } from './http-health.ts'
import { permissionOf } from './http-permissions.ts'
import { addEvents, addPersonActions, addTasks } from './http-tasks.ts'
import type { Work } from './record.ts'
import { taskAnswer } from './views.ts'

/** Paths and the methods that they have, for 405. */
const METHODS = new Map([
  ['/status', ['GET']],
  ['/tasks', ['GET', 'POST']],
  ['/tasks/[^/]+', ['GET']],
  ['/tasks/[^/]+/events', ['GET']],
  ['/tasks/[^/]+/(retry|give-up)', ['POST']],
  ['/(livez|readyz|metrics|openapi\\.json)', ['GET']],
])

const WORKER_METHODS = new Map([['/(livez|readyz|metrics|openapi\\.json)', ['GET']]])

/**
 * What a process that only works shows: whether it lives, and its figures. A load balancer that sends a coordinator here
 * by mistake must not look like a service that has forgotten its tasks: 404 would end releases (RC-16), 503 does not.
 */
export async function createWorkerHttp(deps: HttpDependencies): Promise<App> {
  const app = await createApp({ title: deps.name, version: deps.version, logger: deps.log, ...deps.limits })
  handleErrors(app, WORKER_METHODS)
  addGuard(app, deps)
  for (const url of ['/status', '/tasks', '/tasks/*'])
    app.all(url, { schema: { hide: true } }, async (_, reply) =>
      refuse(
        reply,
        503,
        'NOT_AN_API',
        'This process is a worker and takes no actions: ask a process in role api',
      ),
    )
  addHealth(app, deps)
  serveMetrics(app, deps.registry)
  return app
}

/** The API of a task service; opens no port. */
export async function createHttp(deps: HttpDependencies): Promise<App> {
  const app = await createApp({ title: deps.name, version: deps.version, logger: deps.log, ...deps.limits })
  handleErrors(app, METHODS)
  addGuard(app, deps)
  addActions(app, deps)
  addTasks(app, deps)
  addEvents(app, deps)
  addPersonActions(app, deps)
  addStatus(app, deps)
  addHealth(app, deps)
  serveMetrics(app, deps.registry)
  return app
}

/** Asked before everything else: only the coordinator tells a service what to do (SV-23). */
function addGuard(app: App, { verifier, access: policy, log }: HttpDependencies): void {
  const refused = (reply: FastifyReply, message: string) => refuse(reply, 403, 'NOT_PERMITTED', message)
  guard(app, { verifier, policy, permissionOf, refuse: refused, log })
}

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
    if (!record || !state) return refuseUnknown(reply, id)
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
