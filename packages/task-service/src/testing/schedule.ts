import type { Outbox } from '../outbox.ts'
import type { TaskRecord } from '../record.ts'
import { turn } from './life.ts'
import type { Moments } from './moments.ts'
import type { Processes } from './processes.ts'

const MOST_ROUNDS = 1000

export interface ScheduleParts {
  readonly clock: { now: number }
  readonly processes: Processes
  readonly moments: Moments
  readonly outbox: Outbox
  readonly record: () => Promise<TaskRecord | null>
  /** Resolves when something has changed. */
  readonly change: () => Promise<void>
}

/** What is due when, and the clock. */
export class Schedule {
  readonly #parts: ScheduleParts

  constructor(parts: ScheduleParts) {
    this.#parts = parts
  }

  /** When the next thing is due; null: nothing is, or nobody would do it. */
  async nextAt(): Promise<number | null> {
    const { processes, clock, outbox } = this.#parts
    if (!processes.isAlive) return null
    const record = await this.#parts.record()
    const reportMs = await outbox.nextDelayMs()
    const isHeld = record?.lease?.owner === processes.current?.owner
    const times = [
      isHeld || !record?.work ? null : record.dueAt,
      record?.checkDueAt ?? null,
      reportMs === null ? null : clock.now + reportMs,
    ].filter((time) => time !== null)
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Runs what is due until nothing is and no code runs, it is held, or the process is dead. */
  async runDue(): Promise<void> {
    const { processes, moments } = this.#parts
    const life = processes.current
    if (!life) return
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
      await life.look()
      await turn()
      if (life.isDead || moments.isHeld) return
      if (life.isBusy || processes.suspended?.isRunning) await this.#parts.change()
      else if (!(await this.#isDue())) return
    }
    throw new Error(`Something is due at once ${MOST_ROUNDS} times: is a delay 0?`)
  }

  /** Moves the clock, and stops on the way wherever something is due. */
  async advance(ms: number): Promise<void> {
    const end = this.#parts.clock.now + ms
    await this.runDue()
    for (let next = await this.nextAt(); next !== null && next <= end; next = await this.nextAt()) {
      this.moveTo(next)
      await this.runDue()
    }
    this.moveTo(end)
  }

  moveTo(now: number): void {
    const { clock } = this.#parts
    clock.now = Math.max(clock.now, now)
  }

  async #isDue(): Promise<boolean> {
    const next = await this.nextAt()
    return next !== null && next <= this.#parts.clock.now
  }
}
