import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import {
  startTestIssuer,
  type MachineSubject,
  type TestIssuer,
  type UserSubject,
} from '@release-task/auth/testing'
import { Fixture, STUDY } from '../coordinator.fixture.ts'

export const OWN = 'coordinator'
export const SENT_OUT = 'task-services'
export const ADMIN_CLIENT = 'operator'
/** The other two samples. */
export const FOREIGN_STUDY = 'SD_FOREIGN00'

/** Everybody that the policy tells apart; the DEV may release `STUDY` alone. */
export const CALLERS = {
  anonymous: null,
  USER: { kind: 'user', id: 'u-user', name: 'Ulla', role: 'USER', studies: [STUDY] },
  DEV: { kind: 'user', id: 'u-dev', name: 'Dora', role: 'DEV', studies: [STUDY] },
  ADMIN: { kind: 'user', id: 'u-admin', name: 'Ada', role: 'ADMIN', studies: [] },
  machine: { kind: 'machine', client: 'a-service' },
  'admin machine': { kind: 'machine', client: ADMIN_CLIENT },
} as const satisfies { readonly [name: string]: UserSubject | MachineSubject | null }
export type CallerName = keyof typeof CALLERS

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A coordinator with AUTH=on beside an issuer; what a test asks without headers of its own, an admin asks. */
export class AuthFixture {
  readonly issuer: TestIssuer
  readonly coordinator: Fixture
  /** Where the coordinator really listens. */
  readonly url: string

  private constructor(parts: { issuer: TestIssuer; coordinator: Fixture; url: string }) {
    this.issuer = parts.issuer
    this.coordinator = parts.coordinator
    this.url = parts.url
  }

  static async start(env: Record<string, string> = {}): Promise<AuthFixture> {
    const issuer = await startTestIssuer()
    const headers = bearer(await issuer.token(CALLERS.ADMIN, OWN))
    const coordinator = await Fixture.start({ env: { ...settings(issuer), ...env }, headers })
    const url = await coordinator.coordinator.app.listen({ host: '127.0.0.1', port: 0 })
    return new AuthFixture({ issuer, coordinator, url })
  }

  async headersOf(caller: CallerName): Promise<Record<string, string>> {
    const subject = CALLERS[caller]
    return subject ? bearer(await this.issuer.token(subject, OWN)) : { authorization: '' }
  }

  /** Every row that a caller could change. */
  dump(): string {
    const database = new DatabaseSync(join(this.coordinator.folder, 'state.db'), { readOnly: true })
    const tables = TABLES.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()])
    database.close()
    return JSON.stringify(tables)
  }

  async close(): Promise<void> {
    await this.coordinator.close()
    await this.issuer[Symbol.asyncDispose]()
  }
}

const TABLES = [
  'releases',
  'release_studies',
  'tasks',
  'task_services',
  'studies',
  'events',
  'audit',
  'actions',
]

export function settings(issuer: TestIssuer): Record<string, string> {
  return {
    AUTH: 'on',
    AUTH_ISSUER: issuer.issuer,
    AUTH_AUDIENCE: OWN,
    AUTH_ADMIN_CLIENTS: ADMIN_CLIENT,
    AUTH_CLIENT_ID: 'the-coordinator',
    AUTH_CLIENT_SECRET: 'secret',
    AUTH_TOKEN_AUDIENCE: SENT_OUT,
    RATE_LIMIT: '0',
  }
}
