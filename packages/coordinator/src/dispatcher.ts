import { TransportError, type Answer, type Logger } from '@release-task/http'
import type { Action } from '@release-task/protocol'
import { DueLoop } from '@release-task/queue'
import type { Outcome } from './decision.ts'
import {
  afterAction,
  afterAsking,
  afterRefusedCancel,
  afterTransportError,
  type Chance,
  type Step,
} from './delivery.ts'
import type { OutboxRow } from './outbox.ts'

const CONCURRENCY = 64
const IDLE_MS = 5 * 1000 // 5 s: other processes write to the same outbox

export interface DispatcherDependencies {
  readonly due: () => Promise<OutboxRow[]>
  readonly nextDelayMs: () => Promise<number | null>
  readonly claim: (row: OutboxRow) => Promise<boolean>
  /** Gives up the own claim, where there is one. */
  readonly giveBack: (row: OutboxRow) => Promise<void>
  /** Makes the own claim last longer. */
  readonly renew: (row: OutboxRow) => Promise<void>
  readonly renewMs: number
  /** Whether the row is still what the task's service is to be told. */
  readonly isCurrent: (row: OutboxRow) => Promise<boolean>
  readonly again: (row: OutboxRow, to: Extract<Step, { kind: 'again' }>) => Promise<void>
  readonly remove: (row: OutboxRow) => Promise<void>
  /** One request to the task's service. @throws TransportError */
  readonly request: (row: OutboxRow, action: Action) => Promise<Answer>
  /** What came of it, as a command. */
  readonly tell: (row: OutboxRow, outcome: Outcome) => Promise<void>
  /** Aborts the requests that are under way; what they came to nobody knows then. */
  readonly stopping: AbortSignal
  readonly random: () => number
  readonly log: Logger
}

/** One request, and who judges its answer. */
interface Attempt {
  readonly action: Action
  readonly judge: typeof afterAction
  readonly chance: () => Chance
}

/** Tells services what to do: concurrently, but one request at a time per task, in order (RC-5). */
export class Dispatcher {
  readonly #deps: DispatcherDependencies
  readonly #loop: DueLoop<OutboxRow>

  constructor(deps: DispatcherDependencies) {
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
        deps.log.error({ err: error, task_id: taskId }, 'action not dealt with; trying again'),
    })
  }

  /** There may be something to tell. */
  nudge(): void {
    this.#loop.nudge()
  }

  /** Begins nothing more; what is not told is told by the next process. */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #deliver(row: OutboxRow): Promise<void> {
    if (!(await this.#deps.claim(row))) return
    const step = await this.#steps(row, this.#chancesFrom(row))
    if (step.kind === 'again') {
      this.#deps.log.warn({ task_id: row.taskId, release_id: row.releaseId, action: row.action }, step.error)
      return this.#deps.again(row, step)
    }
    if (step.kind === 'outcome') await this.#deps.tell(row, step.outcome)
    // The decision took the row along, unless it changed nothing or a newer action has replaced it.
    await this.#deps.remove(row)
  }

  /** The deadline is by the database's clock, which was read together with the row: from here on time is added. */
  #chancesFrom(row: OutboxRow): () => Chance {
    const startedAt = performance.now()
    return () => ({ now: row.now + (performance.now() - startedAt), random: this.#deps.random() })
  }

  async #steps(row: OutboxRow, chance: () => Chance): Promise<Step> {
    const attempt = (action: Action, judge: typeof afterAction) => this.#try(row, { action, judge, chance })
    const asks = row.askFirst && row.action !== 'cancel'
    const asked: Step = asks ? await attempt('get_status', afterAsking) : { kind: 'send' }
    if (asked.kind !== 'send') return asked
    // Asking took its time, and a cancel may have come meanwhile: then nothing else is sent any more (RC-5, F-07).
    if (!(await this.#deps.isCurrent(row))) return asked
    const acted = await attempt(row.action, afterAction)
    return acted.kind === 'ask' ? attempt('get_status', afterRefusedCancel(acted.because)) : acted
  }

  async #try(row: OutboxRow, { action, judge, chance }: Attempt): Promise<Step> {
    try {
      return judge(row, await this.#deps.request(row, action), chance())
    } catch (error) {
      // Broken off by our own end, it is no word of the service: not counted, and asked for by whoever comes next.
      if (!(error instanceof TransportError) || this.#deps.stopping.aborted) throw error
      return afterTransportError(row, error, chance())
    }
  }
}
