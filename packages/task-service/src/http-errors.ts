import { DatabaseError } from '@release-task/database'
import type { App, FastifyError, FastifyReply, FastifyRequest } from '@release-task/http'
import { z } from 'zod'
import type { TaskServiceErrorCode } from './errors.ts'

/** The body of every answer that is not 200 (SV-14). */
export const errorSchema = z.object({ message: z.string(), code: z.string() })

/** The answers that any action may get instead of 200, for OpenAPI (SV-13). */
export const refusals = { 400: errorSchema, 404: errorSchema, 503: errorSchema }

/** Answers with a refusal; typed as nothing, so that a route's own answer stays the only other one. */
export function refuse(reply: FastifyReply, status: number, code: TaskServiceErrorCode, message: string) {
  return reply.status(status).send({ message, code }) as never
}

export function refuseUnknown(reply: FastifyReply, id: string) {
  return refuse(reply, 404, 'TASK_NOT_FOUND', `There is no task ${id} here: it was never initialized`)
}

interface Problem {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** The first thing wrong with a request, naming the field. */
function invalidInput(error: FastifyError): Problem {
  const [first] = error.validation ?? []
  const field = first?.instancePath.slice(1).replaceAll('/', '.')
  const where = field ? `"${field}"` : `the ${error.validationContext ?? 'body'}`
  return {
    status: 400,
    code: 'INPUT_INVALID',
    message: `Cannot read the request: ${where} ${first?.message ?? 'is invalid'}`,
  }
}

function problemOf(error: FastifyError | DatabaseError): Problem {
  if ('validation' in error && error.validation) return invalidInput(error)
  const status = ('statusCode' in error && error.statusCode) || 500
  if (status === 413)
    return { status, code: 'INPUT_INVALID', message: 'Cannot read the request: the body is too large' }
  if (status >= 400 && status < 500)
    return { status: 400, code: 'INPUT_INVALID', message: `Cannot read the request: ${error.message}` }
  if (error.code === 'DATABASE_OUTCOME_UNKNOWN')
    return {
      status: 503,
      code: 'STORE_UNAVAILABLE',
      message: 'It is not known whether this was stored; the same action again does no harm',
    }
  // What is not the caller's fault and not ours to answer: the store did not take it, and nothing was changed.
  return {
    status: 503,
    code: 'STORE_UNAVAILABLE',
    message: 'The service cannot take this now; nothing was stored. Ask again shortly',
  }
}

/** Answers every error with the same body; only what is not the caller's fault is logged with its stack. */
export function handleErrors(app: App, methods: ReadonlyMap<string, readonly string[]>): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error)
    if (problem.status >= 500) request.log.error({ err: error, url: request.url }, 'request failed')
    return reply.status(problem.status).send({ message: problem.message, code: problem.code })
  })
  app.setNotFoundHandler((request, reply) => notFound(request, reply, methods))
}

function notFound(
  request: FastifyRequest,
  reply: FastifyReply,
  methods: ReadonlyMap<string, readonly string[]>,
) {
  const path = request.url.split('?')[0]?.replaceAll(/\/{2,}/g, '/') ?? '/'
  for (const [pattern, allowed] of methods) {
    // An id that is too long for the router has a path and a method that exist.
    if (!new RegExp(`^${pattern}$`).test(path) || allowed.includes(request.method)) continue
    const message = `${request.method} ${path} is not possible here: use ${allowed.join(', ')}`
    return reply.status(405).header('allow', allowed.join(', ')).send({ message, code: 'METHOD_NOT_ALLOWED' })
  }
  return reply.status(404).send({ message: `There is nothing at ${path}`, code: 'PATH_NOT_FOUND' })
}
