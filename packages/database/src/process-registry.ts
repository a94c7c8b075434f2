import { sql } from 'kysely'
import type { Database } from './database.ts'
import { DatabaseError } from './errors.ts'
import { isGone, isOnThisHost, ownIdentity } from './process-identity.ts'
import { parameter, prepare } from './statement.ts'

const EXPIRY_MS = 15 * 1000 // 15 s
const RENEW_MS = 5 * 1000 // 5 s
const MARGIN_MS = 100

/** `all` works alone on its database; `api` and `worker` share one among themselves. */
export type ProcessRole = 'all' | 'api' | 'worker'

export interface Registration {
  /** Names this process in leases. */
  readonly owner: string
  /** Gives the place up, so that the next process need not wait. */
  release(): Promise<void>
}

interface ProcessRow {
  readonly owner: string
  readonly role: ProcessRole
  readonly pid: number
  readonly expires_at: number
  readonly now: number
}

type Queries = ReturnType<typeof prepareQueries>

function prepareQueries({ builder, now }: Database) {
  const owner = parameter<string>('owner')
  const expiry = sql<number>`${now} + ${sql.lit(EXPIRY_MS)}`
  const asText = (name: string) => sql<string>`cast(${parameter(name)} as text)`
  const asNumber = (name: string) => sql<number>`cast(${parameter(name)} as bigint)`
  const rival = builder
    .selectFrom('processes')
    .select('owner')
    .where(sql<boolean>`role = 'all' or ${asText('role')} = 'all'`)
  const row = builder.selectNoFrom([
    asText('owner').as('owner'),
    asText('role').as('role'),
    asNumber('pid').as('pid'),
    now.as('started_at'),
    expiry.as('expires_at'),
  ])
  return {
    // Writes what is there already, for the sake of the lock on the row.
    alone: prepare(
      builder
        .updateTable('identity')
        .set({ value: sql.ref('value') })
        .where('name', '=', sql.lit('side')),
    ),
    list: prepare(builder.selectFrom('processes').selectAll().select(now.as('now'))),
    remove: prepare(builder.deleteFrom('processes').where('owner', '=', owner)),
    renew: prepare(builder.updateTable('processes').set({ expires_at: expiry }).where('owner', '=', owner)),
    insert: prepare(
      builder
        .insertInto('processes')
        .columns(['owner', 'role', 'pid', 'started_at', 'expires_at'])
        .expression(row.where((is) => is.not(is.exists(rival)))),
    ),
  }
}

/**
 * Enters this process among those that use the database. Entries of processes that have ended on this host, or
 * have not renewed theirs in time, are removed first; whether one on another host has ended only time tells, so it is
 * waited for.
 * @throws DatabaseError DATABASE_IN_USE, naming the pid, where the roles do not go together
 */
export async function registerProcess(
  database: Database,
  role: ProcessRole,
  { lost = nothing, waits = nothing }: RegisterOptions = {},
): Promise<Registration> {
  const queries = prepareQueries(database)
  const self = { owner: ownIdentity(), role }
  await enterInTime(database, queries, self, waits)
  const timer = setInterval(() => {
    // A renewal that fails is tried again in five seconds; the entry lives for fifteen.
    void renew(database, queries, self).catch((error: unknown) => {
      if (error instanceof DatabaseError && error.code === 'DATABASE_IN_USE') lost(error)
    })
  }, RENEW_MS)
  timer.unref()
  const release = async () => {
    clearInterval(timer)
    await database.commit([{ query: queries.remove, values: { owner: self.owner } }])
  }
  return { owner: self.owner, release }
}

export interface RegisterOptions {
  /**
   * Called where this process was suspended for so long that another one, which does not go together with it, has
   * taken its place: it must stop.
   */
  readonly lost?: (error: unknown) => void
  /** Told before it waits for an entry of another host to run out. */
  readonly waits?: (message: string) => void
}

const nothing = () => undefined

/** The entry in the way; its process may be dead, as after the restart of a container. */
class EntryInTheWay extends DatabaseError {
  readonly entry: ProcessRow | null

  constructor(entry: ProcessRow | null) {
    const who = `Process ${entry?.pid ?? 'unknown'} (role ${entry?.role ?? 'unknown'})`
    const where = entry && !isOnThisHost(entry.owner) ? ' on another host or in another container' : ''
    super(
      'DATABASE_IN_USE',
      `${who}${where} already works on this database: stop it, or use another DATABASE_URL`,
    )
    this.entry = entry
  }
}

/** An entry that is renewed while it is waited for belongs to a process that lives. */
async function enterInTime(
  database: Database,
  queries: Queries,
  self: Self,
  waits: (message: string) => void,
) {
  try {
    await enter(database, queries, self)
  } catch (error) {
    const entry = error instanceof EntryInTheWay ? error.entry : null
    if (!entry || isOnThisHost(entry.owner)) throw error
    const ms = Math.max(0, entry.expires_at - entry.now) + MARGIN_MS
    waits(`waiting ${Math.ceil(ms / 1000)} s: process ${entry.pid} on another host may have ended`)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await enter(database, queries, self)
  }
}

interface Self {
  readonly owner: string
  readonly role: ProcessRole
}

/** An entry that is gone was taken for a dead process's: it is made again, where that is still possible. */
async function renew(database: Database, queries: Queries, self: Self): Promise<void> {
  const result = await database.commit([{ query: queries.renew, values: { owner: self.owner }, expect: 1 }])
  if (result === 'conflict') await enter(database, queries, self)
}

async function enter(database: Database, queries: Queries, self: Self): Promise<void> {
  const rows = await database.all<ProcessRow>(queries.list)
  const gone = rows.filter((row) => row.expires_at <= row.now || isGone(row.owner))
  const result = await database.commit([
    // Two that enter at once must not both find nobody: the second waits here for the first.
    { query: queries.alone, values: {}, expect: 1 },
    ...gone.map((row) => ({ query: queries.remove, values: { owner: row.owner } })),
    { query: queries.insert, values: { ...self, pid: process.pid }, expect: 1 },
  ])
  if (result === 'committed') return
  const others = await database.all<ProcessRow>(queries.list)
  const holder = others.find((row) => !gone.some((other) => other.owner === row.owner)) ?? others[0]
  throw new EntryInTheWay(holder ?? null)
}
