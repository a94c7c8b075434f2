import type { App, FastifyReply, FastifyRequest } from '@release-task/http'

const READ = ['GET', 'HEAD', 'OPTIONS']

interface PathMethods {
  readonly pattern: RegExp
  /** What OPTIONS calls it. */
  readonly name: string
  readonly methods: readonly string[]
}

function path(pattern: string, name: string, methods: readonly string[]): PathMethods {
  return { pattern: new RegExp(`^${pattern}(\\.json)?$`), name, methods }
}

/** Paths that would else be taken for an id; only POST is for them. */
const POST_ONLY = [
  '/releases/status_checks',
  '/tasks/status_checks',
  '/task-services/health_checks',
  '/studies/sync',
]

/** The same, to be read only; what else may be done to one of the list would be done to this one. */
const LATEST = '/releases/latest-published'

/** Every path of the contract with its methods, for 405 and OPTIONS (CR-12, CR-14). The first that fits counts. */
const PATHS: readonly PathMethods[] = [
  ...POST_ONLY.map((url) => path(url, url.split('/').at(-1) ?? url, ['POST', 'OPTIONS'])),
  path('/releases/[^/]+/publish', 'publish', ['POST', 'OPTIONS']),
  path(LATEST, 'the newest published release', READ),
  path('/events/stream', 'events as they are written', READ),
  path('/(releases|task-services|release-notes)', 'list', [...READ, 'POST']),
  path('/(releases|task-services|release-notes)/[^/]+', 'one of the list', [
    ...READ,
    'PUT',
    'PATCH',
    'DELETE',
  ]),
  path('/tasks/[^/]+', 'one of the list', [...READ, 'PUT', 'PATCH']),
  path('/(tasks|events|studies)', 'list', READ),
  path('/(events|studies)/[^/]+', 'one of the list', READ),
  path('/studies/[^/]+/releases(/[^/]+)?', 'releases of a study', READ),
  path('/audit', 'who changed what', READ),
  path('/sign-in', 'how to get a token', READ),
  path('/graphql', 'GraphQL', [...READ, 'POST']),
  path('/me', 'who asks', READ),
  path('/', 'root', READ),
  path('/(livez|readyz)', 'about the coordinator', READ),
]

const RENDERS = ['application/json']
const PARSES = ['application/json', 'application/x-www-form-urlencoded']

/** Answers what no route takes: OPTIONS, a method that a path does not have, and a path that is none. */
export function addMethods(app: App): void {
  app.setNotFoundHandler(answerNoRoute)
  for (const url of POST_ONLY) forbid(app, url, ['GET', 'PUT', 'PATCH', 'DELETE'])
  forbid(app, LATEST, ['PUT', 'PATCH', 'DELETE'])
}

function forbid(app: App, url: string, method: string[]): void {
  app.route({ method, url, schema: { hide: true }, handler: answerNoRoute })
}

function answerNoRoute(request: FastifyRequest, reply: FastifyReply) {
  const asked = (request.url.split('?')[0] ?? '/').replaceAll(/\/{2,}/g, '/')
  const known = PATHS.find(({ pattern }) => pattern.test(asked))
  // Not the words of an unknown id: a service must not take a wrong path for a task that is gone (WK-20).
  if (!known) return reply.status(404).send({ detail: `There is nothing at ${asked}.` })
  const { name, methods } = known
  reply.header('allow', methods.join(', '))
  if (request.method === 'OPTIONS')
    return reply.send({
      name,
      description: `${name}: ${methods.join(', ')}`,
      renders: RENDERS,
      parses: PARSES,
    })
  return reply.status(405).send({ detail: `Method "${request.method}" not allowed.` })
}
