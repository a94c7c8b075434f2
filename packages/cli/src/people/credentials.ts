import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuthError, LocalRole, TokenSource, TokenSourceOptions } from '@release-task/auth'
import { SettingsError } from '@release-task/settings'
import type { IssuerNote } from '../dev/local-issuer.ts'
import type { Receiver } from '../dev/role-token.ts'
import type { CommandSettings } from './settings.ts'

/** A token for one side. What gets or makes it is loaded only when it is asked for: it is large. */
export interface Tokens extends TokenSource {
  /** There is no other that could take its place when it is refused. */
  readonly isGiven: boolean
}

export interface Wish {
  readonly settings: CommandSettings
  /** Whom the token is for. */
  readonly receiver: Receiver
  /** As the command line says; before everything else. */
  readonly token: string | undefined
  /** Folder in which the key of the issuer of `dev` may lie. */
  readonly data: string
  /** The coordinator that is asked; the issuer of `dev` is asked only for its own. */
  readonly coordinator: string
  /** The least that suffices, where the issuer of `dev` gives the token. */
  readonly role: LocalRole
}

/**
 * Where the token of a command comes from: given, by client credentials, or of the issuer of `dev`. Null: nowhere, and
 * the calls go out without one. A token of one side is never taken for the other (AU-9).
 * @throws SettingsError where client credentials are set by half
 */
export function tokensFor(wish: Wish): Tokens | null {
  const { settings, receiver, token } = wish
  const given = token ?? (receiver === 'coordinator' ? settings.token : settings.serviceToken)
  if (given !== null) return { token: async () => given, refresh: async () => given, isGiven: true }
  return byClientCredentials(settings, receiver) ?? ofDev(wish)
}

function byClientCredentials(settings: CommandSettings, receiver: Receiver): Tokens | null {
  const { authClientId: clientId, authClientSecret: clientSecret, authTokenUrl, authIssuer } = settings
  if (clientId === null) return null
  const isCoordinator = receiver === 'coordinator'
  const audience = isCoordinator ? settings.authTokenAudience : settings.authAudience
  const tokenUrl = authTokenUrl ?? (authIssuer && `${authIssuer}/oauth/token`)
  if (clientSecret === null || audience === null || tokenUrl === null)
    throw new SettingsError(
      `Cannot use the settings: AUTH_CLIENT_ID also needs ${missing({
        AUTH_CLIENT_SECRET: clientSecret,
        [isCoordinator ? 'AUTH_TOKEN_AUDIENCE' : 'AUTH_AUDIENCE']: audience,
        'AUTH_TOKEN_URL or AUTH_ISSUER': tokenUrl,
      })}`,
    )
  return fetched({ tokenUrl, clientId, clientSecret, audience })
}

function fetched(options: TokenSourceOptions): Tokens {
  let source: Promise<TokenSource> | null = null
  const open = () =>
    (source ??= import('@release-task/auth').then(({ createTokenSource }) => createTokenSource(options)))
  return {
    token: async () => (await open()).token(),
    refresh: async (refused) => (await open()).refresh(refused),
    isGiven: false,
  }
}

function missing(values: { readonly [name: string]: unknown }): string {
  return Object.keys(values)
    .filter((name) => values[name] === null)
    .join(' and ')
}

function ofDev({ data, coordinator, receiver, role }: Wish): Tokens | null {
  if (!isOfDev(data, coordinator)) return null
  let kept: Promise<string> | null = null
  const issue = () =>
    (kept = import('../dev/local-issuer.ts').then(({ issueToken }) => issueToken(data, { role, receiver })))
  return { token: () => kept ?? issue(), refresh: issue, isGiven: false }
}

/** A key of another system would only give tokens that are refused. */
function isOfDev(data: string, coordinator: string): boolean {
  try {
    const note = JSON.parse(readFileSync(join(data, 'issuer', 'issuer.json'), 'utf8')) as IssuerNote
    return origin(note.coordinator) === origin(coordinator)
  } catch {
    return false
  }
}

const origin = (url: string): string =>
  URL.canParse(url) ? new URL(url).origin.replace('//localhost', '//127.0.0.1') : ''

/** By its name: the class comes with everything that checks tokens. */
export function isAuthError(error: unknown): error is AuthError {
  return error instanceof Error && error.name === 'AuthError'
}
