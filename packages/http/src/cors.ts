import type { FastifyReply, FastifyRequest } from 'fastify'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
const HEADERS = 'authorization, content-type, last-event-id'
const REMEMBERED_S = 600 // 10 min that a browser need not ask again

/**
 * Lets pages of the named origins read what is answered (CR-52). Never `*`, and never with cookies: a token is sent by
 * the page itself.
 */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  if (origins.length === 0) return
  // Also without the header and for others: a cache must not give one origin's answer to another.
  reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (!origin || !origins.includes(origin)) return
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', 'retry-after')
}

/** Whether a browser asks if it may ask; where the origin is not listed, that is an OPTIONS like any other. */
export function isPreflight(request: FastifyRequest, origins: readonly string[]): boolean {
  const { method, headers } = request
  if (method !== 'OPTIONS' || !headers['access-control-request-method']) return false
  return origins.includes(headers.origin ?? '')
}

export function answerPreflight(reply: FastifyReply): FastifyReply {
  return reply
    .status(204)
    .header('access-control-allow-methods', METHODS)
    .header('access-control-allow-headers', HEADERS)
    .header('access-control-max-age', REMEMBERED_S)
    .send()
}

/** A route that varies by something else has replaced the header. */
export function keepVary(reply: FastifyReply, origins: readonly string[]): void {
  if (origins.length === 0) return
  const written = [reply.getHeader('vary') ?? []].flat().join(', ')
  if (!/\borigin\b/i.test(written)) reply.header('vary', written ? `${written}, Origin` : 'Origin')
}
