import { request, TransportError, type Answer } from '@release-task/http/client'
import { MAX_TOKEN_LENGTH } from './bearer.ts'
import { AuthError } from './errors.ts'

export interface TokenSourceOptions {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** Of the side that is called. */
  readonly audience: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** How long one request to the token endpoint may take. */
  readonly timeoutMs?: number
  readonly send?: typeof request
}

export interface TokenSource {
  /**
   * A token that is still good, from memory where there is one.
   * @throws AuthError TOKEN_ENDPOINT_UNAVAILABLE or TOKEN_ENDPOINT_REFUSED; both are worth another try later
   */
  token(): Promise<string>
  /**
   * The token instead of one that was refused with 401 or 403. Free where that one was replaced already; the same
   * token again where the last replacement is less than a second old: then the fault is not the token's.
   * @throws AuthError as `token`
   */
  refresh(refused: string): Promise<string>
}

interface Token {
  readonly value: string
  /** From here on a new one is fetched. */
  readonly renewAt: number
  /** Until here it is good, should there be no new one. */
  readonly goodUntil: number
}

/** Between two tries at an endpoint that fails, and between two replacements of refused tokens. */
const PAUSE_MS = 1000 // 1 s
/** The longest that a token is renewed before its end; of short ones it is a tenth of their life. */
const MARGIN_MS = 60 * 1000 // 1 min
/** Where the answer does not say how long the token lives. */
const DEFAULT_LIFE_SECONDS = 5 * 60
/** Whatever the answer says: a life of 0 would fetch a token for every request. */
const MIN_LIFE_SECONDS = 1
const MAX_LIFE_SECONDS = 24 * 60 * 60

/**
 * Tokens by client credentials (AU-4): kept for their own life minus a margin, one request for all who wait, at most
 * one try a second while the endpoint fails.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const now = options.now ?? Date.now
  let known: Token | null = null
  let failure: { readonly error: AuthError; readonly at: number } | null = null
  let fetching: Promise<Token> | null = null
  let replacedAt = -Infinity

  function fetchOnce(): Promise<Token> {
    if (failure && now() < failure.at + PAUSE_MS) return Promise.reject(failure.error)
    fetching ??= fetchToken(options, now)
      .then(
        (token) => {
          failure = null
          return (known = token)
        },
        (error: AuthError) => {
          failure = { error, at: now() }
          throw error
        },
      )
      .finally(() => (fetching = null))
    return fetching
  }

  async function token(): Promise<string> {
    if (known && now() < known.renewAt) return known.value
    const old = known
    try {
      return (await fetchOnce()).value
    } catch (error) {
      // Still good, and not refused in the meantime: better than none while the endpoint is away.
      if (old && old === known && now() < old.goodUntil) return old.value
      throw error
    }
  }

  async function refresh(refused: string): Promise<string> {
    if (known?.value !== refused) return token()
    if (now() < replacedAt + PAUSE_MS) return refused
    // The old one stays known until then: one side that refuses it must not cut off the others.
    const fresh = await fetchOnce()
    replacedAt = now()
    return fresh.value
  }

  return { token, refresh }
}

/** @throws AuthError without the secret, and without anything of the answer: issuers repeat what they were sent */
async function fetchToken(options: TokenSourceOptions, now: () => number): Promise<Token> {
  const askedAt = now()
  const answer = await ask(options)
  if (answer.status !== 200) throw refusalOf(options.tokenUrl, answer.status)
  const { access_token: value, expires_in: life } = (answer.json ?? {}) as Record<string, unknown>
  // What a header cannot carry would appear in the message of the request that fails over it.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || value.length > MAX_TOKEN_LENGTH)
    throw unavailable(options.tokenUrl, 'the answer has no usable access_token')
  const lifeMs = secondsOf(life) * 1000
  const renewAt = askedAt + lifeMs - Math.min(MARGIN_MS, lifeMs / 10)
  return { value, renewAt, goodUntil: askedAt + lifeMs }
}

async function ask(options: TokenSourceOptions): Promise<Answer> {
  const { tokenUrl, clientId, clientSecret, audience, send = request, timeoutMs = 5000 } = options
  const body = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    audience,
  }
  try {
    return await send(tokenUrl, { method: 'POST', body, timeoutMs })
  } catch (error) {
    throw unavailable(tokenUrl, error instanceof TransportError ? error.message : 'the request failed', error)
  }
}

function refusalOf(url: string, status: number): AuthError {
  if (status === 429 || status < 400 || status >= 500)
    return unavailable(url, `the answer has status ${status}`)
  return new AuthError(
    'TOKEN_ENDPOINT_REFUSED',
    `${url} refused a token with status ${status}: look at AUTH_CLIENT_ID, AUTH_CLIENT_SECRET and AUTH_TOKEN_AUDIENCE`,
  )
}

function unavailable(url: string, why: string, cause?: unknown): AuthError {
  return new AuthError('TOKEN_ENDPOINT_UNAVAILABLE', `No token from ${url}: ${why}`, cause)
}

/** Some issuers write the number as text. */
function secondsOf(life: unknown): number {
  const seconds = typeof life === 'string' ? Number(life) : life
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return DEFAULT_LIFE_SECONDS
  return Math.min(Math.max(seconds, MIN_LIFE_SECONDS), MAX_LIFE_SECONDS)
}
