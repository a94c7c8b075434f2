import formbody from '@fastify/formbody'
import { createApp, serveMetrics, type App } from '@release-task/http'
import type { HttpDependencies } from './dependencies.ts'
import { addEvents } from './events.ts'
import { linksOf, type Resource } from './links.ts'
import { handleErrors } from './problem.ts'
import { addReleases } from './releases.ts'
import { addStudies } from './studies.ts'
import { addTasks } from './tasks.ts'
import { addTaskServices } from './task-services.ts'

const READ = ['GET', 'HEAD', 'OPTIONS']

/** Paths and the methods that they have, for 405. */
const METHODS = new Map([
  ['/(releases|tasks|task-services|studies)/(status_checks|health_checks|sync)', ['POST']],
  ['/releases/[^/]+/publish', ['POST']],
  ['/(releases|task-services)', [...READ, 'POST']],
  ['/(releases|task-services)/[^/]+', [...READ, 'PUT', 'PATCH', 'DELETE']],
  ['/tasks/[^/]+', [...READ, 'PUT', 'PATCH']],
  ['/(tasks|events|studies)', READ],
  ['/(events|studies)/[^/]+', READ],
  ['/studies/[^/]+/releases(/[^/]+)?', READ],
  ['/(livez|readyz|metrics|openapi\\.json)?', READ],
])

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
  const app = await createApp({ title: 'Release coordinator', version: '0.1.0', logger: deps.log })
  handleErrors(app, METHODS)
  await app.register(formbody)
  takeEmptyJson(app)
  app.get('/', async (request) => {
    const { base } = linksOf(request, deps.config.publicUrl)
    return Object.fromEntries(
      RESOURCES.filter((name) => name !== 'release-notes').map((name) => [name, `${base}/${name}`]),
    )
  })
  addReleases(app, deps)
  addTasks(app, deps)
  addTaskServices(app, deps)
  addStudies(app, deps)
  addEvents(app, deps)
  addHealth(app, deps)
  serveMetrics(app, deps.registry)
  return app
}

/** A body that is empty counts as one without fields, as in the original. */
function takeEmptyJson(app: App): void {
  const parse = app.getDefaultJsonParser('remove', 'remove')
  app.removeContentTypeParser('application/json')
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
    return ready ? { status: 'ok' } : reply.status(503).send({ detail: 'The database does not answer.' })
  })
}
