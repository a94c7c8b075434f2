import { memoryQueue } from './open.ts'
import { queueContract } from './queue.contract.ts'

queueContract('in process', async () => memoryQueue())
