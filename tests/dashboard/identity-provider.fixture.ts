import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startTestIssuer, type TestIssuer } from '@release-task/auth/testing'

export const CLIENT = 'the-page'
const AUDIENCE = 'release-coordinator'

/** What belongs to a code: it is good once. */
interface Given {
  readonly challenge: string
  readonly redirect: string
  readonly nonce: string
}

/**
 * An identity provider as the page meets it: it asks for nothing and sends back at once, but a code is worth a token
 * only to whoever knows the verifier of its challenge (RFC 7636).
 */
export class IdentityProvider {
  /** Why requests were refused. */
  readonly refused: string[] = []
  /** The next token is for another sign-in than the one that asked. */
  isMixedUp = false
  readonly #codes = new Map<string, Given>()
  readonly #issuer: TestIssuer
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider(await startTestIssuer('ES256'))
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve))
    return provider
  }

  private constructor(issuer: TestIssuer) {
    this.#issuer = issuer
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Settings of a coordinator whose page signs in here. */
  get settings(): Record<string, string> {
    return {
      AUTH: 'on',
      AUTH_ISSUER: this.#issuer.issuer,
      AUTH_AUDIENCE: AUDIENCE,
      AUTH_CLIENT_ID: 'coordinator',
      AUTH_CLIENT_SECRET: 'secret',
      AUTH_TOKEN_AUDIENCE: 'release-task-service',
      DASHBOARD_CLIENT_ID: CLIENT,
      DASHBOARD_AUTHORIZE_URL: `${this.origin}/authorize`,
      DASHBOARD_TOKEN_URL: `${this.origin}/token`,
    }
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    await this.#issuer[Symbol.asyncDispose]()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.origin)
    if (url.pathname === '/authorize') return this.#authorize(url.searchParams, response)
    if (url.pathname === '/token') return this.#token(request, response)
    response.writeHead(404).end()
  }

  #authorize(asked: URLSearchParams, response: ServerResponse): void {
    const wrong = [
      ...(asked.get('response_type') === 'code' ? [] : ['response_type']),
      ...(asked.get('client_id') === CLIENT ? [] : ['client_id']),
      ...(asked.get('audience') === AUDIENCE ? [] : ['audience']),
      ...(asked.get('code_challenge_method') === 'S256' ? [] : ['code_challenge_method']),
      ...(/^[\w-]{43}$/.test(asked.get('code_challenge') ?? '') ? [] : ['code_challenge']),
      ...((asked.get('state') ?? '').length >= 20 ? [] : ['state']),
    ]
    const back = new URL(asked.get('redirect_uri') ?? 'about:blank')
    back.searchParams.set('state', asked.get('state') ?? '')
    if (wrong.length > 0) {
      this.refused.push(`authorize: ${wrong.join(', ')}`)
      back.searchParams.set('error', 'invalid_request')
    } else {
      const code = randomUUID()
      this.#codes.set(code, {
        challenge: asked.get('code_challenge') ?? '',
        redirect: asked.get('redirect_uri') ?? '',
        nonce: asked.get('nonce') ?? '',
      })
      back.searchParams.set('code', code)
    }
    response.writeHead(302, { location: back.href }).end()
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cors = { 'access-control-allow-origin': request.headers.origin ?? '', vary: 'Origin' }
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const form = new URLSearchParams(text)
    const code = form.get('code') ?? ''
    const given = this.#codes.get(code)
    this.#codes.delete(code)
    const verified = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const wrong = [
      ...(form.get('grant_type') === 'authorization_code' ? [] : ['grant_type']),
      ...(given ? [] : ['code']),
      ...(given?.challenge === verified ? [] : ['code_verifier']),
      ...(given?.redirect === form.get('redirect_uri') ? [] : ['redirect_uri']),
      ...(form.get('client_id') === CLIENT ? [] : ['client_id']),
    ]
    const say = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json', ...cors }).end(JSON.stringify(body))
    if (wrong.length > 0) {
      this.refused.push(`token: ${wrong.join(', ')}`)
      return void say(400, { error: 'invalid_grant', error_description: wrong.join(', ') })
    }
    const person = { kind: 'user', id: 'ada', role: 'ADMIN' } as const
    const nonce = this.isMixedUp ? 'of-another-sign-in' : given?.nonce
    say(200, {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: await this.#issuer.token(person, AUDIENCE),
      id_token: await this.#issuer.token(person, CLIENT, { nonce }),
    })
  }
}
