import type { Database } from '@release-task/database'
import type { App } from '@release-task/http'
import type { HostileRequest } from './requests.ts'

/** What a request got. */
export interface HostileAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** One route of a side: what a client sends there when it means well. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly query?: readonly string[]
  /** A body that is accepted, and which the generator spoils. */
  readonly body?: Readonly<Record<string, unknown>>
}

/** A running side with a few records in several states. */
export interface Side {
  readonly app: App
  readonly database: Database
  readonly routes: readonly Route[]
  /** What is wrong with the body of an error, by the contract of this side; null: nothing. */
  wrongWith(body: unknown, request: HostileRequest, status: number): string | null
  /** Whether a refusal leaves something behind by the contract, as the report of a state that is past does. */
  keepsOf(request: HostileRequest, answer: HostileAnswer): boolean
  close(): Promise<void>
}

export type OpenSide = (databaseUrl: string) => Promise<Side>

// What a side says by itself from time to time, whatever is asked: who uses the database and until when, and which report
// the coordinator was told or asked about. A report that somebody else brings about shows in its task and its events.
const NOT_STATE = new Set(['processes', 'reports'])

const TABLES = {
  sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
  postgres: 'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename',
}

/** Every row of every table, as text that can be compared. */
export async function dump(database: Database): Promise<string> {
  const all = (sql: string) => database.all<Record<string, unknown>>({ sql, names: [] })
  const tables = await all(TABLES.sqlite).catch(() => all(TABLES.postgres))
  const parts = tables.map(async ({ name }) => {
    const rows = NOT_STATE.has(String(name)) ? [] : await all(`SELECT * FROM "${String(name)}"`)
    return `${String(name)}\n${rows
      .map((row) => JSON.stringify(row))
      .toSorted()
      .join('\n')}`
  })
  return (await Promise.all(parts)).join('\n\n')
}

const STILL_MS = 15

/** The dump once nothing changes it any more: what was accepted may go on for a moment. */
export async function settled(database: Database): Promise<string> {
  let last = await dump(database)
  for (let same = 0, tries = 0; same < 3 && tries < 1000; tries++) {
    await new Promise((resolve) => setTimeout(resolve, STILL_MS))
    const next = await dump(database)
    same = next === last ? same + 1 : 0
    last = next
  }
  return last
}
