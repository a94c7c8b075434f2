import { SignJWT, type JWK } from 'jose'
import { createHash, timingSafeEqual } from 'node:crypto'
import { ISSUER_ALGORITHM, issuerKey } from './issuer-key.ts'
import { claimsFor, type MachineSubject, type UserSubject } from './token-claims.ts'

export interface IssuerClient {
  readonly id: string
  readonly secret: string
  /** Audiences that it may have tokens for: never its own (AU-9). */
  readonly audiences: readonly string[]
}

export interface IssuerOptions {
  /** Keeps the key. */
  readonly folder: string
  /** `iss` of the tokens: the address that the issuer is served at. */
  readonly issuer: string
  readonly clients: readonly IssuerClient[]
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly lifeSeconds?: number
}

export interface TokenAnswer {
  readonly status: number
  readonly body: object
}

export type IssueRequest = (UserSubject | MachineSubject) & { readonly audience: string }

/** A small issuer for one machine; whoever serves it brings the HTTP. */
export interface Issuer {
  /** Answer of `GET /.well-known/jwks.json`. */
  jwks(): { readonly keys: readonly JWK[] }
  /** Answer of `POST /oauth/token` to a parsed body (AU-4); it never throws over what the body holds. */
  token(body: unknown): Promise<TokenAnswer>
  /** A token for anybody, without asking: for the person at the terminal. */
  issue(request: IssueRequest): Promise<string>
  /** How long every token is good. */
  readonly lifeSeconds: number
}

/**
 * The issuer of the `dev` command. Production has one of its own, and never loads this file.
 * @throws AuthError ISSUER_KEY_UNREADABLE
 */
export async function openIssuer(options: IssuerOptions): Promise<Issuer> {
  const key = await issuerKey(options.folder)
  const { now = Date.now, lifeSeconds = 60 * 60 } = options

  function issue({ audience, ...subject }: IssueRequest): Promise<string> {
    const issuedAt = Math.floor(now() / 1000)
    return new SignJWT({ ...claimsFor(subject), iss: options.issuer, aud: audience })
      .setProtectedHeader({ alg: ISSUER_ALGORITHM, kid: key.kid, typ: 'JWT' })
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifeSeconds)
      .sign(key.privateKey)
  }

  async function token(body: unknown): Promise<TokenAnswer> {
    const asked = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
    if (asked.grant_type !== 'client_credentials')
      return { status: 400, body: { error: 'unsupported_grant_type' } }
    const client = options.clients.find(({ id }) => id === asked.client_id)
    if (!sameText(client?.secret ?? '', asked.client_secret) || !client)
      return { status: 401, body: { error: 'access_denied' } }
    const audience = client.audiences.find((one) => one === asked.audience)
    if (audience === undefined) return { status: 403, body: { error: 'access_denied' } }
    const value = await issue({ kind: 'machine', client: client.id, audience })
    return { status: 200, body: { access_token: value, token_type: 'Bearer', expires_in: lifeSeconds } }
  }

  return { jwks: () => ({ keys: [key.publicJwk] }), token, issue, lifeSeconds }
}

/** In a time that does not tell how much of it was right. */
function sameText(secret: string, given: unknown): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return typeof given === 'string' && timingSafeEqual(digest(secret), digest(given))
}
