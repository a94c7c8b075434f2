import { choice, httpUrl, INVALID, text, type Setting, type SettingsOf } from '@release-task/settings'

type ListSetting = Setting<readonly string[] | null>

/** Parts between commas; each is read by `part`, and one that is wrong makes the whole list wrong. */
function list(name: string, form: string, about: string, part: Setting<string | null>['parse']): ListSetting {
  return {
    name,
    default: null,
    about,
    form,
    parse(value) {
      const written = value.split(',').map((item) => item.trim())
      const parts = written.filter((item) => item !== '').map((item) => part(item))
      const good = parts.filter((item) => typeof item === 'string')
      return good.length === parts.length ? good : INVALID
    },
  }
}

/** Of both sides; `--help` and docs/configuration.md are printed from here (AU-1 to AU-9). */
export const AUTH_SETTINGS = {
  auth: choice(['on', 'off'])(
    'AUTH',
    null,
    '`on`: callers are known by their tokens, and may do what the policy allows. `off`: nothing checks who calls. Must be set to serve other machines.',
  ),
  authOffPublic: choice(['yes'])(
    'AUTH_OFF_PUBLIC',
    null,
    '`yes`: AUTH=off is meant although other machines reach the address.',
  ),
  authIssuer: httpUrl('AUTH_ISSUER', null, 'Who issues the tokens, as their claim `iss` says.'),
  authJwksUrl: httpUrl(
    'AUTH_JWKS_URL',
    null,
    'Keys that tokens are checked with. Default: `/.well-known/jwks.json` of AUTH_ISSUER.',
  ),
  authAudience: text('AUTH_AUDIENCE', null, 'Audience of this side: tokens for any other are refused.'),
  authReads: choice(['open', 'required'])(
    'AUTH_READS',
    'open',
    '`required`: reading needs a token too, except /status, /livez and /readyz.',
  ),
  authAdminClients: list(
    'AUTH_ADMIN_CLIENTS',
    'a list of client ids, with commas',
    'Clients whose machine tokens count as ADMIN, with commas between them.',
    (item) => item,
  ),
  authTokenUrl: httpUrl(
    'AUTH_TOKEN_URL',
    null,
    'Where a token for the calls of this side is asked for. Default: `/oauth/token` of AUTH_ISSUER.',
  ),
  authClientId: text('AUTH_CLIENT_ID', null, 'Client that asks for that token.'),
  authClientSecret: text('AUTH_CLIENT_SECRET', null, 'Its secret.'),
  authTokenAudience: text(
    'AUTH_TOKEN_AUDIENCE',
    null,
    'Audience of the side that is called. Never AUTH_AUDIENCE: who receives the token could use it here.',
  ),
} as const

const ADDRESS = httpUrl('LEGACY_SERVICES', null, 'One of the list.')

/** Of the coordinator, which also takes the names of the original where its own are not set (see `withAuth0Names`). */
export const COORDINATOR_AUTH_SETTINGS = {
  ...AUTH_SETTINGS,
  legacyServices: list(
    'LEGACY_SERVICES',
    'a list of http:// or https:// addresses, with commas',
    'Addresses of task services that send no token, with commas between them: their reports are only hints.',
    (item) => ADDRESS.parse(item),
  ),
} as const

export type AuthSettings = SettingsOf<typeof AUTH_SETTINGS>
export type CoordinatorAuthSettings = SettingsOf<typeof COORDINATOR_AUTH_SETTINGS>
