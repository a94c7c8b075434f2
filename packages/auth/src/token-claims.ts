import { GROUPS_CLAIM, MACHINE_GRANT, ROLES_CLAIM, type Claims, type Role } from './caller.ts'

export interface UserSubject {
  readonly kind: 'user'
  readonly id: string
  readonly name?: string
  readonly role: Role
  readonly studies?: readonly string[]
}

export interface MachineSubject {
  readonly kind: 'machine'
  readonly client: string
}

/** The claims of a token, written as AU-6 and AU-8 read them. */
export function claimsFor(subject: UserSubject | MachineSubject): Claims {
  if (subject.kind === 'machine')
    return { sub: `${subject.client}@clients`, azp: subject.client, gty: MACHINE_GRANT }
  return {
    sub: subject.id,
    name: subject.name ?? subject.id,
    [ROLES_CLAIM]: [subject.role],
    [GROUPS_CLAIM]: subject.studies ?? [],
  }
}
