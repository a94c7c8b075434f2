import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signingKey, startTestIssuer, type SigningKey, type TestIssuer } from '@release-task/auth/testing'
import { onTestFinished } from 'vitest'
import type { FixtureOptions } from '../../packages/coordinator/src/coordinator.fixture.ts'
import { openCoordinator } from './coordinator.fixture.ts'

export const COORDINATOR = 'https://coordinator.test'
export const SERVICES = 'https://services.test'

// A key takes long to make, and nothing here is about a fresh one.
let key: Promise<SigningKey> | null = null

/** An issuer for one test. */
export async function openIssuer(): Promise<TestIssuer> {
  const issuer = await startTestIssuer('RS256', await (key ??= signingKey()))
  onTestFinished(() => issuer[Symbol.asyncDispose]())
  return issuer
}

/** A coordinator that knows its callers. */
export const checking = ({ issuer }: TestIssuer) => ({
  AUTH: 'on',
  AUTH_ISSUER: issuer,
  AUTH_AUDIENCE: COORDINATOR,
})

/** A coordinator that sends a token to its services. */
export const sending = ({ tokenUrl }: TestIssuer) => ({
  AUTH_TOKEN_URL: tokenUrl,
  AUTH_CLIENT_ID: 'coordinator',
  AUTH_CLIENT_SECRET: 'secret',
  AUTH_TOKEN_AUDIENCE: SERVICES,
})

export const person = (role: 'USER' | 'DEV' | 'ADMIN', studies: readonly string[] = []) =>
  ({ kind: 'user', id: `auth0|${role.toLowerCase()}`, name: `the ${role}`, role, studies }) as const

export const machine = (client = 'a-service') => ({ kind: 'machine', client }) as const

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A coordinator that knows its callers, and an ADMIN who calls it unless a test says who else. */
export async function openChecking(env: Record<string, string> = {}, options: FixtureOptions = {}) {
  const issuer = await openIssuer()
  const coordinator = await openCoordinator({ ...options, env: { ...checking(issuer), ...env } })
  coordinator.token = await issuer.token(person('ADMIN'), COORDINATOR)
  const as = async (who: Parameters<typeof issuer.token>[0], claims: object = {}) =>
    bearer(await issuer.token(who, COORDINATOR, claims))
  return { issuer, coordinator, as }
}

export interface Received {
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** A server on a free port that keeps what it is sent and answers as it is told, `json` where that is an object. */
export async function openServer(
  answer: (request: Received & { readonly method: string }) => {
    readonly status?: number
    readonly headers?: Record<string, string>
    readonly json?: unknown
  },
): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    request.resume()
    const { url = '', headers, method = '' } = request
    received.push({ url, headers })
    const { status = 200, headers: own = {}, json = {} } = answer({ url, headers, method })
    response.writeHead(status, { 'content-type': 'application/json', ...own }).end(JSON.stringify(json))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}
