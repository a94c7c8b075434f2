import type { Answer, Logger } from '@release-task/http'
import type { Report } from '@release-task/protocol'
import { DueLoop } from '@release-task/queue'
import { afterReading, afterReport, shownBy, type Step } from './delivery.ts'
import type { OutboxRow, Reschedule } from './outbox.ts'

const CONCURRENCY = 8
const IDLE_MS = 5 * 1000 // 5 s: other processes write to the same outbox

export interface ReporterDependencies {
  readonly due: () => Promise<OutboxRow[]>
  readonly nextDelayMs: () => Promise<number | null>
  readonly claim: (row: OutboxRow) => Promise<boolean>
  readonly reschedule: (row: OutboxRow, to: Reschedule) => Promise<void>
  readonly remove: (row: OutboxRow) => Promise<void>
  readonly send: (taskId: string, report: Report) => Promise<Answer>
  readonly read: (taskId: string) => Promise<Answer>
  /** The coordinator ended or lost the task. */
  readonly tell: (taskId: string, state: Extract<Step, { kind: 'tell' }>['state']) => Promise<void>
  readonly random: () => number
  readonly log: Logger
}

/** Delivers reports until the coordinator agrees: one try at a time per task, the newest state only (N-6). */
export class Reporter {
  readonly #deps: ReporterDependencies
  readonly #loop: DueLoop<OutboxRow>

  constructor(deps: ReporterDependencies) {
    this.#deps = deps
    this.#loop = new DueLoop({
      due: deps.due,
      nextDelayMs: deps.nextDelayMs,
      key: (row) => row.taskId,
      handle: (row) => this.#deliver(row),
      concurrency: CONCURRENCY,
      idleMs: IDLE_MS,
      failed: (error, taskId) =>
        deps.log.error({ err: error, task_id: taskId }, 'report not dealt with; trying again'),
    })
  }

  /** There may be something to send. */
  nudge(): void {
    this.#loop.nudge()
  }

  /** Begins nothing more; what is not sent is sent by the next process. */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #deliver(row: OutboxRow): Promise<void> {
    if (!(await this.#deps.claim(row))) return
    const step = row.phase === 'send' ? await this.#send(row) : await this.#readBack(row)
    if (step.kind === 'done') return this.#deps.remove(row)
    if (step.kind === 'tell') await this.#deps.tell(row.taskId, step.state)
    if (step.kind !== 'read') await this.#deps.reschedule(row, step.to)
  }

  async #send(row: OutboxRow): Promise<Step> {
    const { answer, error } = await this.#try(row, () => this.#deps.send(row.taskId, reportOf(row)))
    const step = afterReport(row, answer, error, this.#chance())
    return step.kind === 'read' ? this.#readBack(row, error) : step
  }

  async #readBack(row: OutboxRow, before = ''): Promise<Step> {
    const { answer, error } = await this.#try(row, () => this.#deps.read(row.taskId))
    const shown = answer ? shownBy(answer) : 'unclear'
    return afterReading(row, shown, before || error, this.#chance())
  }

  async #try(row: OutboxRow, call: () => Promise<Answer>): Promise<{ answer: Answer | null; error: string }> {
    try {
      const answer = await call()
      const error =
        answer.status < 300 ? '' : `the coordinator answered ${answer.status}: ${answer.text.slice(0, 200)}`
      if (error) this.#deps.log.warn({ task_id: row.taskId, state: row.state }, error)
      return { answer, error }
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause)
      this.#deps.log.warn({ task_id: row.taskId, state: row.state }, `report not delivered: ${error}`)
      return { answer: null, error }
    }
  }

  #chance() {
    return { now: Date.now(), random: this.#deps.random() }
  }
}

function reportOf(row: OutboxRow): Report {
  return {
    ...(row.state === null ? {} : { state: row.state }),
    ...(row.progress === null ? {} : { progress: row.progress }),
    ...(row.message === null ? {} : { message: row.message }),
    ...(row.summary === null ? {} : { summary: row.summary }),
  }
}
