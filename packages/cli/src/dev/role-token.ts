import { LOCAL_ROLES, type LocalRole } from '@release-task/auth'
import type { Issuer } from '@release-task/auth/issuer'
import { request } from '@release-task/http'

/** Whom a token is for: one for a task service is worth nothing at the coordinator, and the reverse (AU-9). */
export const AUDIENCES = { coordinator: 'release-coordinator', task: 'release-task-service' } as const
export type Receiver = keyof typeof AUDIENCES

const TIMEOUT_MS = 5000

export interface RoleWish {
  readonly role: LocalRole
  readonly receiver: Receiver
  /** Where the coordinator listens, which knows the studies. */
  readonly coordinator: string
}

/** The token of a person at this machine, for `dev` itself, for `release-task token`, and for the page (CR-48). */
export async function roleToken(issuer: Issuer, { role: name, receiver, coordinator }: RoleWish) {
  const role = LOCAL_ROLES[name]
  const studies = role === 'DEV' ? await studiesOf(coordinator) : []
  const id = `dev-${role.toLowerCase()}`
  return issuer.issue({ kind: 'user', id, name: id, role, studies, audience: AUDIENCES[receiver] })
}

/** A developer may release the studies of its groups: here all that there are. */
async function studiesOf(coordinator: string): Promise<string[]> {
  const url = `${coordinator}/studies?limit=1000`
  const answer = await request(url, { timeoutMs: TIMEOUT_MS }).catch(() => null)
  const { results = [] } = (answer?.json ?? {}) as { results?: { kf_id: string }[] }
  return results.map((study) => study.kf_id)
}
