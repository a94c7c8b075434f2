// The task of the fault suite: it does nothing but leave facts in a file outside, and one public file per release.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, PermanentError, type TaskContext } from '@release-task/task-service'
import { record, type EffectLine, type Work } from './history.ts'
import { readTags, type TaskPlan } from './tags.ts'

const file = process.env['HISTORY_FILE'] ?? ''
const service = process.env['SERVICE'] ?? ''
const folder = process.env['RELEASE_DIR'] ?? ''
const STEP_MS = 20

const staging = (release: string) => join(folder, 'staging', release)
const published = (release: string) => join(folder, 'public', release)

class Run {
  readonly token = randomBytes(6).toString('hex')
  readonly task: TaskContext
  readonly work: Work

  constructor(work: Work, task: TaskContext) {
    this.work = work
    this.task = task
  }

  note(edge: EffectLine['edge']): void {
    const { work, token } = this
    const { id, releaseId, attempt } = this.task
    const { pid } = process
    record(file, { type: 'effect', edge, work, service, release: releaseId, task: id, attempt, pid, token })
  }

  /** Does the work between two facts, whatever becomes of it. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    this.note('begin')
    try {
      const result = await work()
      this.note('end')
      return result
    } catch (error) {
      this.note('stopped')
      throw error
    }
  }

  async takes(ms: number, isStubborn = false): Promise<void> {
    for (let done = 0; done < ms; done += STEP_MS) {
      await sleep(STEP_MS, undefined, isStubborn ? {} : { signal: this.task.signal })
      this.task.progress((100 * done) / ms)
    }
  }
}

/** The first run of a flaky work fails; which one is the first, a file tells across processes. */
function failOnce(work: Work, { id }: TaskContext): void {
  const mark = join(folder, `failed-${work}-${id}`)
  if (existsSync(mark)) return
  writeFileSync(mark, '')
  throw new Error('fails once, as told')
}

export default defineTask({
  name: service,
  version: '1.0.0',
  releaseDir: folder,

  stage(task) {
    const run = new Run('stage', task)
    return run.through(async () => {
      const plan = readTags((await task.coordinator.release())['tags'])
      await run.takes(plan.stageMs, plan.isStubborn)
      if (plan.fails === service) throw new PermanentError('fails for good, as told')
      if (plan.isFlaky) failOnce('stage', task)
      const { token } = run
      mkdirSync(staging(task.releaseId), { recursive: true })
      writeFileSync(join(staging(task.releaseId), token), JSON.stringify(plan))
      return { summary: { token, attempt: task.attempt }, staged: { ...plan, token } }
    })
  },

  publish(task) {
    const run = new Run('publish', task)
    return run.through(async () => {
      const { publishMs, isFlaky, isStubborn, token } = task.staged as unknown as TaskPlan & { token: string }
      await run.takes(publishMs / 2, isStubborn)
      if (isFlaky) failOnce('publish', task)
      const target = published(task.releaseId)
      mkdirSync(target, { recursive: true })
      await task.assertCurrent()
      // Where a discard has taken the staged file away, a run that was paused here finds nothing to make public.
      if (!existsSync(join(target, token)))
        renameSync(join(staging(task.releaseId), token), join(target, token))
      run.note('public')
      await run.takes(publishMs / 2)
    })
  },

  discard(task) {
    const run = new Run('discard', task)
    return run.through(async () => {
      rmSync(staging(task.releaseId), { recursive: true, force: true })
      await run.takes(STEP_MS)
      for (const name of existsSync(published(task.releaseId)) ? readdirSync(published(task.releaseId)) : [])
        rmSync(join(published(task.releaseId), name))
    })
  },
})
