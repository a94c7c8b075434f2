import { openConnection, type Database } from '@release-task/database'
import { leaseQueries } from './queries.ts'
import type { HeldLease, RenewAll } from './lease.ts'

const LEAST_ANSWER_MS = 1000

/** Renewal over one database: one commit per lease, so that a lost one does not undo the others. */
export function renewalOf(database: Database, leaseMs: number): RenewAll {
  const { renew, wanted } = leaseQueries(database)
  const renewOne = async (lease: HeldLease) => {
    const values = { ...lease, lease_ms: leaseMs }
    if ((await database.commit([{ query: renew, values, expect: 1 }])) === 'conflict') return 'lost'
    const [row] = await database.all<{ work: string | null; lease_work: string | null }>(wanted, {
      id: lease.id,
    })
    return row && row.work === row.lease_work ? 'kept' : 'changed'
  }
  return async (leases) => {
    const outcomes = await Promise.all(leases.map(renewOne))
    const those = (outcome: string) => leases.filter((_, index) => outcomes[index] === outcome)
    return { lost: those('lost'), changed: those('changed') }
  }
}

/** The same with a connection of its own, for a thread: a connection cannot be shared between threads. */
export async function createLeaseDatabase(
  url: string,
  leaseMs: number,
): Promise<{ renewAll: RenewAll; close(): Promise<void> }> {
  // One that hangs must not take the time of the next, which may go through another connection.
  const database = await openConnection(url, Math.max(LEAST_ANSWER_MS, leaseMs / 3))
  return { renewAll: renewalOf(database, leaseMs), close: () => database.close() }
}
