import { SettingsError } from '@release-task/settings'
import type { TokenSourceOptions } from './client-credentials.ts'
import type { PolicyOptions } from './policy.ts'
import type { AuthSettings } from './settings.ts'
import type { VerifierOptions } from './verifier.ts'

export type Side = 'coordinator' | 'task-service'

export interface CheckedSettings extends AuthSettings {
  /** Where the side listens. */
  readonly host: string
  readonly legacyServices?: readonly string[] | null
}

/** What the settings come to, for the rooms that work with it. */
export interface AuthPlan {
  readonly policy: PolicyOptions
  /** Null where nothing checks who calls. */
  readonly verifier: VerifierOptions | null
  /** Null where calls go out without a token. */
  readonly tokens: TokenSourceOptions | null
  /** Services that send no token (AU-10). */
  readonly legacyServices: readonly string[]
}

const LOOPBACK = /^(localhost|::1|127(\.\d{1,3}){3})$/

/**
 * Judges the settings of authentication together (AU-2, AU-3, AU-4, AU-9): each may be well formed and the whole
 * still say something that nobody meant.
 * @throws SettingsError that names every problem at once
 */
export function checkAuthSettings(side: Side, values: CheckedSettings): AuthPlan {
  const problems = [
    ...addressProblems(values),
    ...checkingProblems(values),
    ...sendingProblems(values),
    ...audienceProblems(side, values),
  ]
  if (problems.length > 0) throw new SettingsError(`Cannot use the settings: ${problems.join('; ')}`)
  return planOf(values)
}

function addressProblems({ host, auth, authOffPublic }: CheckedSettings): string[] {
  if (LOOPBACK.test(host) || auth === 'on' || (auth === 'off' && authOffPublic === 'yes')) return []
  const reachable = `HOST=${host} is reachable from other machines`
  return auth === 'off'
    ? [`${reachable} and AUTH=off lets all of them do everything: set AUTH_OFF_PUBLIC=yes if that is meant`]
    : [`${reachable}: set AUTH=on, or AUTH=off with AUTH_OFF_PUBLIC=yes if everybody may do everything`]
}

/** Settings of checking without the switch: who wrote them believes that callers are checked. */
function checkingProblems(values: CheckedSettings): string[] {
  if (values.auth === 'on')
    return missing('AUTH=on needs', { AUTH_ISSUER: values.authIssuer, AUTH_AUDIENCE: values.authAudience })
  if (values.auth === 'off') return []
  const written = Object.entries({
    AUTH_ISSUER: values.authIssuer,
    AUTH_JWKS_URL: values.authJwksUrl,
    AUTH_AUDIENCE: values.authAudience,
    AUTH_ADMIN_CLIENTS: values.authAdminClients,
    'AUTH_READS=required': values.authReads === 'required' || null,
  }).filter(([, value]) => value !== null)
  if (written.length === 0) return []
  const names = written.map(([name]) => name).join(', ')
  return [`${names} set, but AUTH is neither on nor off: nothing would check who calls`]
}

/** All or nothing of what a token is asked for with. */
function sendingProblems(values: CheckedSettings): string[] {
  const own = {
    AUTH_CLIENT_ID: values.authClientId,
    AUTH_CLIENT_SECRET: values.authClientSecret,
    AUTH_TOKEN_AUDIENCE: values.authTokenAudience,
  }
  const begun = [...Object.values(own), values.authTokenUrl].some((value) => value !== null)
  if (!begun) return []
  const where = { 'AUTH_TOKEN_URL or AUTH_ISSUER': values.authTokenUrl ?? values.authIssuer }
  return missing('to send a token, this side also needs', { ...own, ...where })
}

function audienceProblems(side: Side, { authAudience, authTokenAudience }: CheckedSettings): string[] {
  if (authAudience === null || authAudience !== authTokenAudience) return []
  const receiver = side === 'coordinator' ? 'every task service' : 'the coordinator'
  return [
    `AUTH_TOKEN_AUDIENCE is AUTH_AUDIENCE (${authAudience}): ${receiver} could use the token that it is sent here; give it an audience of its own`,
  ]
}

function missing(intro: string, values: { readonly [name: string]: unknown }): string[] {
  const names = Object.keys(values).filter((name) => values[name] === null)
  return names.length === 0 ? [] : [`${intro} ${names.join(' and ')}`]
}

function planOf(values: CheckedSettings): AuthPlan {
  return {
    policy: { auth: values.auth === 'on' ? 'on' : 'off', reads: values.authReads },
    verifier: verifierOf(values),
    tokens: tokensOf(values),
    legacyServices: values.legacyServices ?? [],
  }
}

function verifierOf(values: CheckedSettings): VerifierOptions | null {
  const { auth, authIssuer: issuer, authAudience: audience } = values
  if (auth !== 'on' || issuer === null || audience === null) return null
  const jwksUrl = values.authJwksUrl ?? `${issuer}/.well-known/jwks.json`
  return { issuer, audience, jwksUrl, adminClients: values.authAdminClients ?? [] }
}

/** What is sent does not depend on AUTH, which says who may call this side. */
function tokensOf(values: CheckedSettings): TokenSourceOptions | null {
  const { authClientId: clientId, authClientSecret: clientSecret, authTokenAudience: audience } = values
  const tokenUrl = values.authTokenUrl ?? (values.authIssuer && `${values.authIssuer}/oauth/token`)
  if (clientId === null || clientSecret === null || audience === null || tokenUrl === null) return null
  return { tokenUrl, clientId, clientSecret, audience }
}
