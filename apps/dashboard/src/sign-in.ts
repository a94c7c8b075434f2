import { ApiError, serverMessage } from './api-error.ts'
import type { LocalWay, OidcWay, Role } from './api-types.ts'
import { rootPath } from './root-path.ts'
import type { Store } from './session.ts'

/** What a token endpoint gives. */
export interface Granted {
  readonly token: string
  readonly expiresInS: number
}

/** What is remembered while the person is at the identity provider. */
interface Pending {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly returnTo: string
  readonly way: OidcWay
}

const KEY = 'release-dashboard.sign-in'
const DEFAULT_LIFE_S = 3600

/** A token of the issuer that `dev` runs, for a role. @throws ApiError */
export async function signInLocally(way: LocalWay, role: Role): Promise<Granted> {
  return grantedBy(way.token_url, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ grant_type: 'client_credentials', role }),
  })
}

async function grantedBy(url: string, init: RequestInit): Promise<Granted> {
  const signal = AbortSignal.timeout(15_000)
  const response = await fetch(url, { ...init, method: 'POST', signal }).catch(() => {
    throw new ApiError('unreachable', `The issuer of tokens at ${url} cannot be reached.`)
  })
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return grantedIn(body)
  const why = describeGrantError(body) ?? `it answered ${response.status}`
  throw new ApiError('refused', `The issuer of tokens refused: ${why}`, { status: response.status })
}

/** The words of RFC 6749, or those of the coordinator. Pure. */
export function describeGrantError(body: unknown): string | null {
  const { error, error_description: more } = (body ?? {}) as { error?: unknown; error_description?: unknown }
  const texts = [error, more].filter((one): one is string => typeof one === 'string')
  return texts.length > 0 ? texts.join(': ') : serverMessage(body)
}

/** @throws ApiError where there is no token in it. Pure. */
export function grantedIn(body: unknown): Granted {
  const { access_token: token, expires_in: life } = (body ?? {}) as Record<string, unknown>
  if (typeof token !== 'string') throw new ApiError('unreadable', 'The issuer gave no token.')
  return { token, expiresInS: typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE_S }
}

/** Leaves the page for the identity provider; `returnTo` is where the person is now. */
export async function goToProvider(way: OidcWay, store: Store, returnTo: string): Promise<string> {
  const pending = { way, returnTo, state: randomText(), nonce: randomText(), verifier: randomText() }
  store.setItem(KEY, JSON.stringify(pending))
  const challenge = await challengeOf(pending.verifier)
  return authorizationUrl(way, { ...pending, challenge, redirectUri: redirectUri() })
}

const redirectUri = () => `${location.origin}${rootPath()}/signed-in`

/** Where the provider is asked to sign the person in. Pure. */
export function authorizationUrl(
  way: OidcWay,
  given: { state: string; nonce: string; challenge: string; redirectUri: string },
): string {
  const url = new URL(way.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: way.client_id,
    redirect_uri: given.redirectUri,
    scope: way.scope,
    state: given.state,
    nonce: given.nonce,
    code_challenge: given.challenge,
    code_challenge_method: 'S256',
    ...(way.audience === null ? {} : { audience: way.audience }),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** The person is back from the provider with a code. @throws ApiError */
export async function comeBack(
  search: string,
  store: Store,
): Promise<Granted & { readonly returnTo: string }> {
  const pending = pendingIn(store.getItem(KEY))
  // A code is good for one try, and so is what belongs to it.
  store.removeItem(KEY)
  const code = codeIn(new URLSearchParams(search), pending)
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(),
    client_id: pending.way.client_id,
    code_verifier: pending.verifier,
  })
  const granted = await exchange(pending, form)
  return { ...granted, returnTo: safeReturn(pending.returnTo, rootPath()) }
}

async function exchange(pending: Pending, form: URLSearchParams): Promise<Granted> {
  const signal = AbortSignal.timeout(15_000)
  const response = await fetch(pending.way.token_endpoint, { method: 'POST', body: form, signal }).catch(
    () => {
      throw new ApiError('unreachable', 'The identity provider cannot be reached. Sign in again.')
    },
  )
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok)
    throw new ApiError('refused', describeGrantError(body) ?? 'The identity provider refused.')
  checkNonce((body as { id_token?: unknown } | null)?.id_token, pending.nonce)
  return grantedIn(body)
}

function pendingIn(text: string | null): Pending {
  if (text === null) throw new ApiError('unreadable', 'No sign-in was begun in this tab. Sign in again.')
  return JSON.parse(text) as Pending
}

/** The code of an answer that belongs to what was asked. @throws ApiError. Pure. */
export function codeIn(answer: URLSearchParams, { state }: Pick<Pending, 'state'>): string {
  if (answer.get('state') !== state)
    throw new ApiError(
      'unreadable',
      'This answer does not belong to the sign-in that was begun here. Sign in again.',
    )
  const error = answer.get('error')
  if (error !== null)
    throw new ApiError(
      'refused',
      `The identity provider refused: ${answer.get('error_description') ?? error}`,
    )
  const code = answer.get('code')
  if (code === null) throw new ApiError('unreadable', 'The identity provider gave no code. Sign in again.')
  return code
}

/** An id token that was made for another sign-in is refused; its signature is the coordinator's business. Pure. */
export function checkNonce(idToken: unknown, nonce: string): void {
  if (typeof idToken !== 'string') return
  const payload = idToken.split('.')[1] ?? ''
  const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
  if ((JSON.parse(text) as { nonce?: unknown }).nonce !== nonce)
    throw new ApiError('unreadable', 'The token was made for another sign-in. Sign in again.')
}

/** A path of this page; anything else is the start page. Pure. */
export function safeReturn(path: string, root: string): string {
  const isOwn =
    /^\/(?![/\\])/.test(path) && path.startsWith(`${root}/`) && !path.startsWith(`${root}/signed-in`)
  return isOwn ? path : `${root}/releases`
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** The S256 challenge of RFC 7636. */
export async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  return base64url(new Uint8Array(digest))
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
