export type { Queue } from './queue.ts'
export { openQueue } from './open.ts'
