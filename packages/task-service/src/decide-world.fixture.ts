import { decide } from './decide.ts'
import {
  RETRY,
  type Command,
  type CoordinatorShows,
  type Decision,
  type Effect,
  type Policy,
} from './decision.ts'
import { afterReading, afterReport, shownBy, type Step } from './delivery.ts'
import type { OutboxRow, Reschedule } from './outbox.ts'
import type { TaskRecord } from './record.ts'

export const LEASE_MS = 15_000
const CLAIM_MS = 60_000
export const WORLD_POLICY: Policy = {
  retry: RETRY,
  stageRetryForMs: 30 * 60_000,
  forgottenAfterMs: 60 * 60_000,
}

export interface Clock {
  now: number
}

/** Gives way to everybody else: what happens at a pause is chosen by the scheduler. May throw: a crash. */
export type Pause = (what: string) => Promise<void>

/** One command, at the moment at which it took effect. */
export interface Happened {
  readonly command: Command
  readonly decision: Decision
  /** By the clock as it was when the record was loaded. */
  readonly now: number
  /** What was stored just before, whoever decided on it; for what stores nothing, what it was judged by. */
  readonly before: TaskRecord | null
  readonly after: TaskRecord | null
  readonly goneOwner: string | null
  readonly stored: boolean
}

export interface Said {
  readonly status: number
  readonly json: unknown
}

/** How the reporter reaches the coordinator; an answer that is lost is an error. */
export interface Line {
  readonly report: (row: OutboxRow) => Promise<Said>
  readonly read: () => Promise<Said>
}

export interface Observer {
  readonly happened: (what: Happened) => void
  readonly conflict?: () => void
  readonly renewed?: (attempt: number, until: number) => void
  readonly removed?: (row: OutboxRow) => void
}

const answerOf = ({ status, json }: Said) => ({ status, json, text: JSON.stringify(json), retryAfter: null })

/** One task of a service as its database keeps it: a record under compare-and-set, its report, its events. */
export class TaskWorld {
  record: TaskRecord | null = null
  report: OutboxRow | null = null
  readonly events: string[] = []
  /** Processes that are known to be dead. */
  readonly gone = new Set<string>()
  readonly clock: Clock
  readonly #observer: Observer

  constructor(clock: Clock, observer: Observer) {
    this.clock = clock
    this.#observer = observer
  }

  /** Load, decide, commit; and again while somebody else was faster. */
  async execute(pause: Pause, given: Command): Promise<{ decision: Decision; record: TaskRecord | null }> {
    for (;;) {
      const loaded = this.record
      const { now } = this.clock
      const command = this.#withGoneOwner(given, loaded)
      const goneOwner = command.type === 'claim' ? command.goneOwner : null
      const decision = decide(loaded, command, { now, random: (now % 7) / 7, policy: WORLD_POLICY })
      const next = ('next' in decision && decision.next) || null
      const effects = decision.effects ?? []
      const about = { command, decision, now, goneOwner }
      if (!next) this.#observer.happened({ ...about, before: loaded, after: loaded, stored: false })
      if (!next && effects.length === 0) return { decision, record: loaded }
      await pause(`store ${command.type}`)
      const before = this.record
      if (this.#commit(loaded, next, effects)) {
        if (next) this.#observer.happened({ ...about, before, after: this.record, stored: true })
        return { decision, record: next ?? loaded }
      }
      this.#observer.conflict?.()
    }
  }

  #withGoneOwner(command: Command, record: TaskRecord | null): Command {
    if (command.type !== 'claim' || !record?.lease) return command
    const { owner } = record.lease
    return { ...command, goneOwner: this.gone.has(owner) ? owner : null }
  }

  /** As the statements of the store: the revision must be the one that was decided on, and nobody may have renewed. */
  #commit(loaded: TaskRecord | null, next: TaskRecord | null, effects: readonly Effect[]): boolean {
    if (next && !this.#isStill(loaded, next)) return false
    // What changes nothing of the lease leaves it as it was renewed meanwhile.
    const keepsLease = next !== null && loaded !== null && loaded.lease === next.lease
    if (next) this.record = keepsLease ? { ...next, lease: this.record?.lease ?? null } : next
    for (const effect of effects) this.#apply(effect)
    return true
  }

  #isStill(loaded: TaskRecord | null, next: TaskRecord): boolean {
    const stored = this.record
    if (stored?.revision !== loaded?.revision) return false
    const takes = loaded?.lease && next.lease !== loaded.lease && next.attempt !== loaded.attempt
    return !takes || stored?.lease?.expiresAt === loaded.lease?.expiresAt
  }

  #apply(effect: Effect): void {
    if (effect.type === 'event') this.events.push(effect.event)
    if (effect.type === 'withdraw_report') this.report = null
    if (effect.type === 'report') this.report = this.#reportRow(effect, this.report)
  }

  #reportRow(effect: Extract<Effect, { type: 'report' }>, old: OutboxRow | null): OutboxRow {
    const { state, progress, attempt, error = null } = effect
    const { now } = this.clock
    const isNew = state !== null || !old
    return {
      taskId: this.record?.id ?? '',
      releaseId: null,
      sequence: this.record?.revision ?? 0,
      state: state as OutboxRow['state'],
      progress,
      message: null,
      summary: null,
      attempt,
      error,
      phase: 'send',
      confirmStep: 0,
      dueAt: isNew || old.failures === 0 ? now : old.dueAt,
      failures: isNew ? 0 : old.failures,
      lastError: isNew ? null : old.lastError,
      createdAt: now,
      claimedBy: old?.claimedBy ?? null,
      claimedUntil: old?.claimedUntil ?? null,
      now,
    }
  }

  /** The renewal runs beside the rules, and does not count the revision up. */
  renew(attempt: number, owner: string): 'kept' | 'changed' | 'lost' {
    const { record } = this
    if (!record?.lease || record.attempt !== attempt || record.lease.owner !== owner) return 'lost'
    const expiresAt = this.clock.now + LEASE_MS
    this.record = { ...record, lease: { ...record.lease, expiresAt } }
    this.#observer.renewed?.(attempt, expiresAt)
    return record.work === record.lease.work ? 'kept' : 'changed'
  }

  /** One try of the reporter, where one is due. */
  async deliver(pause: Pause, owner: string, line: Line): Promise<void> {
    const row = this.report
    if (!row || row.dueAt > this.clock.now || !this.#isFree(row)) return
    await pause('claim the report')
    if (!this.#claim(row, owner)) return
    const step = row.phase === 'send' ? await this.#send(row, line) : await this.#read(row, line, '')
    await pause('store the delivery')
    if (step.kind === 'tell') await this.tell(pause, step.shows)
    if (step.kind === 'done') this.#remove(row)
    else if (step.kind !== 'read') this.#reschedule(row, step.to)
    if (this.report?.claimedBy === owner)
      this.report = { ...this.report, claimedBy: null, claimedUntil: null }
  }

  async tell(pause: Pause, state: CoordinatorShows): Promise<void> {
    await this.execute(pause, { type: 'coordinator_shows', state })
  }

  #isFree({ claimedBy, claimedUntil }: OutboxRow): boolean {
    return claimedBy === null || (claimedUntil ?? 0) <= this.clock.now || this.gone.has(claimedBy)
  }

  #claim(row: OutboxRow, owner: string): boolean {
    const now = this.report
    const isSame = now?.sequence === row.sequence && now.dueAt === row.dueAt
    if (!now || !isSame || now.claimedUntil !== row.claimedUntil) return false
    this.report = { ...now, claimedBy: owner, claimedUntil: this.clock.now + CLAIM_MS }
    return true
  }

  async #send(row: OutboxRow, line: Line): Promise<Step> {
    const answer = await line.report(row).catch(() => null)
    const error = answer ? `answered ${answer.status}` : 'no answer'
    const step = afterReport(row, answer && answerOf(answer), error, this.#chance())
    return step.kind === 'read' ? this.#read(row, line, error) : step
  }

  async #read(row: OutboxRow, line: Line, error: string): Promise<Step> {
    const answer = await line.read().catch(() => null)
    return afterReading(row, answer ? shownBy(answerOf(answer)) : 'unclear', error, this.#chance())
  }

  #chance() {
    const { now } = this.clock
    return { now, random: (now % 7) / 7 }
  }

  #remove(row: OutboxRow): void {
    if (this.report?.sequence !== row.sequence) return
    this.report = null
    this.#observer.removed?.(row)
  }

  #reschedule(row: OutboxRow, { delayMs, ...to }: Reschedule): void {
    if (this.report?.sequence !== row.sequence) return
    this.report = { ...this.report, ...to, dueAt: this.clock.now + Math.round(delayMs) }
  }
}
