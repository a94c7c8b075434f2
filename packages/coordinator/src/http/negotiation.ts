import type { App, FastifyRequest } from '@release-task/http'
import { queryText } from './page.ts'
import { Problem } from './problem.ts'

const JSON_TYPES = ['application/json', 'application/*', '*/*']
const OTHER_FORMATS = [
  '/livez',
  '/readyz',
  '/metrics',
  '/openapi.json',
  '/audit',
  '/events/stream',
  '/graphql',
]

/** Every path also with the suffix `.json`; an `Accept` that has no room for JSON is refused (CR-3). */
export function answerJsonOnly(app: App): void {
  app.addHook('onRequest', async (request) => {
    if (request.is404 || acceptsJson(request)) return
    throw new Problem(406, { detail: 'Could not satisfy the request Accept header.' })
  })
  app.addHook('onRoute', (route) => {
    // HEAD routes are made by themselves, also for the copies.
    if (route.method === 'HEAD' || route.url === '/' || /\.json$|^\/metrics$/.test(route.url)) return
    app.route({ ...route, url: `${route.url}.json`, schema: { hide: true } })
  })
}

function acceptsJson(request: FastifyRequest): boolean {
  const { accept } = request.headers
  const path = request.url.split('?')[0] ?? '/'
  if (!accept || path.endsWith('.json') || OTHER_FORMATS.includes(path)) return true
  return queryText(request, 'format') === 'json' || accept.split(',').some(takesJson)
}

/** One element of `Accept`, such as `application/json;q=0.5`; with `q=0` it means the opposite. */
function takesJson(element: string): boolean {
  const [type, ...parameters] = element.split(';').map((part) => part.trim().toLowerCase())
  return JSON_TYPES.includes(type ?? '') && !parameters.some((one) => /^q=0(\.0*)?$/.test(one))
}
