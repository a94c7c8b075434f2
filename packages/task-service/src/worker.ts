import type { Logger } from '@release-task/http'
import { backoffDelay } from '@release-task/protocol'
import type { WorkerCommand } from './decision.ts'
import type { StageResult } from './define.ts'
import type { Executed } from './execute.ts'
import type { HeldLease, LeaseKeeper } from './lease.ts'
import { errorText, isPermanent } from './outcome.ts'
import type { TaskRecord, Work } from './record.ts'

const STORE_BACKOFF = { firstMs: 100, maxMs: 5000 }

/** Why work is told to stop. */
export type StopReason = 'canceled' | 'lease lost' | 'shutting down' | 'attempt deadline'

export interface WorkerDependencies {
  readonly owner: string
  /** The total time of one attempt. */
  readonly attemptDeadlineMs: number
  readonly keeper: LeaseKeeper
  readonly load: (id: string) => Promise<TaskRecord | null>
  readonly claim: (id: string) => Promise<Executed>
  readonly say: (id: string, command: WorkerCommand) => Promise<Executed>
  /** Runs the author's phase to its end. */
  readonly perform: (record: TaskRecord, work: Work, signal: AbortSignal) => Promise<StageResult>
  readonly log: Logger
}

interface Running {
  readonly lease: HeldLease
  readonly work: Work
  readonly stop: AbortController
}

/** Takes tasks under a lease, runs the author's code, and says what came of it. Knows neither SQL nor HTTP. */
export class TaskWorker {
  readonly #deps: WorkerDependencies
  readonly #running = new Map<string, Running>()
  #stopping = false

  constructor(deps: WorkerDependencies) {
    this.#deps = deps
  }

  /** Looks at one task: claims it if work is due, and runs it to its end. For the queue. */
  async handle(id: string): Promise<void> {
    if (this.#stopping) return
    try {
      const { decision, record } = await this.#deps.claim(id)
      const claimed = decision.kind === 'next' && record?.lease?.owner === this.#deps.owner
      if (claimed && record.work) await this.#run(record, record.work)
    } catch (error) {
      this.#deps.log.error({ err: error, task_id: id }, 'cannot claim; the sweep tries again')
    }
  }

  /** Something about a task has changed: running work that is not wanted any more is told to stop. */
  async look(id: string): Promise<void> {
    const running = this.#running.get(id)
    if (!running) return
    const record = await this.#deps.load(id)
    if (record?.attempt !== running.lease.attempt || record.lease === null) stop(running, 'lease lost')
    else if (record.work !== running.work) stop(running, 'canceled')
  }

  /** Takes nothing more and tells all work to stop; the queue's `close` waits for it. */
  shutDown(): void {
    this.#stopping = true
    for (const running of this.#running.values()) stop(running, 'shutting down')
  }

  /** Gives back what has not stopped within the grace time; the process is about to end. */
  async giveBack(): Promise<void> {
    const left = [...this.#running.values()]
    await Promise.all(
      left.map(({ lease }) => this.#deps.say(lease.id, { type: 'released', attempt: lease.attempt })),
    )
  }

  async #run(record: TaskRecord, work: Work): Promise<void> {
    const lease = { id: record.id, attempt: record.attempt, owner: this.#deps.owner }
    const running: Running = { lease, work, stop: new AbortController() }
    this.#running.set(record.id, running)
    const deadline = setTimeout(() => stop(running, 'attempt deadline'), this.#deps.attemptDeadlineMs)
    const look = () => void this.look(record.id).catch(() => undefined)
    this.#deps.keeper.hold(lease, this.#deps.attemptDeadlineMs, look)
    if (this.#stopping) stop(running, 'shutting down')
    try {
      await this.#store(running, await this.#outcome(record, running))
    } finally {
      clearTimeout(deadline)
      this.#deps.keeper.drop(lease)
      this.#running.delete(record.id)
    }
  }

  async #outcome(record: TaskRecord, { lease, work, stop: { signal } }: Running): Promise<WorkerCommand> {
    const { attempt } = lease
    try {
      return { type: 'succeeded', attempt, result: await this.#deps.perform(record, work, signal) }
    } catch (error) {
      if (signal.reason === 'shutting down') return { type: 'released', attempt }
      const { task_id, ...about } = { task_id: record.id, release_id: record.releaseId, attempt, err: error }
      if (signal.aborted)
        this.#deps.log.info({ task_id, attempt }, `${work} stopped: ${String(signal.reason)}`)
      else this.#deps.log.warn({ task_id, ...about }, `${work} failed`)
      return { type: 'failed', attempt, error: errorText(error, signal), permanent: isPermanent(error) }
    }
  }

  /** The outcome must not be lost while the lease is ours: the work would be done again. */
  async #store({ lease }: Running, command: WorkerCommand): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        await this.#deps.say(lease.id, command)
        return
      } catch (error) {
        this.#deps.log.error({ err: error, task_id: lease.id }, 'outcome not stored')
        if (this.#stopping && failures > 3) return
        await new Promise((resolve) =>
          setTimeout(resolve, backoffDelay(STORE_BACKOFF, failures, Math.random())),
        )
      }
    }
  }
}

function stop(running: Running, reason: StopReason): void {
  if (!running.stop.signal.aborted) running.stop.abort(reason)
}
