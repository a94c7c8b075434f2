import { MemoryQueue } from './memory-queue.ts'
import { queueContract } from './queue.contract.ts'

queueContract('in process', async () => new MemoryQueue())
