import { parentPort, workerData } from 'node:worker_threads'
import { createLeaseDatabase } from './lease-database.ts'
import { TimerLeaseKeeper } from './lease.ts'
import type { LeaseThreadData, ToKeeper, ToThread } from './lease-keeper.ts'

// Runs apart from the author's code: a busy loop there must not lose the lease.
const data = workerData as LeaseThreadData
const database = await createLeaseDatabase(data.url, data.leaseMs)
const keeper = new TimerLeaseKeeper(database.renewAll, data.leaseMs / 3)

function tell(message: ToKeeper): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'hold') {
    keeper.hold(message.lease, message.forMs, () => tell({ type: 'look', lease: message.lease }))
  } else if (message.type === 'drop') keeper.drop(message.lease)
  else
    void keeper
      .close()
      .then(() => database.close())
      .then(() => process.exit())
})
