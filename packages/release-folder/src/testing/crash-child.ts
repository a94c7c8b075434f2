import { nodeFileSystem } from '../file-system.ts'
import { type Phase, runPhases, type Scenario, type Standing } from './scenario.ts'
import { watchedFileSystem } from './watched-file-system.ts'

/** What the process is told as its one argument. */
export interface ChildOrder {
  readonly scenario: Scenario
  readonly phase: Phase
  readonly standing: Standing
  /** The process kills itself before this call of the file system, counted from 1. */
  readonly killAt: number
}

const order = JSON.parse(process.argv[2] ?? '') as ChildOrder
let calls = 0
const deadly = watchedFileSystem(nodeFileSystem, async (call) => {
  if (++calls < order.killAt) return
  await call.half?.()
  process.kill(process.pid, 'SIGKILL')
})
await runPhases(deadly, order.scenario, [order.phase], order.standing)
