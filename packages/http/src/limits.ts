import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app.ts'
import { isDeeperThan } from './body-depth.ts'
import { allowOrigin, answerPreflight, isPreflight, keepVary } from './cors.ts'
import { RateLimit } from './rate-limit.ts'
import { refuseConnection, type ErrorBody, type Refusal } from './refusals.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

export const MOST_HEAD_BYTES = 16 * 1024 // 16 KiB of address and headers
export const MOST_BODY_BYTES = 1024 * 1024 // 1 MiB
const MOST_URL_LENGTH = 8 * 1024
const MOST_DEPTH = 50
const MOST_CONNECTIONS = 2000
const HEALTH = new Set(['/livez', '/readyz', '/status'])

export interface LimitOptions {
  /** Requests per second of one address; 0: any number. */
  readonly rateLimit: number
  /** Origins whose pages may read answers. */
  readonly corsOrigins: readonly string[]
  readonly errorBody: ErrorBody
}

/** What is asked of every request before any route sees it, and put on every answer (SV-30, CR-50 to CR-52). */
export function addLimits(app: App, options: LimitOptions): void {
  const { corsOrigins, errorBody } = options
  const limit = options.rateLimit > 0 ? new RateLimit(options.rateLimit) : null
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    allowOrigin(request, reply, corsOrigins)
    const refusal = headRefusal(request) ?? (limit && tooOften(limit, request, reply))
    if (refusal) return refuse(reply, refusal, errorBody)
    if (isPreflight(request, corsOrigins)) return answerPreflight(reply)
    return undefined
  })
  app.addHook('preValidation', async (request, reply) => {
    if (isDeeperThan(request.body, MOST_DEPTH)) return refuse(reply, TOO_DEEP, errorBody)
    return undefined
  })
  app.addHook('onSend', async (_request, reply) => keepVary(reply, corsOrigins))
  limitConnections(app, errorBody)
}

const TOO_DEEP: Refusal = {
  status: 400,
  code: 'INPUT_INVALID',
  message: `The body is nested deeper than ${MOST_DEPTH} levels`,
}

function headRefusal({ url, headers, raw }: FastifyRequest): Refusal | null {
  if (url.length > MOST_URL_LENGTH)
    return {
      status: 414,
      code: 'ADDRESS_TOO_LONG',
      message: `The address of the request has ${url.length} characters: ${MOST_URL_LENGTH} are the most`,
    }
  if (headers.host === undefined && raw.httpVersion === '1.1')
    return { status: 400, code: 'REQUEST_UNREADABLE', message: 'The request has no Host header' }
  return null
}

function tooOften(limit: RateLimit, request: FastifyRequest, reply: FastifyReply): Refusal | null {
  if (HEALTH.has(request.url.split('?')[0] ?? '')) return null
  const { retryAfterS, isNews } = limit.take(request.ip, performance.now())
  if (retryAfterS === null) return null
  if (isNews) request.log.warn({ address: request.ip }, 'asks more often than RATE_LIMIT allows')
  reply.header('retry-after', retryAfterS)
  return {
    status: 429,
    code: 'TOO_MANY_REQUESTS',
    message: `Too many requests from ${request.ip}: ask again in ${retryAfterS} s`,
  }
}

function refuse(reply: FastifyReply, { status, code, message }: Refusal, errorBody: ErrorBody): FastifyReply {
  return reply.status(status).send(errorBody(code, message))
}

/** What node would answer by itself, without a body of ours. */
function limitConnections({ server }: App, errorBody: ErrorBody): void {
  server.maxConnections = MOST_CONNECTIONS
  server.on('checkExpectation', (_request, response) => {
    const message = 'The request expects something else than 100-continue'
    const body = JSON.stringify(errorBody('REQUEST_UNREADABLE', message))
    const about = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    }
    response.writeHead(417, { ...about, ...SECURITY_HEADERS }).end(body)
  })
  server.on('connect', (_request, socket) => {
    const refusal = {
      status: 405,
      code: 'REQUEST_UNREADABLE',
      message: 'CONNECT is not possible here',
    } as const
    refuseConnection(socket as import('node:net').Socket, refusal, errorBody)
  })
}
