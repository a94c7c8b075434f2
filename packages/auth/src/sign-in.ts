import { httpUrl, INVALID, SettingsError, text, type Setting, type SettingsOf } from '@release-task/settings'
import type { AuthSettings } from './settings.ts'

/** As it is written: of an address that somebody else gives out, a slash at the end is a part. */
function endpoint(name: string, about: string): Setting<string | null> {
  const address = httpUrl(name, null, about)
  return { ...address, parse: (value) => (address.parse(value) === INVALID ? INVALID : value) }
}

/** How people sign in on the page of the coordinator (CR-48); `--help` and docs/configuration.md are printed from here. */
export const SIGN_IN_SETTINGS = {
  dashboardClientId: text(
    'DASHBOARD_CLIENT_ID',
    null,
    'Client that the page signs people in as: a public one, with PKCE and the redirect address `/signed-in`.',
  ),
  dashboardAuthorizeUrl: endpoint('DASHBOARD_AUTHORIZE_URL', 'Where the issuer signs people in.'),
  dashboardTokenUrl: endpoint(
    'DASHBOARD_TOKEN_URL',
    'Where the page gets the token of whoever has signed in; the issuer must let it (CORS).',
  ),
  dashboardScope: text('DASHBOARD_SCOPE', 'openid profile', 'What the page asks the issuer for.'),
  dashboardDevTokenUrl: endpoint(
    'DASHBOARD_DEV_TOKEN_URL',
    'Set by `release-task dev`, on a loopback address: where its page gets a token without a password.',
  ),
} as const

export type SignInSettings = SettingsOf<typeof SIGN_IN_SETTINGS>

/** The roles that a token of `release-task dev` may have, by the names that people use. */
export const LOCAL_ROLES = { viewer: 'USER', developer: 'DEV', admin: 'ADMIN' } as const
export type LocalRole = keyof typeof LOCAL_ROLES

/** One way to a token, for a page that has none yet. */
export type SignInWay =
  | { readonly kind: 'local'; readonly token_url: string; readonly roles: readonly LocalRole[] }
  | {
      readonly kind: 'oidc'
      readonly authorization_endpoint: string
      readonly token_endpoint: string
      readonly client_id: string
      readonly audience: string | null
      readonly scope: string
    }

export interface SignIn {
  readonly auth: 'on' | 'off'
  /** None where nothing checks who calls, or nothing is known of how a person gets a token. */
  readonly ways: readonly SignInWay[]
}

type Values = SignInSettings & Pick<AuthSettings, 'auth' | 'authAudience'>

/**
 * What a page must know to sign somebody in (CR-48).
 * @throws SettingsError that names what is missing
 */
export function signInOf(values: Values): SignIn {
  const ways = [...localWay(values), ...oidcWay(values)]
  return values.auth === 'on' ? { auth: 'on', ways } : { auth: 'off', ways: [] }
}

/** The addresses that a page asks for tokens: it may connect to no others. */
export function tokenOrigins({ ways }: SignIn): readonly string[] {
  const urls = ways.map((way) => (way.kind === 'local' ? way.token_url : way.token_endpoint))
  return [...new Set(urls.map((url) => new URL(url).origin))]
}

const LOOPBACK = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/

function localWay({ dashboardDevTokenUrl: url }: Values): SignInWay[] {
  if (url === null) return []
  if (!LOOPBACK.test(new URL(url).hostname))
    throw new SettingsError(
      `Cannot use the settings: DASHBOARD_DEV_TOKEN_URL=${url} is not on this machine, and would give everybody a token`,
    )
  return [{ kind: 'local', token_url: url, roles: Object.keys(LOCAL_ROLES) as LocalRole[] }]
}

/** All or nothing. */
function oidcWay(values: Values): SignInWay[] {
  const { dashboardClientId: client, dashboardAuthorizeUrl: authorize, dashboardTokenUrl: token } = values
  if (client !== null && authorize !== null && token !== null) {
    const endpoints = { authorization_endpoint: authorize, token_endpoint: token }
    const { authAudience: audience, dashboardScope: scope } = values
    return [{ kind: 'oidc', ...endpoints, client_id: client, audience, scope }]
  }
  const set = {
    DASHBOARD_CLIENT_ID: client,
    DASHBOARD_AUTHORIZE_URL: authorize,
    DASHBOARD_TOKEN_URL: token,
  }
  const missing = Object.entries(set).flatMap(([name, value]) => (value === null ? [name] : []))
  if (missing.length === Object.keys(set).length) return []
  const needed = missing.join(' and ')
  throw new SettingsError(`Cannot use the settings: for people to sign in, the page also needs ${needed}`)
}
