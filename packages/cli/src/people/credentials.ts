import { createTokenSource, type LocalRole, type TokenSource } from '@release-task/auth'
import { SettingsError } from '@release-task/settings'
import { issueToken, readNote } from '../dev/local-issuer.ts'
import type { Receiver } from '../dev/role-token.ts'
import { CliError } from '../errors.ts'
import type { CommandSettings } from './settings.ts'

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
export function tokensFor(wish: Wish): TokenSource | null {
  const { settings, receiver, token } = wish
  const given = token ?? (receiver === 'coordinator' ? settings.token : settings.serviceToken)
  if (given !== null) return { token: async () => given, refresh: async () => given }
  return byClientCredentials(settings, receiver) ?? ofDev(wish)
}

function byClientCredentials(settings: CommandSettings, receiver: Receiver): TokenSource | null {
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
  return createTokenSource({ tokenUrl, clientId, clientSecret, audience })
}

function missing(values: { readonly [name: string]: unknown }): string {
  return Object.keys(values)
    .filter((name) => values[name] === null)
    .join(' and ')
}

function ofDev({ data, coordinator, receiver, role }: Wish): TokenSource | null {
  if (!isOfDev(data, coordinator)) return null
  let kept: Promise<string> | null = null
  const issue = () => (kept = issueToken(data, { role, receiver }))
  return { token: () => kept ?? issue(), refresh: issue }
}

/** A key of another system would only give tokens that are refused. */
function isOfDev(data: string, coordinator: string): boolean {
  try {
    return origin(readNote(data).coordinator) === origin(coordinator)
  } catch (error) {
    if (error instanceof CliError) return false
    throw error
  }
}

const origin = (url: string): string =>
  URL.canParse(url) ? new URL(url).origin.replace('//localhost', '//127.0.0.1') : ''
