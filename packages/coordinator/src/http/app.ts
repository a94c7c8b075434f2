import formbody from '@fastify/formbody'
import { guard, type Permission } from '@release-task/auth'
import { createApp, serveMetrics, type App, type FastifyReply, type FastifyRequest } from '@release-task/http'
import { VERSION } from '../graphql/status.ts'
import { addAudit } from './audit.ts'
import type { HttpDependencies } from './dependencies.ts'
import { addEventStream } from './event-stream.ts'
import { addEvents } from './events.ts'
import { addGraphql, answersByField } from './graphql.ts'
import { isHint } from './legacy.ts'
import { addLatestPublished } from './latest-published.ts'
import { linksOf, type Resource } from './links.ts'
import { addMethods } from './methods.ts'
import { answerJsonOnly } from './negotiation.ts'
import { addPages } from './pages.ts'
import { permissionOf, subjectOf } from './permissions.ts'
import { handleErrors } from './problem.ts'
import { addReleaseNotes } from './release-notes.ts'
import { addReleases } from './releases.ts'
import { addSignIn } from './sign-in.ts'
import { addStudies } from './studies.ts'
import { addTasks } from './tasks.ts'
import { addTaskServices } from './task-services.ts'

const RESOURCES: readonly Resource[] = [
  'tasks',
  'task-services',
  'releases',
  'release-notes',
  'events',
  'studies',
]

/** The REST API of the coordinator; opens no port. */
export async function createHttp(deps: HttpDependencies): Promise<App> {
  const { rateLimit, trustProxy, corsOrigins } = deps.config
  const app = await createApp({
    title: 'Release coordinator',
    version: VERSION,
    logger: deps.log,
    rateLimit,
    corsOrigins,
    trustProxy,
    errorBody: (_code, detail) => ({ detail }),
  })
  handleErrors(app)
  keepNothing(app)
  addPages(app, deps)
  addGuard(app, deps)
  answerJsonOnly(app)
  app.removeAllContentTypeParsers()
  await app.register(formbody)
  takeJson(app)
  app.get('/', async (request) => {
    const { base } = linksOf(request, deps.config.publicUrl)
    return Object.fromEntries(RESOURCES.map((name) => [name, `${base}/${name}`]))
  })
  addReleases(app, deps)
  addLatestPublished(app, deps)
  addReleaseNotes(app, deps)
  addTasks(app, deps)
  addTaskServices(app, deps)
  addStudies(app, deps)
  addEvents(app, deps)
  addEventStream(app, deps)
  addAudit(app, deps)
  addSignIn(app, deps)
  addGraphql(app, deps)
  addHealth(app, deps)
  addMethods(app)
  serveMetrics(app, deps.registry)
  return app
}

/** Asked before everything else, so that who may not learns nothing but that. */
function addGuard(app: App, deps: HttpDependencies): void {
  const { verifier, policy, log } = deps
  const refuse = (reply: FastifyReply, detail: string) => reply.status(403).send({ detail })
  const exception = async (permission: Permission, request: FastifyRequest) =>
    answersByField(permission, request) || isHint(deps, permission, request)
  guard(app, { verifier, policy, permissionOf, subjectOf, exception, refuse, log })
}

/** An answer tells the time that is left at its moment: nobody may keep it and show it later (CR-23). */
function keepNothing(app: App): void {
  app.addHook('onRequest', async (_, reply) => void reply.header('cache-control', 'no-store'))
}

/** A body that is empty counts as one without fields, as in the original. */
function takeJson(app: App): void {
  const parse = app.getDefaultJsonParser('remove', 'remove')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {})
    else void parse(request, body as string, done)
  })
}

function addHealth(app: App, deps: HttpDependencies): void {
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_, reply) => {
    const ready =
      !deps.stopping.aborted &&
      (await deps.ping().then(
        () => true,
        () => false,
      ))
    // Without its queue it works on: the other instances look for themselves every few seconds.
    const queue = deps.queueHealth()
    return ready
      ? { status: queue, queue }
      : reply.status(503).send({ detail: 'The database does not answer.' })
  })
}
