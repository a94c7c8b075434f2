import type { Answer, Logger } from '@release-task/http'
import type { Report } from '@release-task/protocol'
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

/**
 * Delivers reports until the coordinator agrees: one try at a time per task, the newest state only. Its own
 * memory is nothing but a timer; everything else is in the outbox.
 */
export class Reporter {
  readonly #deps: ReporterDependencies
  readonly #busy = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #lookAgain = false
  #stopped = false
  #idle: (() => void) | null = null

  constructor(deps: ReporterDependencies) {
    this.#deps = deps
  }

  /** There may be something to send. */
  nudge(): void {
    if (this.#stopped) return
    if (this.#looking) this.#lookAgain = true
    else void this.#look()
  }

  /** Begins nothing more; resolves when no request is under way. What is not sent is sent by the next process. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#busy.size > 0 || this.#looking) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  async #look(): Promise<void> {
    this.#looking = true
    if (this.#timer) clearTimeout(this.#timer)
    try {
      do {
        this.#lookAgain = false
        for (const row of await this.#deps.due()) this.#begin(row)
      } while (this.#lookAgain && !this.#stopped)
      await this.#sleepUntilNext()
    } catch (error) {
      this.#deps.log.error({ err: error }, 'cannot read the outbox; trying again')
      this.#wakeIn(IDLE_MS)
    }
    this.#looking = false
    if (this.#lookAgain) this.nudge()
    this.#settle()
  }

  async #sleepUntilNext(): Promise<void> {
    const next = await this.#deps.nextDelayMs()
    // A row that is due and busy wakes us itself when it is done.
    this.#wakeIn(next === null || next === 0 ? IDLE_MS : Math.min(next, IDLE_MS))
  }

  #wakeIn(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.nudge(), ms)
    this.#timer.unref()
  }

  #begin(row: OutboxRow): void {
    if (this.#stopped || this.#busy.has(row.taskId) || this.#busy.size >= CONCURRENCY) return
    this.#busy.add(row.taskId)
    void this.#deliver(row)
      .catch((error: unknown) =>
        this.#deps.log.error({ err: error, task_id: row.taskId }, 'report not stored as sent'),
      )
      .then(() => {
        this.#busy.delete(row.taskId)
        this.nudge()
        this.#settle()
      })
  }

  #settle(): void {
    if (this.#stopped && this.#busy.size === 0 && !this.#looking) this.#idle?.()
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
