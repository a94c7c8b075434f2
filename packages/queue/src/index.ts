export type { Queue } from './queue.ts'
export { openQueue } from './open.ts'
export { DueLoop, type DueLoopOptions } from './due-loop.ts'
