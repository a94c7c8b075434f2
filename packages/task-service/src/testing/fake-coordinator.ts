import { TransportError, type Answer } from '@release-task/http'
import {
  isFinalCoordinatorTask,
  parseServiceState,
  pathForward,
  type Action,
  type CoordinatorTaskState,
  type Report,
} from '@release-task/protocol'
import type { Release, Study } from '../author-types.ts'
import { TaskServiceError } from '../errors.ts'

/** The coordinator of a test: it keeps what it is told, and misbehaves as you say. */
export interface FakeCoordinator {
  /** Every report that reached it, in order, whatever it answered. */
  readonly reports: readonly Report[]
  /** What it shows of the task; null: it does not know it. */
  readonly shows: CoordinatorTaskState | null
  /** Whether nobody answers at its address: no report arrives, nothing can be read. */
  isAway: boolean
  /** Answers the next report so, and does not store it. Called twice, the next two. */
  answerNext(status: number, body?: unknown): void
  /** Takes the next report, and its answer is lost on the way. */
  loseNextAnswer(): void
  /** Shows another state of the task from now on, as after a save that overwrote what it was told. */
  overwrite(state: CoordinatorTaskState): void
  /** Does not know the task any more. */
  forget(): void
}

export interface CoordinatorFacts {
  readonly taskId: string
  readonly release: Release
  readonly studies: ReadonlyMap<string, Study>
}

interface Planned {
  readonly status: number
  readonly body: unknown
  readonly isLost: boolean
}

const SHOWN_AFTER = {
  initialize: 'initialized',
  start: 'running',
  publish: 'publishing',
  cancel: 'canceled',
} as const
const UNKNOWN = { detail: 'Not found.' }

/** The same, as the service and the kit see it. */
export class CoordinatorInProcess implements FakeCoordinator {
  readonly reports: Report[] = []
  isAway = false
  #shows: CoordinatorTaskState | null = 'waiting'
  readonly #planned: Planned[] = []
  readonly #facts: CoordinatorFacts

  constructor(facts: CoordinatorFacts) {
    this.#facts = facts
  }

  get shows(): CoordinatorTaskState | null {
    return this.#shows
  }

  answerNext(status: number, body: unknown = null): void {
    this.#planned.push({ status, body, isLost: false })
  }

  loseNextAnswer(): void {
    this.#planned.push({ status: 200, body: null, isLost: true })
  }

  overwrite(state: CoordinatorTaskState): void {
    this.#shows = state
  }

  forget(): void {
    this.#shows = null
  }

  /** The service has answered an action with yes. A report may have told of a later state already (RC-12). */
  accepted(action: Exclude<Action, 'get_status'>): void {
    const next = SHOWN_AFTER[action]
    if (this.#shows && (action === 'cancel' || pathForward(this.#shows, next).length > 0)) this.#shows = next
  }

  report(report: Report): Answer {
    this.#reach('PATCH')
    this.reports.push(report)
    const planned = this.#planned.shift()
    if (planned && !planned.isLost) return answer(planned.status, planned.body)
    const taken = this.#take(report)
    if (planned) throw unreachable('PATCH', 'connection closed', true)
    return taken
  }

  task(): Answer {
    this.#reach('GET')
    const { taskId } = this.#facts
    return this.#shows ? answer(200, { kf_id: taskId, state: this.#shows }) : answer(404, UNKNOWN)
  }

  release(): Release {
    this.#reachToRead()
    const { release } = this.#facts
    return { ...release }
  }

  study(id: string): Study {
    this.#reachToRead()
    const study = this.#facts.studies.get(id)
    if (!study) throw new TaskServiceError('COORDINATOR_ANSWER', `GET /studies/${id} answered 404`)
    return { ...study }
  }

  /** By RC-23 to RC-25: only forward, and nothing leaves a final state. */
  #take({ state }: Report): Answer {
    const shows = this.#shows
    if (!shows) return answer(404, UNKNOWN)
    const next = state === undefined ? shows : parseServiceState(state)
    if (next === null) return answer(400, { state: [`${state} is no state`] })
    const isEnd = next === 'failed' || next === 'canceled'
    const isForward = pathForward(shows, next).length > 0 || (isEnd && !isFinalCoordinatorTask(shows))
    const isSame = next === shows && (state !== undefined || !isFinalCoordinatorTask(shows))
    if (!isForward && !isSame)
      return answer(409, { detail: `the task is ${shows}, and cannot become ${next}` })
    this.#shows = next
    return answer(200, { kf_id: this.#facts.taskId, state: next })
  }

  #reach(method: string): void {
    if (this.isAway) throw unreachable(method, 'connection refused', false)
  }

  #reachToRead(): void {
    if (!this.isAway) return
    const why = unreachable('GET', 'connection refused', false)
    throw new TaskServiceError('COORDINATOR_ANSWER', `Cannot read from the coordinator: ${why.message}`, why)
  }
}

function answer(status: number, json: unknown): Answer {
  return { status, json, text: JSON.stringify(json), retryAfter: null }
}

function unreachable(method: string, why: string, mayHaveArrived: boolean): TransportError {
  return new TransportError(`${method} the coordinator of the test: ${why}`, mayHaveArrived, null)
}
