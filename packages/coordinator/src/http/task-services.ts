import { TransportError, type App, type FastifyRequest } from '@release-task/http'
import { z } from 'zod'
import { versionOf } from '../delivery.ts'
import type { TaskService } from '../task-service-store.ts'
import { askedBy } from './asked.ts'
import { deadlines } from './deadlines.ts'
import type { HttpDependencies } from './dependencies.ts'
import { bodyOf, bool, parseBody, text } from './fields.ts'
import { linksOf } from './links.ts'
import { envelope, queryText, windowOf } from './page.ts'
import { conflict, invalid, notFound } from './problem.ts'
import { taskServiceView } from './views.ts'

const fields = z.object({
  name: text(100),
  description: text(500),
  author: text(100),
  url: text(200),
  enabled: bool.optional(),
  deadlines: deadlines.optional(),
})
const someFields = fields.partial()

/** What the filter takes; anything else is ignored, names that every object has included (CR-31). */
const ENABLED = new Map([
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
])

type ById = { Params: { id: string } }

/** `/task-services` (CR-28 to CR-33). */
export function addTaskServices(app: App, deps: HttpDependencies): void {
  app.get('/task-services', async (request) => {
    const window = windowOf(request)
    const enabled = ENABLED.get(queryText(request, 'enabled') ?? '') ?? null
    const { count, results } = await deps.services.list(enabled, window)
    const base = linksOf(request, deps.config.publicUrl).base
    return envelope(request, base, { count, results: results.map(taskServiceView) }, window)
  })
  app.post('/task-services', async (request, reply) => {
    const { enabled = true, ...given } = parseBody(fields, bodyOf(request))
    const version = await ping(deps, given.url, null)
    const told = { ...given, enabled, version }
    const service = await deps.services.insert(told, askedBy(request, { ...given, enabled }))
    if (!service) throw taken(given.url)
    return reply.status(201).send(taskServiceView(service))
  })
  app.get<ById>('/task-services/:id', async (request) => taskServiceView(await find(deps, request.params.id)))
  app.put<ById>('/task-services/:id', (request) => edit(deps, request, fields))
  app.patch<ById>('/task-services/:id', (request) => edit(deps, request, someFields))
  app.delete<ById>('/task-services/:id', async (request, reply) => {
    const { id } = await find(deps, request.params.id)
    if (await deps.services.remove(id, askedBy(request))) return reply.status(204).send()
    await find(deps, id)
    const release = (await deps.services.usedBy(id)) ?? 'a release'
    throw conflict(`The task service has a task in ${release}, which has not ended: cancel it first.`)
  })
  app.post('/task-services/health_checks', async () => {
    deps.monitor.checkHealth(await deps.services.all())
    return { status: 'ok' }
  })
}

async function find(deps: HttpDependencies, id: string): Promise<TaskService> {
  const service = await deps.services.get(id)
  if (!service) throw notFound()
  return service
}

async function edit(
  deps: HttpDependencies,
  request: FastifyRequest<ById>,
  schema: typeof fields | typeof someFields,
) {
  const before = await find(deps, request.params.id)
  const { id } = before
  const body: z.output<typeof someFields> = parseBody(schema, bodyOf(request))
  if (body.url !== undefined) await ping(deps, body.url, id)
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
  // What changes nothing leaves nothing in the audit trail.
  if (Object.entries(given).every(([name, value]) => before[name as keyof TaskService] === value))
    return taskServiceView(before)
  const isUpdated = await deps.services.update(id, given, askedBy(request, given))
  const service = await find(deps, id)
  if (!isUpdated) throw taken(body.url ?? service.url)
  return taskServiceView(service)
}

const taken = (url: string) => invalid('url', `a task service with the address ${url} is registered already`)

/**
 * An address is taken only if a task service answers there, and no other one is registered with it (CR-29).
 * @returns the version that it tells
 */
async function ping(deps: HttpDependencies, url: string, self: string | null): Promise<string | null> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw invalid('url', 'Enter a valid URL.')
  const known = await deps.services.byUrl(url)
  if (known && known.id !== self) throw taken(url)
  const unexpected = (why: string) =>
    invalid('url', `${url} did not return the expected /status response: ${why}`)
  const answer = await deps.client.status(url).catch((error: unknown) => {
    if (!(error instanceof TransportError)) throw error
    throw invalid('url', `could not reach ${url}: ${error.mayHaveArrived ? 'no answer' : 'no connection'}`)
  })
  if (answer.status >= 400) throw invalid('url', `could not reach ${url}: status ${answer.status}`)
  if (answer.status !== 200) throw unexpected('response did not return with 200')
  if (!answer.text.includes('name')) throw unexpected("no 'name' in body")
  return versionOf(answer)
}
