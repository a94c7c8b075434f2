import { request, TransportError } from '@release-task/http/client'
import type { TokenSource } from './client-credentials.ts'
import { AuthError } from './errors.ts'

/**
 * `request` with a token: on 401 or 403 it gets another one, once, and repeats once (AU-4, N-8, RC-9). What is
 * answered then is the answer. Repeating is safe for every method: who refuses the caller has not acted.
 * @throws TransportError as `request`
 * @throws TransportError where there is no token either: worth another try, and not to be taken for a refusal by the
 * other side (F-26); the request has certainly not arrived
 */
export function authorized(tokens: TokenSource, send: typeof request = request): typeof request {
  return async (url, options) => {
    const withToken = (token: string) =>
      send(url, {
        ...options,
        headers: { ...withoutAuthorization(options.headers), authorization: `Bearer ${token}` },
      })
    const token = await tokens.token().catch(asTransport)
    const answer = await withToken(token)
    if (answer.status !== 401 && answer.status !== 403) return answer
    const fresh = await tokens.refresh(token).catch(asTransport)
    return fresh === token ? answer : withToken(fresh)
  }
}

function asTransport(error: unknown): never {
  throw error instanceof AuthError ? new TransportError(error.message, false, error) : error
}

/** Two spellings of one name would be sent as one header with both values. */
function withoutAuthorization(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  )
}
