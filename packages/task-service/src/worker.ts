import type { Logger } from '@release-task/http'
import { backoffDelay } from '@release-task/protocol'
import type { WorkerCommand } from './decision.ts'
import type { Executed } from './execute.ts'
import type { HeldLease, LeaseKeeper, Look } from './lease.ts'
import { errorText, isPermanent } from './outcome.ts'
import type { Performed } from './perform.ts'
import type { TaskRecord, Work } from './record.ts'

const STORE_BACKOFF = { firstMs: 100, maxMs: 5000 }
const LONGEST_TIMER_MS = 2 ** 31 - 1 // 24.8 d; a longer timer would fire at once

/** Why work is told to stop. */
export type StopReason = 'canceled' | 'lease lost' | 'shutting down' | 'attempt deadline'

/** Told what becomes of work, for the metrics. */
export interface WorkObserver {
  leaseLost(): void
  retried(work: Work): void
  ended(work: Work, outcome: 'succeeded' | 'failed' | 'released', seconds: number): void
}

export interface WorkerDependencies {
  readonly owner: string
  /** The total time of one attempt. */
  readonly attemptDeadlineMs: number
  /** A claim whose answer took longer is no longer worth a whole lease. */
  readonly freshForMs: number
  /** How long work may take to stop after the deadline; then it is left alone, fenced off by the next attempt. */
  readonly abandonAfterMs: number
  readonly keeper: LeaseKeeper
  readonly load: (id: string) => Promise<TaskRecord | null>
  readonly claim: (id: string) => Promise<Executed>
  readonly say: (id: string, command: WorkerCommand) => Promise<Executed>
  /** Runs the author's phase to its end. */
  readonly perform: (record: TaskRecord, work: Work, signal: AbortSignal) => Promise<Performed>
  readonly observe: WorkObserver
  readonly log: Logger
}

type Outcome = Extract<WorkerCommand, { type: 'succeeded' | 'failed' | 'released' }>

interface Running {
  readonly record: TaskRecord
  readonly lease: HeldLease
  readonly work: Work
  readonly stop: AbortController
  /** Set once the author's code has ended. */
  outcome: Outcome | null
}

/** Takes tasks under a lease, runs the author's code, and says what came of it. Knows neither SQL nor HTTP. */
export class TaskWorker {
  readonly #deps: WorkerDependencies
  readonly #running = new Map<string, Running>()
  #stopping = false
  #givenBack = false

  constructor(deps: WorkerDependencies) {
    this.#deps = deps
  }

  /** Looks at one task: claims it if work is due, and runs it to its end. For the queue. */
  async handle(id: string): Promise<void> {
    // A lease of ours on a task that we do not work on was never heard of: its claim is repeated (WK-1).
    if (this.#stopping || this.#running.has(id)) return
    try {
      const record = await this.#claim(id)
      if (record?.work) await this.#run(record, record.work)
    } catch (error) {
      this.#deps.log.error({ err: error, task_id: id }, 'cannot claim; the sweep tries again')
    }
  }

  /**
   * The lease counts from when the record was read. Where the database has taken long to answer since then it may be
   * over, and another worker about to begin: it is claimed again, which costs nobody anything (WK-1).
   */
  async #claim(id: string): Promise<TaskRecord | null> {
    for (;;) {
      const askedAt = performance.now()
      const { decision, record } = await this.#deps.claim(id)
      if (decision.kind !== 'next' || record?.lease?.owner !== this.#deps.owner) return null
      if (performance.now() - askedAt <= this.#deps.freshForMs) return record
    }
  }

  /** Something about a task has changed: running work that is not wanted any more is told to stop. */
  async look(id: string): Promise<void> {
    const running = this.#running.get(id)
    if (!running) return
    const record = await this.#deps.load(id)
    if (record?.attempt !== running.lease.attempt || record.lease === null) this.#lose(running)
    else if (record.work !== running.work) stop(running, 'canceled')
  }

  #lose(running: Running): void {
    if (!running.stop.signal.aborted) this.#deps.observe.leaseLost()
    stop(running, 'lease lost')
  }

  /** Takes nothing more and tells all work to stop; the queue's `close` waits for it. */
  shutDown(): void {
    this.#stopping = true
    for (const running of this.#running.values()) stop(running, 'shutting down')
  }

  /**
   * Gives back what has not stopped within the grace time (WK-10); the process is about to end. What has ended, and
   * could not be stored yet, is tried once more instead.
   */
  async giveBack(): Promise<void> {
    this.#givenBack = true
    const left = [...this.#running.values()]
    await Promise.all(
      left.map(async (running) => {
        const { lease } = running
        try {
          await this.#deps.say(lease.id, running.outcome ?? { type: 'released', attempt: lease.attempt })
        } catch (error) {
          this.#deps.log.error({ err: error, ...about(running) }, 'lease not given back; it will run out')
        }
      }),
    )
  }

  async #run(record: TaskRecord, work: Work): Promise<void> {
    const lease = { id: record.id, attempt: record.attempt, owner: this.#deps.owner }
    const running: Running = { record, lease, work, stop: new AbortController(), outcome: null }
    this.#running.set(record.id, running)
    const look: Look = (why) => {
      if (why === 'unrenewed') this.#lose(running)
      else void this.look(record.id).catch(() => undefined)
    }
    this.#deps.keeper.hold(lease, this.#deps.attemptDeadlineMs, look)
    const startedAt = performance.now()
    try {
      const outcome = await this.#outcome(running)
      running.outcome = outcome
      const { type } = outcome
      this.#deps.observe.ended(work, type, (performance.now() - startedAt) / 1000)
      await this.#store(running, outcome)
    } finally {
      this.#deps.keeper.drop(lease)
      this.#running.delete(record.id)
    }
  }

  async #outcome(running: Running): Promise<Outcome> {
    const { lease, stop: stopper } = running
    const { attempt } = lease
    // The shutdown came while it was claimed: the author's code need not even begin.
    if (this.#stopping) return { type: 'released', attempt }
    try {
      const { lastMessage: message, ...result } = await this.#perform(running)
      return { type: 'succeeded', attempt, result, ...(message === undefined ? {} : { message }) }
    } catch (error) {
      const { signal } = stopper
      if (signal.reason === 'shutting down') return { type: 'released', attempt }
      this.#logEnd(running, error)
      return { type: 'failed', attempt, error: errorText(error, signal), permanent: isPermanent(error) }
    }
  }

  /** The author's code, but not for ever: what does not stop after its deadline is no longer waited for (WK-1). */
  async #perform(running: Running): Promise<Performed> {
    const { attemptDeadlineMs, abandonAfterMs, perform } = this.#deps
    const { record, work, stop: stopper } = running
    const { promise: abandoned, reject } = Promise.withResolvers<never>()
    const late = () => stop(running, 'attempt deadline')
    const deadline = setTimeout(late, Math.min(LONGEST_TIMER_MS, attemptDeadlineMs))
    const giveUp = () => reject(new Error(`${work} did not stop after its deadline`))
    const end = setTimeout(giveUp, Math.min(LONGEST_TIMER_MS, attemptDeadlineMs + abandonAfterMs))
    try {
      return await Promise.race([perform(record, work, stopper.signal), abandoned])
    } finally {
      clearTimeout(deadline)
      clearTimeout(end)
    }
  }

  #logEnd(running: Running, error: unknown): void {
    const { log } = this.#deps
    const { signal } = running.stop
    if (signal.aborted) log.info(about(running), `${running.work} stopped: ${String(signal.reason)}`)
    else log.warn({ ...about(running), err: error }, `${running.work} failed`)
  }

  /** The outcome must not be lost while the lease is ours: the work would be done again. */
  async #store(running: Running, command: Outcome): Promise<void> {
    const { lease, work } = running
    for (let failures = 1; ; failures++) {
      try {
        const { decision, record } = await this.#deps.say(lease.id, command)
        if (command.type === 'failed' && decision.kind === 'next' && record?.work === work)
          this.#deps.observe.retried(work)
        return
      } catch (error) {
        this.#deps.log.error({ err: error, ...about(running) }, 'outcome not stored')
        if (this.#givenBack) return
        await new Promise((resolve) =>
          setTimeout(resolve, backoffDelay(STORE_BACKOFF, failures, Math.random())),
        )
      }
    }
  }
}

/** What every line of the log says of the task that it is about. */
function about({ record, lease }: Running) {
  return { task_id: record.id, release_id: record.releaseId, attempt: lease.attempt }
}

function stop(running: Running, reason: StopReason): void {
  if (!running.stop.signal.aborted) running.stop.abort(reason)
}
