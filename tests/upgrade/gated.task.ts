// The task of the recordings: every phase of every release has a gate of its own, so that each release can be left in
// another phase; and what it does is written into a file outside, so that work which is doubled or lost is a fact.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, PermanentError, type TaskContext } from '@release-task/task-service'

const name = process.env['TASK_NAME'] ?? 'main'
/** A folder with one file per gate; no path: every gate is open. */
const gates = process.env['GATES'] ?? ''
const effects = process.env['EFFECTS_FILE'] ?? ''

type Work = 'step' | 'stage' | 'publish' | 'discard'

function note(edge: 'begin' | 'end', work: Work, task: TaskContext): void {
  const line = { edge, work, service: name, release: task.releaseId, task: task.id, attempt: task.attempt }
  appendFileSync(effects, `${JSON.stringify(line)}\n`)
}

/** What stands at the gate: `pass`, `fail` or `refuse`; nothing as long as it is closed. */
function verdict(work: Work, task: TaskContext): string {
  if (gates === '') return 'pass'
  try {
    return readFileSync(join(gates, `${name}-${work}-${task.releaseId}`), 'utf8')
  } catch {
    return ''
  }
}

/** A recording must not tell where it was made, as a stack would. */
function withoutStack(error: Error): Error {
  error.stack = error.message
  return error
}

async function gate(work: Work, task: TaskContext): Promise<void> {
  while (verdict(work, task) === '') {
    task.signal.throwIfAborted()
    await sleep(10)
  }
  const found = verdict(work, task)
  if (found === 'fail') throw withoutStack(new Error(`${work} fails, as the recording wants it`))
  if (found === 'refuse') throw withoutStack(new PermanentError(`${work} can never succeed`))
}

export default defineTask({
  name,
  version: '1.0.0',
  releaseDir: () => process.env['RELEASE_DIR'] ?? '',
  async stage(task) {
    await task.step('prepare', () => {
      note('end', 'step', task)
      return Promise.resolve({ prepared: task.studies.length })
    })
    note('begin', 'stage', task)
    await gate('stage', task)
    task.progress(50, 'half')
    note('end', 'stage', task)
    return { summary: { attempt: task.attempt }, staged: { attempt: task.attempt } }
  },
  async publish(task) {
    note('begin', 'publish', task)
    await gate('publish', task)
    note('end', 'publish', task)
  },
  async discard(task) {
    note('begin', 'discard', task)
    await gate('discard', task)
    note('end', 'discard', task)
  },
})
