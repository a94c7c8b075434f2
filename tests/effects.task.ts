// A task for tests: all it does is to write what it does into a file outside, so that work which overlaps, is doubled
// or lost is a fact. The order of the lines is the order in which things happened: each is appended in one write.
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, type TaskContext } from '@release-task/task-service'

const file = process.env['EFFECTS_FILE'] ?? ''
/** While this file is not there, a stage that has begun does not end; no path: it ends by itself. */
const gate = process.env['STAGE_GATE'] ?? ''
const releaseDir = process.env['RELEASE_DIR'] ?? ''
const stageMs = Number(process.env['STAGE_MS'] ?? '5')

function note(
  edge: 'begin' | 'end' | 'stopped',
  work: string,
  task: Pick<TaskContext, 'id' | 'attempt'>,
): void {
  const line = { edge, work, task: task.id, attempt: task.attempt, pid: process.pid }
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}

async function gateOpens(task: TaskContext): Promise<void> {
  const obeys = process.env['OBEYS'] !== 'no'
  const isClosed = () => gate !== '' && !existsSync(gate)
  while (isClosed()) {
    if (obeys && task.signal.aborted) {
      note('stopped', String(task.signal.reason), task)
      task.signal.throwIfAborted()
    }
    await sleep(10)
  }
}

export default defineTask({
  name: 'effects',
  version: '1.0.0',
  ...(releaseDir === '' ? {} : { releaseDir }),
  async stage(task) {
    note('begin', 'stage', task)
    await gateOpens(task)
    await sleep(stageMs)
    task.progress(50, 'half')
    note('end', 'stage', task)
    return { summary: { attempt: task.attempt }, staged: { attempt: task.attempt } }
  },
  async publish(task) {
    note('begin', 'publish', task)
    await sleep(stageMs)
    note('end', 'publish', task)
  },
  async discard(task) {
    note('begin', 'discard', task)
    note('end', 'discard', task)
  },
})
