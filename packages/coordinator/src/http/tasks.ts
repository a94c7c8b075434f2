import { callerOn } from '@release-task/auth'
import type { App, FastifyRequest } from '@release-task/http'
import { COORDINATOR_TASK_STATES, parseServiceState } from '@release-task/protocol'
import { z } from 'zod'
import type { ListedTask } from '../store.ts'
import { reportedBy } from './asked.ts'
import type { HttpDependencies } from './dependencies.ts'
import { bodyOf, integer, parseBody, text } from './fields.ts'
import { createHints, type Report, type TakeHint } from './legacy.ts'
import { linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'
import { invalid, notFound, UNKNOWN_CHOICE } from './problem.ts'
import { problemOf, viewNow } from './releases.ts'
import { taskView, type ViewNow } from './views.ts'

/** What the database's column holds. */
const MOST_ATTEMPT = 2 ** 31 - 1

const report = z.object({
  state: text(50).optional(),
  progress: integer.optional(),
  message: z.string().optional().catch(undefined),
  summary: z.record(z.string(), z.unknown()).optional().catch(undefined),
  attempt: z.int().positive().max(MOST_ATTEMPT).optional().catch(undefined),
  error: z.string().optional().catch(undefined),
})

type ById = { Params: { id: string } }

/** `/tasks` (CR-23 to CR-27). */
export function addTasks(app: App, deps: HttpDependencies): void {
  app.get('/tasks', async (request) => {
    const window = windowOf(request)
    const filter = {
      release: queryText(request, 'release'),
      task_service: queryText(request, 'task_service'),
      state: queryText(request, 'state'),
    }
    if (filter.release && !(await deps.releases.get(filter.release))) throw invalid('release', UNKNOWN_CHOICE)
    if (filter.task_service && !(await deps.services.get(filter.task_service)))
      throw invalid('task_service', UNKNOWN_CHOICE)
    const { count, results } = await deps.releases.listTasks(filter, window)
    const now = await viewNow(deps)
    const views = await Promise.all(results.map((listed) => view(deps, request, listed, now)))
    return envelope(request, linksOf(request, deps.config.publicUrl).base, { count, results: views }, window)
  })
  app.get<ById>('/tasks/:id', async (request) => show(deps, request, await find(deps, request.params.id)))
  const takeHint = createHints(deps)
  app.patch<ById>('/tasks/:id', (request) => takeReport(deps, request, takeHint))
  app.put<ById>('/tasks/:id', (request) => takeReport(deps, request, takeHint))
  app.post('/tasks/status_checks', async () => {
    const count = await deps.releases.countWorking()
    deps.monitor.pollAll()
    return { status: 'ok', message: `${count} task to check` }
  })
}

async function view(deps: HttpDependencies, request: FastifyRequest, listed: ListedTask, now: ViewNow) {
  const rows = await deps.outbox.ofRelease(listed.releaseId)
  const row = rows.find((one) => one.taskId === listed.task.id) ?? null
  return taskView(listed, { ...now, links: linksOf(request, deps.config.publicUrl), row })
}

async function show(deps: HttpDependencies, request: FastifyRequest, listed: ListedTask) {
  return view(deps, request, listed, await viewNow(deps))
}

async function find(deps: HttpDependencies, id: string): Promise<ListedTask> {
  const releaseId = await deps.releases.releaseOf(id)
  const release = releaseId && (await deps.releases.get(releaseId))
  const task = release && release.tasks.find((one) => one.id === id)
  if (!task) throw notFound()
  return { task, releaseId, release }
}

/** A service reports (RC-23 to RC-27). Who is here without being allowed to, the guard let through with a hint. */
async function takeReport(deps: HttpDependencies, request: FastifyRequest<ById>, takeHint: TakeHint) {
  const listed = await find(deps, request.params.id)
  const command = reportOf(request, listed)
  const isKnown = deps.policy.may(callerOn(request), 'task.report')
  const executed = isKnown
    ? await deps.execute(listed.releaseId, command, reportedBy(request))
    : await takeHint(request, listed, command)
  if (executed?.decision.kind === 'refused') throw problemOf(executed.decision.refusal)
  return show(deps, request, await find(deps, listed.task.id))
}

function reportOf(request: FastifyRequest, { task }: ListedTask): Report {
  const body = parseBody(report, bodyOf(request))
  const state = body.state === undefined ? null : parseServiceState(body.state)
  if (body.state !== undefined && state === null)
    throw invalid(
      'state',
      `"${body.state}" is not a valid choice. Legal states: ${COORDINATOR_TASK_STATES.join(', ')}.`,
    )
  return {
    type: 'report',
    taskId: task.id,
    state,
    progress: body.progress === undefined ? null : Math.min(100, Math.max(0, body.progress)),
    message: body.message?.slice(0, 1000) ?? null,
    summary: body.summary ?? null,
    attempt: body.attempt ?? null,
    error: body.error?.slice(0, 1000) ?? null,
  }
}
