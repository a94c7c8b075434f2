import { parentPort, workerData } from 'node:worker_threads'
import { createLeaseDatabase } from './lease-database.ts'
import { TimerLeaseKeeper } from './lease.ts'
import type { LeaseThreadData, ToKeeper, ToThread } from './lease-keeper.ts'

// Runs apart from the author's code: a busy loop there must not lose the lease.
const data = workerData as LeaseThreadData
const database = await createLeaseDatabase(data.url, data.leaseMs)
const keeper = new TimerLeaseKeeper(database.renewAll, data.leaseMs / 3, data.leaseMs + data.graceMs)

function tell(message: ToKeeper): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'hold') {
    const { lease } = message
    keeper.hold(lease, message.forMs, (why) => tell({ type: 'look', lease, why: why ?? null }))
  } else if (message.type === 'drop') keeper.drop(message.lease)
  else
    void keeper
      .close()
      .then(() => database.close())
      .then(() => process.exit())
})
