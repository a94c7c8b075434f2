import { callerOn, type Permission } from '@release-task/auth'
import type { App, FastifyError, FastifyReply, FastifyRequest } from '@release-task/http'
import { answerQuestion, refusal, type Question, type Reply } from '../graphql/graphql.ts'
import { profileOf } from '../graphql/profile.ts'
import { Reads } from '../graphql/reads.ts'
import { createRest } from '../graphql/rest.ts'
import type { HttpDependencies } from './dependencies.ts'

const ROUTE = /^\/graphql(\.json)?$/

/** The GraphQL API (GQ-5): questions come by POST, those that change nothing also by GET. */
export function addGraphql(app: App, deps: HttpDependencies): void {
  const options = { schema: { hide: true }, errorHandler: answerError }
  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    const { status, body } = await answer(app, deps, request)
    if (status === 405) reply.header('allow', 'POST')
    return reply.status(status).send(body)
  }
  app.get('/graphql', options, handle)
  app.post('/graphql', options, handle)
  app.addHook('onSend', async (request, reply) => allowCredentials(request, reply))
}

/** Who may not read is told so at every field, not by the status: the clients look only there (GQ-7). */
export function answersByField(permission: Permission, request: FastifyRequest): boolean {
  return permission === 'read' && ROUTE.test(request.routeOptions.url ?? '')
}

/** The original's page asks with cookies allowed, and its browser wants to hear that they are; none is set or read. */
function allowCredentials(request: FastifyRequest, reply: FastifyReply): void {
  if (!ROUTE.test(request.url.split('?')[0] ?? '')) return
  if (reply.hasHeader('access-control-allow-origin')) reply.header('access-control-allow-credentials', 'true')
}

async function answer(app: App, deps: HttpDependencies, request: FastifyRequest): Promise<Reply> {
  const question = questionOf(request)
  if ('status' in question) return question
  const caller = callerOn(request)
  return answerQuestion(question, {
    deps,
    caller,
    profile: profileOf(caller, request),
    reads: new Reads(deps),
    rest: createRest(app, request),
  })
}

function questionOf({ method, query, body }: FastifyRequest): Question | Reply {
  const readOnly = method !== 'POST'
  const asked: unknown = readOnly ? query : body
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked))
    return refusal(400, 'The received data is not a valid JSON query.')
  const fields = asked as Readonly<Record<string, unknown>>
  if (typeof fields['query'] !== 'string' || fields['query'] === '')
    return refusal(400, readOnly ? NO_QUERY : 'Must provide query string.')
  const variables = variablesOf(fields['variables'])
  if (!variables) return refusal(400, 'Variables are invalid JSON.')
  const name = fields['operationName']
  const operationName = typeof name === 'string' && name !== '' && name !== 'null' ? name : null
  return { query: fields['query'], variables, operationName, readOnly }
}

const NO_QUERY =
  'Must provide query string: POST {"query": …} as JSON, or GET ?query=…; there is no page to try queries on.'

/** In an address or a form they are JSON in a text. */
function variablesOf(given: unknown): Readonly<Record<string, unknown>> | null {
  if (given === null || given === undefined || given === '') return {}
  const value = typeof given === 'string' ? parsed(given) : given
  if (value === null) return {}
  return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** What could not be read is told in the shape that clients of GraphQL look for. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const status = error instanceof SyntaxError ? 400 : (error.statusCode ?? 503)
  if (status >= 500) request.log.error({ err: error, url: request.url }, 'request failed')
  const message = status >= 500 ? 'Internal error' : error.message
  reply.status(status).send({ errors: [{ message }] })
}
