import type { Caller, Role } from './caller.ts'

/** What a caller counts as: a role, or one of the two kinds of machine (AU-8). */
type Standing = 'anonymous' | Role | 'machine' | 'admin machine'

const EVERYONE: readonly Standing[] = ['anonymous', 'USER', 'DEV', 'ADMIN', 'machine', 'admin machine']
const ADMINS: readonly Standing[] = ['ADMIN', 'admin machine']
const DEVELOPERS: readonly Standing[] = ['DEV', ...ADMINS]
const MACHINES: readonly Standing[] = ['machine', 'admin machine']

interface Rule {
  readonly about: string
  readonly allowed: readonly Standing[]
  /** The contract's word to a known caller who may not (CR-14). */
  readonly refusal: string
}

/** Every way in asks here: REST of both sides, GraphQL, pages, the event stream (AU-7). */
export const PERMISSIONS = {
  probe: {
    about: 'Is it alive, is it ready (SV-21); and OPTIONS, which browsers ask without a token.',
    allowed: EVERYONE,
    refusal: 'Not allowed',
  },
  read: { about: 'Every GET and HEAD.', allowed: EVERYONE, refusal: 'Not allowed' },
  'release.create': {
    about: 'Start a release; a DEV only for studies in its groups.',
    allowed: DEVELOPERS,
    refusal: 'Not allowed',
  },
  'release.edit': { about: 'Change a release.', allowed: ADMINS, refusal: 'Not allowed' },
  'release.cancel': { about: 'Cancel a release.', allowed: ADMINS, refusal: 'Not allowed' },
  'release.publish': { about: 'Publish a release.', allowed: ADMINS, refusal: 'Not allowed' },
  'release.check': {
    about: 'Have the releases looked at.',
    allowed: [...ADMINS, 'machine'],
    refusal: 'Not allowed',
  },
  'note.write': {
    about: 'Create, change, delete release notes.',
    allowed: ADMINS,
    refusal: 'Must be an admin',
  },
  'task.report': {
    about: 'Say how far a task is: PATCH and PUT.',
    allowed: [...ADMINS, 'machine'],
    refusal: 'Must be an admin',
  },
  'task.create': {
    about: 'Make or delete a task by hand; whoever may learns that it is not possible (CR-26).',
    allowed: ADMINS,
    refusal: 'Must be an admin',
  },
  'task.check': {
    about: 'Have the tasks asked for their state.',
    allowed: [...ADMINS, 'machine'],
    refusal: 'Must be an admin',
  },
  'service.write': {
    about: 'Register, change, remove task services.',
    allowed: DEVELOPERS,
    refusal: 'Must be a developer',
  },
  'service.check': {
    about: 'Have the health of the task services checked.',
    allowed: [...ADMINS, 'machine'],
    refusal: 'Must be a developer',
  },
  'study.sync': {
    about: 'Read the studies from the Data Service.',
    allowed: DEVELOPERS,
    refusal: 'Must be a developer',
  },
  'event.write': {
    about: 'Nobody writes history; whoever may try learns that it is not possible (CR-37).',
    allowed: ADMINS,
    refusal: 'Not allowed',
  },
  'audit.read': { about: 'Read who did what.', allowed: ADMINS, refusal: 'Must be an admin' },
  'action.send': {
    about: 'At a task service: tell it what to do, POST /tasks; no person, the coordinator alone.',
    allowed: MACHINES,
    refusal: 'Not allowed',
  },
  'action.decide': {
    about: 'At a task service: retry or give up a task (SV-19).',
    allowed: ADMINS,
    refusal: 'Must be an admin',
  },
} as const satisfies { readonly [permission: string]: Rule }

export type Permission = keyof typeof PERMISSIONS
export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[]

export interface Subject {
  /** For `release.create`: the studies of the release; a caller bound to studies may do nothing without them. */
  readonly studies?: readonly string[]
}

export interface PolicyOptions {
  /** `off`: nothing checks who calls, and everybody may do what anybody may (AU-2). */
  readonly auth: 'on' | 'off'
  /** `required`: an anonymous caller does not even read (AU-3). */
  readonly reads: 'open' | 'required'
}

export interface Policy {
  may(caller: Caller, permission: Permission, subject?: Subject): boolean
  /** The text of the 403 for a caller who may not (CR-14). */
  refusal(caller: Caller, permission: Permission): string
}

/** The one policy of AU-7. Pure. */
export function createPolicy({ auth, reads }: PolicyOptions): Policy {
  return {
    may(caller, permission, subject = {}) {
      const rule: Rule = PERMISSIONS[permission]
      if (auth === 'off') return rule.allowed.length > 0
      if (permission === 'read' && reads === 'required' && caller.kind === 'anonymous') return false
      return rule.allowed.includes(standing(caller)) && withinGroups(caller, permission, subject)
    },
    refusal(caller, permission) {
      if (caller.kind === 'anonymous') return 'Authentication credentials were not provided.'
      return PERMISSIONS[permission].refusal
    },
  }
}

/**
 * Everything that a caller may do, for a page that shows no more than that (CR-49). Which studies are meant is not known
 * yet: those of the caller are the most that it may mean.
 */
export function permissionsOf(policy: Policy, caller: Caller): readonly Permission[] {
  return PERMISSION_NAMES.filter((permission) => policy.may(caller, permission, mostOf(caller)))
}

export function mostOf(caller: Caller): Subject {
  return caller.kind === 'user' ? { studies: caller.studies } : {}
}

function standing(caller: Caller): Standing {
  if (caller.kind === 'user') return caller.role
  if (caller.kind === 'machine') return caller.isAdmin ? 'admin machine' : 'machine'
  return 'anonymous'
}

/** A release over no studies is in nobody's groups: `every` alone would say yes to it. */
function withinGroups(caller: Caller, permission: Permission, { studies = [] }: Subject): boolean {
  if (permission !== 'release.create' || caller.kind !== 'user' || caller.role === 'ADMIN') return true
  return studies.length > 0 && studies.every((study) => caller.studies.includes(study))
}
