import type { App, FastifyError, FastifyRequest } from '@release-task/http'

/** An answer that is not a success: its status and its whole body (CR-14). */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly body: object

  constructor(status: number, body: object) {
    super(JSON.stringify(body))
    this.status = status
    this.body = body
  }
}

export const notFound = (): Problem => new Problem(404, { detail: 'Not found.' })
export const conflict = (detail: string): Problem => new Problem(409, { detail })
export const invalid = (field: string, ...messages: string[]): Problem =>
  new Problem(400, { [field]: messages })

/** What is said of a relation filter with an id that there is not (CR-14). */
export const UNKNOWN_CHOICE = 'Select a valid choice. That choice is not one of the available choices.'

function problemOf(error: FastifyError, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const type = request.headers['content-type'] ?? ''
    return new Problem(415, { detail: `Unsupported media type "${type}" in request.` })
  }
  if (error instanceof SyntaxError || error.code === 'FST_ERR_CTP_INVALID_JSON_BODY')
    return new Problem(400, { detail: `JSON parse error - ${error.message}` })
  const status = error.statusCode ?? 503
  if (status >= 400 && status < 500) return new Problem(status, { detail: error.message })
  if ((error as { code?: string }).code === 'DATABASE_OUTCOME_UNKNOWN')
    return new Problem(503, {
      detail: 'It is not known whether this was stored: look before you ask again.',
    })
  return new Problem(503, {
    detail: 'The coordinator cannot take this now; nothing was stored. Ask again shortly.',
  })
}

/** Answers every error in the shape of the contract; only what is not the caller's fault is logged with its stack. */
export function handleErrors(app: App): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, request)
    if (problem.status >= 500) request.log.error({ err: error, url: request.url }, 'request failed')
    return reply.status(problem.status).send(problem.body)
  })
}
