// From the command to the first answer of GET /status, and what a process weighs when it has done one release's work.
import { join } from 'node:path'
import { median, script, startSide } from './processes.ts'
import type { Row } from './table.ts'

const ROUNDS = 5

async function once(folder: string): Promise<{ statusMs: number; memoryMb: number }> {
  const startedAt = performance.now()
  const service = await startSide(['serve', script('zero-task.ts'), '--port', '0', '--data', folder], folder)
  await (await fetch(`${service.url}/status`)).text()
  const statusMs = performance.now() - startedAt
  const memoryMb = service.memoryMb()
  await service.stop()
  return { statusMs, memoryMb }
}

export async function benchStart(folder: string): Promise<Row[]> {
  const runs: { statusMs: number; memoryMb: number }[] = []
  for (let round = 0; round < ROUNDS; round++) runs.push(await once(join(folder, 'start')))
  const statusMs = median(runs.map((run) => run.statusMs))
  const memoryMb = median(runs.map((run) => run.memoryMb))
  return [
    {
      what: 'cold start to the first /status',
      value: `${(statusMs / 1000).toFixed(2)} s`,
      reach: '0.6 s',
      reached: statusMs <= 600,
    },
    {
      what: 'resident memory of a task service',
      value: `${Math.round(memoryMb)} MB`,
      reach: '130 MB',
      reached: memoryMb <= 130,
    },
  ]
}
