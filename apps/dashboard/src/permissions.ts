import type { Me } from './api-types.ts'

/** What the page asks for; the coordinator knows more (docs/access.md). */
export type Permission =
  | 'release.create'
  | 'release.edit'
  | 'release.publish'
  | 'release.cancel'
  | 'note.write'
  | 'service.write'
  | 'service.check'
  | 'study.sync'
  | 'audit.read'

/** Null: allowed. Else why not, as a sentence for whoever meets a disabled button. */
export type Hindrance = string | null

const ROLES: { readonly [permission in Permission]: string } = {
  'release.create': 'developer or admin',
  'release.edit': 'admin',
  'release.publish': 'admin',
  'release.cancel': 'admin',
  'note.write': 'admin',
  'service.write': 'developer or admin',
  'service.check': 'admin',
  'study.sync': 'developer or admin',
  'audit.read': 'admin',
}

/** What hinders a person from something, as far as the role goes. Pure. */
export function roleHindrance(me: Me | undefined, permission: Permission): Hindrance {
  if (me === undefined) return 'It is not known yet what you may do.'
  if (me.permissions.includes(permission)) return null
  const role = `Needs the role ${ROLES[permission]}`
  return me.subject === null
    ? `${role}: sign in first.`
    : `${role}; yours is ${me.roles.join(', ') || 'none'}.`
}

/** What is offered is offered on what is known to be so now. Pure. */
export function oldHindrance(isOld: boolean): Hindrance {
  return isOld ? 'The connection is lost, and this page may be old.' : null
}

/** The first reason of several. Pure. */
export function firstHindrance(...reasons: readonly Hindrance[]): Hindrance {
  return reasons.find((reason) => reason !== null) ?? null
}
