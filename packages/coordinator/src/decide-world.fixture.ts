import type { Action, TaskId } from '@release-task/protocol'
import { decide } from './decide.ts'
import type { Command, Decision, Effect } from './decision.ts'
import {
  afterAction,
  afterAsking,
  afterRefusedCancel,
  afterTransportError,
  wordOf,
  type Step,
} from './delivery.ts'
import type { OutboxRow } from './outbox.ts'
import { POLICY, RELEASE } from './record.fixture.ts'
import type { ReleaseRecord } from './record.ts'

const CLAIM_MS = 60_000
const POLL_MS = 10_000

export interface Clock {
  now: number
}

/** Gives way to everybody else: what happens at a pause is chosen by the scheduler. May throw: a crash. */
export type Pause = (what: string) => Promise<void>

export interface Said {
  readonly status: number
  readonly json: unknown
}

/** No whole answer came. */
export class Lost extends Error {
  readonly mayHaveArrived: boolean

  constructor(mayHaveArrived: boolean) {
    super('no answer')
    this.mayHaveArrived = mayHaveArrived
  }
}

/** One request to the service of a task. @throws Lost */
export type Request = (taskId: TaskId, action: Action) => Promise<Said>

/** One command, at the moment at which it took effect. */
export interface Happened {
  readonly command: Command
  readonly decision: Decision
  readonly now: number
  /** What was stored just before, whoever decided on it; for what stores nothing, what it was judged by. */
  readonly before: ReleaseRecord | null
  readonly after: ReleaseRecord | null
  readonly stored: boolean
}

export interface Observer {
  readonly happened: (what: Happened) => void
  readonly conflict?: () => void
  readonly missed?: () => void
}

interface Poll {
  dueAt: number
  claimedUntil: number
}

interface Row extends OutboxRow {
  readonly claimedBy: string | null
}

const answerOf = ({ status, json }: Said) => ({ status, json, text: JSON.stringify(json), retryAfter: null })

/** One release as the coordinators' database keeps it: a record under compare-and-set, what is to be told, polls. */
export class ReleaseWorld {
  record: ReleaseRecord | null = null
  latestVersion = '0.4.1'
  readonly outbox = new Map<TaskId, Row>()
  readonly polls = new Map<TaskId, Poll>()
  readonly messages: string[] = []
  /** Instances that are known to be dead. */
  readonly gone = new Set<string>()
  readonly clock: Clock
  readonly #observer: Observer

  constructor(clock: Clock, observer: Observer) {
    this.clock = clock
    this.#observer = observer
  }

  /** Load, decide, commit; and again while somebody else was faster. */
  async execute(pause: Pause, command: Command): Promise<Decision> {
    for (;;) {
      const { record: loaded, latestVersion } = this
      const { now } = this.clock
      const decision = decide(loaded, command, { now, latestVersion, policy: POLICY })
      const next = decision.kind === 'next' ? decision.next : null
      const effects = decision.kind === 'unchanged' ? [] : decision.effects
      const about = { command, decision, now }
      if (!next) this.#observer.happened({ ...about, before: loaded, after: loaded, stored: false })
      if (!next && effects.length === 0) return decision
      await pause(`store ${command.type}`)
      const before = this.record
      if (this.#commit(loaded, next, effects)) {
        if (next) this.#observer.happened({ ...about, before, after: next, stored: true })
        return decision
      }
      this.#observer.conflict?.()
    }
  }

  #commit(loaded: ReleaseRecord | null, next: ReleaseRecord | null, effects: readonly Effect[]): boolean {
    if (next && this.record?.revision !== loaded?.revision) return false
    const version = effects.find((effect) => effect.type === 'version')
    if (version && version.from !== this.latestVersion) return false
    if (next) this.record = next
    for (const effect of effects) this.#apply(effect)
    return true
  }

  #apply(effect: Effect): void {
    if (effect.type === 'event') this.messages.push(effect.message)
    if (effect.type === 'send') this.#put(effect)
    if (effect.type === 'told' && this.outbox.get(effect.taskId)?.action === effect.action)
      this.outbox.delete(effect.taskId)
    if (effect.type === 'tell_no_more') this.outbox.delete(effect.taskId)
    if (effect.type === 'poll_from')
      this.polls.set(effect.taskId, { dueAt: this.clock.now + POLL_MS, claimedUntil: 0 })
    if (effect.type === 'poll_no_more') this.polls.delete(effect.taskId)
    if (effect.type === 'version') this.latestVersion = effect.to
  }

  /** Replaces what was still to be told; the claim stays, so that a request that is under way ends first. */
  #put({ taskId, action, forMs }: Extract<Effect, { type: 'send' }>): void {
    const { now } = this.clock
    const old = this.outbox.get(taskId)
    this.outbox.set(taskId, {
      taskId,
      releaseId: RELEASE,
      action: action as OutboxRow['action'],
      sequence: this.record?.revision ?? 0,
      deadlineAt: now + forMs,
      failures: 0,
      askFirst: false,
      lastError: null,
      claimedUntil: old?.claimedUntil ?? null,
      claimedBy: old?.claimedBy ?? null,
      dueAt: now,
      now,
    })
  }

  /** One try to tell a task's service what it is to be told, where that is due. */
  async deliver(pause: Pause, owner: string, taskId: TaskId, request: Request): Promise<void> {
    const row = this.outbox.get(taskId)
    if (!row || row.dueAt > this.clock.now || !this.#isFree(row)) return
    await pause('claim an action')
    if (!this.#claim(row, owner)) return
    const step = await this.#steps(row, request)
    await pause('store the outcome')
    if (step.kind === 'again') this.#again(row, step)
    if (step.kind === 'outcome') {
      const { action } = row
      await this.execute(pause, { type: 'answer', taskId, action, outcome: step.outcome })
    }
    if (step.kind !== 'again') this.#remove(row)
    this.#unclaim(taskId, owner)
  }

  #isFree({ claimedBy, claimedUntil }: Row): boolean {
    return claimedBy === null || (claimedUntil ?? 0) <= this.clock.now || this.gone.has(claimedBy)
  }

  #isCurrent({ taskId, sequence }: Row): boolean {
    return this.outbox.get(taskId)?.sequence === sequence
  }

  #change(row: Row, fields: Partial<Row>): void {
    const now = this.outbox.get(row.taskId)
    if (now && this.#isCurrent(row)) this.outbox.set(row.taskId, { ...now, ...fields })
  }

  #claim(row: Row, owner: string): boolean {
    if (!this.#isCurrent(row) || this.outbox.get(row.taskId)?.claimedUntil !== row.claimedUntil) return false
    // From here on the service may have heard it.
    this.#change(row, { claimedBy: owner, claimedUntil: this.clock.now + CLAIM_MS, askFirst: true })
    return true
  }

  #again(row: Row, { delayMs, askFirst, error }: Extract<Step, { kind: 'again' }>): void {
    const dueAt = this.clock.now + Math.round(delayMs)
    this.#change(row, { dueAt, failures: row.failures + 1, askFirst, lastError: error })
  }

  #remove(row: Row): void {
    if (this.#isCurrent(row)) this.outbox.delete(row.taskId)
  }

  #unclaim(taskId: TaskId, owner: string): void {
    const row = this.outbox.get(taskId)
    if (row?.claimedBy === owner) this.outbox.set(taskId, { ...row, claimedBy: null, claimedUntil: null })
  }

  async #steps(row: Row, request: Request): Promise<Step> {
    const asks = row.askFirst && row.action !== 'cancel'
    const asked: Step = asks ? await this.#try(row, 'get_status', afterAsking, request) : { kind: 'send' }
    if (asked.kind !== 'send' || !this.#isCurrent(row)) return asked
    const acted = await this.#try(row, row.action, afterAction, request)
    return acted.kind === 'ask'
      ? this.#try(row, 'get_status', afterRefusedCancel(acted.because), request)
      : acted
  }

  async #try(row: Row, action: Action, judge: typeof afterAction, request: Request): Promise<Step> {
    const chance = () => ({ now: this.clock.now, random: (this.clock.now % 7) / 7 })
    try {
      const said = await request(row.taskId, action)
      return judge(row, answerOf(said), chance())
    } catch (error) {
      if (!(error instanceof Lost)) throw error
      return afterTransportError(row, error, chance())
    }
  }

  /** One question for a task's state, where it is time for one. A miss of any kind changes nothing (RC-16). */
  async poll(pause: Pause, taskId: TaskId, request: Request, everybody = false): Promise<void> {
    const poll = this.polls.get(taskId)
    const askedAt = this.clock.now
    if (!poll || poll.claimedUntil > askedAt || (poll.dueAt > askedAt && !everybody)) return
    poll.claimedUntil = askedAt + CLAIM_MS
    await pause('ask')
    const said = await request(taskId, 'get_status').catch((error: unknown) => {
      if (error instanceof Lost) return null
      throw error
    })
    await this.#polled(pause, taskId, askedAt, said)
    Object.assign(this.polls.get(taskId) ?? {}, { dueAt: this.clock.now + POLL_MS, claimedUntil: 0 })
  }

  async #polled(pause: Pause, taskId: TaskId, askedAt: number, said: Said | null): Promise<void> {
    if (said?.status === 200) {
      const word = wordOf(said.json as Record<string, unknown>)
      await this.execute(pause, { type: 'poll', taskId, askedAt, ...word })
    } else if (said?.status === 404)
      await this.execute(pause, { type: 'lost', taskId, askedAt, reason: 'answered 404' })
    else this.#observer.missed?.()
  }
}
