import assert from 'node:assert/strict'
import type { Command, Outcome } from './decision.ts'
import type { ReleaseRecord } from './record.ts'

// What docs/protocol.md, section 7, says a release becomes, typed from there and not from the code.

const WAY = ['waiting', 'initialized', 'running', 'staged', 'publishing', 'published']
export const FINAL_TASK = ['published', 'rejected', 'failed', 'canceled']
export const FINAL_RELEASE = ['published', 'canceled', 'failed']

/** RC-14: the phase of the release in which the last action that a state needs was sent. */
const SENT_IN: { readonly [state: string]: readonly string[] } = {
  initialized: ['initializing', 'running', 'staged', 'publishing'],
  running: ['running', 'staged', 'publishing'],
  staged: ['running', 'staged', 'publishing'],
  publishing: ['publishing'],
  published: ['publishing'],
}
/** RC-10: what the acceptance of an action means. */
const TAKEN: { readonly [action: string]: string } = {
  initialize: 'initialized',
  start: 'running',
  publish: 'publishing',
}
const ACTION_DEADLINE = 30_000
const TASK_TIMEOUT = 160_000_000
const RELEASE_TIMEOUT = 360_000_000

export interface ModelTask {
  readonly id: string
  readonly state: string
  /** What its service is still to be told. */
  readonly told: string | null
  /** Whether the end of the release waits for its answer to `cancel` (RC-20). */
  readonly awaited: boolean
  readonly heardAt: number
}

export interface ReleaseModel {
  readonly state: string
  readonly since: number
  readonly outcome: string | null
  readonly stoppedFrom: string | null
  readonly tasks: readonly ModelTask[]
}

export interface ReleaseVerdict {
  /** The same object where nothing comes of it. */
  readonly model: ReleaseModel
  readonly refused: boolean
}

export const CREATED: ReleaseModel = {
  state: 'waiting',
  since: 0,
  outcome: null,
  stoppedFrom: null,
  tasks: [],
}

const rank = (state: string) => WAY.indexOf(state)
const isAhead = (state: string, of: string) => rank(of) >= 0 && rank(state) > rank(of)
const isFinal = (task: ModelTask) => FINAL_TASK.includes(task.state)

export function judgeRelease(model: ReleaseModel, command: Command, now: number): ReleaseVerdict {
  const next = new Judging(model, now)
  const refused = next.take(command)
  return { model: next.result(), refused }
}

/** One command at work; small steps on a copy. */
class Judging {
  readonly #before: ReleaseModel
  readonly #now: number
  #model: ReleaseModel

  constructor(model: ReleaseModel, now: number) {
    this.#before = model
    this.#model = model
    this.#now = now
  }

  result(): ReleaseModel {
    if (this.#model !== this.#before) this.#settle()
    return this.#model
  }

  /** @returns whether it is refused */
  take(command: Command): boolean {
    switch (command.type) {
      case 'begin':
        this.#begin(command.tasks.map(({ id }) => id))
        return false
      case 'publish':
        return this.#publish()
      case 'cancel':
        this.#stop('canceled', null)
        return false
      case 'answer':
        this.#answer(command.taskId, command.action, command.outcome)
        return false
      case 'report':
        return this.#report(command.taskId, command.state)
      case 'poll':
      case 'lost':
        this.#poll(command.taskId, command.askedAt, command.type === 'lost' ? 'lost' : command.state)
        return false
      case 'tick':
        this.#tick()
        return false
      default:
        throw new Error(`no ${command.type} in these worlds`)
    }
  }

  #set(fields: Partial<ReleaseModel>): void {
    this.#model = { ...this.#model, ...fields }
  }

  #move(state: string): void {
    this.#set({ state, since: this.#now })
  }

  #task(id: string): ModelTask {
    const task = this.#model.tasks.find((one) => one.id === id)
    assert(task)
    return task
  }

  #setTask(id: string, fields: Partial<ModelTask>): void {
    this.#set({ tasks: this.#model.tasks.map((task) => (task.id === id ? { ...task, ...fields } : task)) })
  }

  #moveTask(id: string, state: string): void {
    this.#setTask(id, { state, heardAt: this.#now })
  }

  #tellAll(told: string): void {
    this.#set({ tasks: this.#model.tasks.map((task) => ({ ...task, told })) })
  }

  #begin(ids: readonly string[]): void {
    if (this.#model.state !== 'waiting') return
    const tasks = ids.map((id) => ({
      id,
      state: 'waiting',
      told: null,
      awaited: false,
      heardAt: this.#now,
    }))
    this.#set({ tasks })
    this.#move('initializing')
    this.#tellAll('initialize')
  }

  #publish(): boolean {
    if (this.#model.state !== 'staged') return true
    this.#move('publishing')
    this.#tellAll('publish')
    return false
  }

  /** RC-18, RC-19: decided once; everybody is told who may have heard anything and has not said that it ended. */
  #stop(outcome: string, ended: string | null): void {
    const { state, tasks } = this.#model
    if (FINAL_RELEASE.includes(state) || state === 'canceling') return
    this.#set({ outcome, stoppedFrom: state })
    this.#move('canceling')
    for (const task of tasks) {
      const isOver = task.id === ended || task.state === 'published' || task.state === 'canceled'
      this.#setTask(task.id, isOver ? { told: null, awaited: false } : { told: 'cancel', awaited: true })
    }
  }

  #mayBe(state: string): boolean {
    return SENT_IN[state]?.includes(this.#model.stoppedFrom ?? this.#model.state) ?? false
  }

  #forward(id: string, state: string): void {
    if (isAhead(state, this.#task(id).state)) this.#moveTask(id, state)
  }

  #answer(id: string, action: string, outcome: Outcome): void {
    if (this.#task(id).told === action) this.#setTask(id, { told: null })
    if (action === 'cancel')
      return this.#heardCancel(id, outcome.kind === 'accepted' ? outcome.state : outcome.shown)
    const least = TAKEN[action]!
    if (outcome.kind === 'accepted') {
      this.#forward(id, least)
      // What the answer shows was judged by what had been sent before it came.
      if (outcome.state !== null && this.#mayBe(outcome.state)) this.#forward(id, outcome.state)
      return
    }
    if (!isAhead(least, this.#task(id).state)) return
    this.#moveTask(id, action === 'initialize' ? 'rejected' : 'failed')
    const itself = outcome.shown === 'failed' || outcome.shown === 'canceled'
    this.#stop('failed', itself ? id : null)
  }

  /** RC-10, RC-21. */
  #heardCancel(id: string, shown: string | null): void {
    this.#setTask(id, { awaited: false })
    if (isFinal(this.#task(id))) return
    if (shown === 'published' && this.#mayBe('published')) return this.#moveTask(id, 'published')
    this.#moveTask(id, shown === 'failed' ? 'failed' : 'canceled')
  }

  /** RC-24 to RC-26. */
  #report(id: string, state: string | null): boolean {
    const task = this.#task(id)
    if (state === null) return false
    if (isFinal(task)) return state !== task.state
    if (state === task.state) this.#setTask(id, { heardAt: this.#now })
    else if (state === 'failed' || state === 'canceled') this.#endedItself(id, state)
    else if (isAhead(state, task.state) && this.#mayBe(state)) this.#gone(id, state)
    else return true
    return false
  }

  #gone(id: string, state: string): void {
    this.#moveTask(id, state)
    if (state === 'published') this.#setTask(id, { told: null, awaited: false })
  }

  #endedItself(id: string, state: 'failed' | 'canceled'): void {
    this.#moveTask(id, state)
    this.#setTask(id, { told: null, awaited: false })
    this.#stop(state, id)
  }

  /** RC-14 to RC-16: an answer about a task that has changed since it was asked for is dropped. */
  #poll(id: string, askedAt: number, state: string | null): void {
    const task = this.#task(id)
    if (isFinal(task) || task.heardAt >= askedAt || state === null) return
    if (state === 'lost') return this.#lost(task)
    if (state === 'failed' || state === 'canceled') return this.#endedItself(id, state)
    if (!isAhead(state, task.state)) return
    if (this.#mayBe(state)) return this.#gone(id, state)
    this.#fail(id)
  }

  #lost({ id, state }: ModelTask): void {
    const works = state === 'running' || state === 'publishing'
    if (works && this.#model.state === state) this.#fail(id)
  }

  #fail(id: string): void {
    this.#moveTask(id, 'failed')
    this.#stop('failed', null)
  }

  /** RC-17, RC-20; from `publishing` on time alone ends nothing. */
  #tick(): void {
    const { state, since, tasks } = this.#model
    if (state === 'canceling' && this.#now >= since + ACTION_DEADLINE) return this.#end()
    if (state !== 'initializing' && state !== 'running') return
    const isSilent = (task: ModelTask) => task.state === 'running' && this.#now >= task.heardAt + TASK_TIMEOUT
    const isOver = this.#now >= since + RELEASE_TIMEOUT || (state === 'running' && tasks.some(isSilent))
    if (isOver) this.#stop('canceled', null)
  }

  #end(): void {
    for (const task of this.#model.tasks) if (!isFinal(task)) this.#moveTask(task.id, 'canceled')
    this.#move(this.#model.outcome!)
  }

  /** RC-1: inside the change that the last task made. */
  #settle(): void {
    const all = (state: string) =>
      this.#model.tasks.every((task) => task.state === state || isAhead(task.state, state))
    if (this.#model.state === 'initializing' && all('initialized')) {
      this.#move('running')
      this.#tellAll('start')
    }
    if (this.#model.state === 'running' && all('staged')) this.#move('staged')
    if (this.#model.state === 'publishing' && all('published')) this.#move('published')
    const isHeard = this.#model.tasks.every((task) => !task.awaited)
    if (this.#model.state === 'canceling' && isHeard) this.#end()
  }
}

/** States, who is told what, who is awaited, and what was decided, as one line. */
export function textOfModel({ state, outcome, stoppedFrom, tasks }: ReleaseModel): string {
  const each = tasks.map(({ id, state, told, awaited }) => `${id} ${state} told ${told} awaited ${awaited}`)
  return [state, outcome, stoppedFrom, ...each].join(' | ')
}

export function textOfRelease(
  { state, outcome, stoppedFrom, tasks }: ReleaseRecord,
  toldTo: (taskId: string) => string | null,
): string {
  const each = tasks.map(
    ({ id, state, cancelPending }) => `${id} ${state} told ${toldTo(id)} awaited ${cancelPending}`,
  )
  return [state, outcome, stoppedFrom, ...each].join(' | ')
}
