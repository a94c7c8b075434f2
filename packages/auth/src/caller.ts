export const GROUPS_CLAIM = 'https://kidsfirstdrc.org/groups'
export const ROLES_CLAIM = 'https://kidsfirstdrc.org/roles'
/** `gty` of a token that was issued to a program and stands for no person. */
export const MACHINE_GRANT = 'client-credentials'

/** From the most powerful down: a token with several roles has the first of these. */
export const ROLES = ['ADMIN', 'DEV', 'USER'] as const
export type Role = (typeof ROLES)[number]

export interface User {
  readonly kind: 'user'
  /** `sub`: what the issuer never gives to anybody else. */
  readonly id: string
  /** For people; anybody may be called anything. */
  readonly name: string
  readonly role: Role
  /** Studies that a DEV may release. */
  readonly studies: readonly string[]
}

export interface Machine {
  readonly kind: 'machine'
  /** Empty where the token does not say; then it is never ADMIN. */
  readonly client: string
  readonly isAdmin: boolean
}

export type Caller = { readonly kind: 'anonymous' } | User | Machine
export const ANONYMOUS: Caller = { kind: 'anonymous' }

/** Claims of a token whose signature was checked. Every value may have any type. */
export type Claims = { readonly [claim: string]: unknown }

const MAX_ID_LENGTH = 255 // what OpenID Connect allows for `sub`
const MAX_NAME_LENGTH = 100 // of an author, CR-17

/**
 * Who calls, by AU-6 and AU-8. A claim of a wrong type counts as absent, and a user token without `sub`, groups or
 * roles is nobody's: anonymous.
 */
export function callerOf(claims: Claims, adminClients: readonly string[] = []): Caller {
  if (claims.gty === MACHINE_GRANT) {
    const client = clientOf(claims)
    return { kind: 'machine', client, isAdmin: client !== '' && adminClients.includes(client) }
  }
  if (missingClaim(claims) !== null) return ANONYMOUS
  const id = word(claims.sub)
  const studies = texts(claims[GROUPS_CLAIM])
  return { kind: 'user', id, name: nameOf(claims) || id, role: roleOf(texts(claims[ROLES_CLAIM])), studies }
}

/** The claim for want of which a user token stands for nobody; null where it has all of AU-6. */
export function missingClaim(claims: Claims): string | null {
  if (word(claims.sub) === '') return 'sub'
  return [GROUPS_CLAIM, ROLES_CLAIM].find((claim) => !Array.isArray(claims[claim])) ?? null
}

/** For the audit trail: the kind first, so that no user can pass for a machine by choosing a name. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'anonymous') return 'anonymous'
  return caller.kind === 'user' ? `user:${caller.id}` : `machine:${caller.client}`
}

/** The author of what the caller creates (CR-17); null where nobody is known. */
export function authorOf(caller: Caller): string | null {
  const name = caller.kind === 'user' ? caller.name : caller.kind === 'machine' ? caller.client : ''
  return name.slice(0, MAX_NAME_LENGTH) || null
}

/** Issuers name the client in one of three places; `@clients` is how one of them marks it in `sub`. */
function clientOf(claims: Claims): string {
  return word(claims.azp) || word(claims.client_id) || word(claims.sub).replace(/@clients$/, '')
}

function nameOf(claims: Claims): string {
  const names = [claims.name, claims.nickname, claims.preferred_username, claims.email]
  return (
    names
      .map(word)
      .find((name) => name !== '')
      ?.slice(0, MAX_NAME_LENGTH) ?? ''
  )
}

function roleOf(roles: readonly string[]): Role {
  return ROLES.find((role) => roles.includes(role)) ?? 'USER'
}

/** A text for one line of a log; empty where it is none, is too long, or would break or forge the line. */
function word(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_ID_LENGTH) return ''
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value) ? '' : value.trim()
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
}
