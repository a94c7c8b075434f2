import type { Answer, Logger } from '@release-task/http'
import type { Report } from '@release-task/protocol'
import { DueLoop } from '@release-task/queue'
import type { CoordinatorShows } from './decision.ts'
import { afterReading, afterReport, isRefusal, shownBy, type Chance, type Step } from './delivery.ts'
import type { OutboxRow, Reschedule } from './outbox.ts'

const CONCURRENCY = 8
const IDLE_MS = 5 * 1000 // 5 s: other processes write to the same outbox

/** The coordinator does not take a report, and somebody should know. */
export interface RefusedReport {
  readonly status: number
  readonly state: OutboxRow['state']
  readonly text: string
}

export interface ReporterDependencies {
  readonly due: () => Promise<OutboxRow[]>
  readonly nextDelayMs: () => Promise<number | null>
  readonly claim: (row: OutboxRow) => Promise<boolean>
  /** Gives up the own claim, where there is one. */
  readonly giveBack: (row: OutboxRow) => Promise<void>
  /** Makes the own claim last longer. */
  readonly renew: (row: OutboxRow) => Promise<void>
  readonly renewMs: number
  readonly reschedule: (row: OutboxRow, to: Reschedule) => Promise<void>
  readonly remove: (row: OutboxRow) => Promise<void>
  readonly send: (taskId: string, report: Report) => Promise<Answer>
  readonly read: (taskId: string) => Promise<Answer>
  /** The coordinator ended or lost the task. */
  readonly tell: (taskId: string, shows: CoordinatorShows) => Promise<void>
  readonly refused: (taskId: string, report: RefusedReport) => Promise<void>
  readonly random: () => number
  readonly log: Logger
}

interface Tried {
  readonly answer: Answer | null
  /** Empty where the answer is a good one. */
  readonly error: string
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
      giveBack: deps.giveBack,
      renew: deps.renew,
      renewMs: deps.renewMs,
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

  /** Begins nothing more; what is not sent is sent by the next process (N-3). */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #deliver(row: OutboxRow): Promise<void> {
    const chance = this.#chancesFrom(row)
    if (!(await this.#deps.claim(row))) return
    const step = row.phase === 'send' ? await this.#send(row, chance) : await this.#readBack(row, chance)
    if (step.kind === 'done') return this.#deps.remove(row)
    if (step.kind === 'tell') await this.#deps.tell(row.taskId, step.shows)
    if (step.kind !== 'read') await this.#deps.reschedule(row, step.to)
  }

  async #send(row: OutboxRow, chance: () => Chance): Promise<Step> {
    const tried = await this.#try(row, () => this.#deps.send(row.taskId, reportOf(row)))
    await this.#noteRefusal(row, tried)
    const step = afterReport(row, tried.answer, tried.error, chance())
    return step.kind === 'read' ? this.#readBack(row, chance, tried.error) : step
  }

  async #readBack(row: OutboxRow, chance: () => Chance, before = ''): Promise<Step> {
    const { answer, error } = await this.#try(row, () => this.#deps.read(row.taskId))
    const shown = answer ? shownBy(answer) : 'unclear'
    return afterReading(row, shown, before || error || 'the coordinator showed no state', chance())
  }

  /** The same refusal minute after minute is said once (N-8, N-11). */
  async #noteRefusal(row: OutboxRow, { answer, error }: Tried): Promise<void> {
    if (!answer || !isRefusal(answer) || error === row.lastError) return
    this.#deps.log.error(about(row), `report refused: ${error}`)
    const { status, text } = answer
    await this.#deps.refused(row.taskId, { status, state: row.state, text: text.slice(0, MOST_ANSWER_CHARS) })
  }

  async #try(row: OutboxRow, call: () => Promise<Answer>): Promise<Tried> {
    try {
      const answer = await call()
      const said = `the coordinator answered ${answer.status}: ${answer.text.slice(0, MOST_ANSWER_CHARS)}`
      const error = answer.status < 300 ? '' : said
      if (error) this.#deps.log.warn(about(row), error)
      return { answer, error }
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause)
      this.#deps.log.warn(about(row), `report not delivered: ${error}`)
      return { answer: null, error }
    }
  }

  /** A report's age is by the database's clock, which was read together with the row: from here on time is added. */
  #chancesFrom(row: OutboxRow): () => Chance {
    const startedAt = performance.now()
    return () => ({ now: row.now + (performance.now() - startedAt), random: this.#deps.random() })
  }
}

const MOST_ANSWER_CHARS = 200

/** What every line of the log says of the report that it is about. */
function about(row: OutboxRow) {
  return { task_id: row.taskId, release_id: row.releaseId, state: row.state }
}

function reportOf(row: OutboxRow): Report {
  return {
    ...(row.state === null ? {} : { state: row.state }),
    ...(row.progress === null ? {} : { progress: row.progress }),
    ...(row.message === null ? {} : { message: row.message }),
    ...(row.summary === null ? {} : { summary: row.summary }),
    ...(row.attempt === null ? {} : { attempt: row.attempt }),
    ...(row.error === null ? {} : { error: row.error }),
  }
}
