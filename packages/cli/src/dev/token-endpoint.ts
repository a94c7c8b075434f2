import { LOCAL_ROLES, type LocalRole } from '@release-task/auth'
import type { App, FastifyRequest } from '@release-task/http'

export const TOKEN_PATH = '/token'

export interface TokenEndpoint {
  /** Pages that may ask. */
  readonly origins: readonly string[]
  readonly issue: (role: LocalRole) => Promise<{ access_token: string; expires_in: number }>
}

/** The names of this machine; any other name that leads here was chosen by somebody else. */
const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i

/**
 * `POST /token`: a token without a password, for the page of `dev` (CR-48). Its server listens on the loopback address
 * alone; besides, no page but the coordinator's may ask, also not one whose name was made to lead here.
 */
export function addTokenEndpoint(app: App, { origins, issue }: TokenEndpoint): void {
  app.post(TOKEN_PATH, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    if (!isOurs(request, origins)) return reply.status(403).send(refusal('access_denied', ONLY_OURS))
    const { grant_type: grant, role } = (request.body ?? {}) as Record<string, unknown>
    if (grant !== 'client_credentials')
      return reply
        .status(400)
        .send(refusal('unsupported_grant_type', 'grant_type must be client_credentials'))
    if (!isRole(role))
      return reply.status(400).send(refusal('invalid_request', `role must be one of ${NAMES}`))
    return { token_type: 'Bearer', ...(await issue(role)) }
  })
}

/** The coordinator's page under both names of this machine. */
export function originsOf(coordinatorUrl: string): string[] {
  const { port } = new URL(coordinatorUrl)
  return ['127.0.0.1', 'localhost'].map((host) => new URL(`http://${host}:${port}`).origin)
}

const NAMES = Object.keys(LOCAL_ROLES).join(', ')
const ONLY_OURS = 'Only the page of the coordinator, and programs on this machine, may ask for a token'

const refusal = (error: string, text: string) => ({ error, error_description: text })

function isRole(value: unknown): value is LocalRole {
  return typeof value === 'string' && Object.hasOwn(LOCAL_ROLES, value)
}

/** Programs send no `Origin`; a browser does with every POST. */
function isOurs({ headers }: FastifyRequest, origins: readonly string[]): boolean {
  const isFromOurPage = headers.origin === undefined || origins.includes(headers.origin)
  return isFromOurPage && LOCAL_HOST.test(headers.host ?? '')
}
