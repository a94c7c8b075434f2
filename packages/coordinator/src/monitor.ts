import type { Answer, Logger } from '@release-task/http'
import type { ReleaseId, ReleaseState } from '@release-task/protocol'
import type { Word } from './decision.ts'
import { objectOf, versionOf, wordOf } from './delivery.ts'
import type { Poll } from './poll-store.ts'
import type { TaskService } from './task-service-store.ts'

const SWEEP_MS = 1000 // 1 s

export interface MonitorDependencies {
  readonly dueReleases: () => Promise<{ id: ReleaseId; state: ReleaseState }[]>
  readonly begin: (id: ReleaseId) => Promise<void>
  readonly tick: (id: ReleaseId) => Promise<void>
  readonly claimPolls: (everybody: boolean) => Promise<Poll[]>
  /** `get_status` at the task's service. @throws TransportError */
  readonly ask: (poll: Poll, signal: AbortSignal) => Promise<Answer>
  readonly tellPoll: (poll: Poll, word: Word) => Promise<void>
  readonly answered: (poll: Poll) => Promise<void>
  /** @returns how many polls of the task in a row had no usable answer */
  readonly missed: (poll: Poll) => Promise<number>
  /** The service does not know the task. */
  readonly tellLost: (poll: Poll, reason: string) => Promise<void>
  readonly claimChecks: () => Promise<TaskService[]>
  readonly status: (service: TaskService, signal: AbortSignal) => Promise<Answer>
  readonly countHealth: (id: string, healthy: boolean, version: string | null) => Promise<void>
  readonly pollIntervalMs: number
  readonly log: Logger
}

/** Our own services say which 404 it is; a wrong path, or a process that is no API, knows nothing of the task. */
function isUnknownTask(answer: Answer): boolean {
  const body = objectOf(answer)
  if (!body || answer.status !== 404) return false
  return typeof body['code'] !== 'string' || body['code'] === 'TASK_NOT_FOUND'
}

/**
 * The coordinator's own timers: nothing here waits for somebody to call (F-30). Every piece of work is claimed in
 * the database, so that several instances share it (RC-15).
 */
export class Monitor {
  readonly #deps: MonitorDependencies
  readonly #stopping = new AbortController()
  /** What runs beside the sweeps: questions to services, which may be slow. */
  readonly #beside = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null
  #running: Promise<unknown> = Promise.resolve()
  #busy = false
  #again = false

  constructor(deps: MonitorDependencies) {
    this.#deps = deps
  }

  /** Looks now, and from then on at least every second. */
  nudge(): void {
    if (this.#stopping.signal.aborted) return
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#busy = true
    this.#running = this.#sweep().finally(() => {
      this.#busy = false
      if (this.#stopping.signal.aborted) return
      if (this.#timer) clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.nudge(), this.#again ? 0 : SWEEP_MS)
      this.#again = false
    })
  }

  /** Begins nothing more; questions that are under way are given up. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
    await Promise.all(this.#beside)
  }

  /** Asks every working task now, whenever it would have been asked (CR-27). It does not wait for the answers. */
  pollAll(): void {
    this.#poll(true)
  }

  /** One health check for each service (CR-33). It does not wait for the answers. */
  checkHealth(services: readonly TaskService[]): void {
    this.#besides('health checks', async () => this.#checkAll(services))
  }

  /** Looks at every release whose time has come (CR-22). */
  lookAtReleases(): Promise<void> {
    return this.#safely('look at releases', async () => {
      const due = await this.#deps.dueReleases()
      await Promise.all(
        due.map(({ id, state }) => (state === 'waiting' ? this.#deps.begin(id) : this.#deps.tick(id))),
      )
    })
  }

  async #sweep(): Promise<void> {
    await this.lookAtReleases()
    if (this.#deps.pollIntervalMs > 0) this.#poll(false)
    this.#besides('health checks', async () => this.#checkAll(await this.#deps.claimChecks()))
  }

  #poll(everybody: boolean): void {
    this.#besides('poll', async () => {
      const polls = await this.#deps.claimPolls(everybody)
      await Promise.all(polls.map((poll) => this.#safely('poll', () => this.#askOne(poll))))
    })
  }

  #besides(what: string, work: () => Promise<void>): void {
    if (this.#stopping.signal.aborted) return
    const running = this.#safely(what, work).then(() => void this.#beside.delete(running))
    this.#beside.add(running)
  }

  async #safely(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#deps.log.error({ err: error }, `cannot ${what}; trying again`)
    }
  }

  /** A miss proves nothing, of whatever kind and however often; a service that says "unknown" has answered (RC-16). */
  async #askOne(poll: Poll): Promise<void> {
    const answer = await this.#deps.ask(poll, this.#stopping.signal).catch((error: unknown) => error as Error)
    if (this.#stopping.signal.aborted) return
    if (answer instanceof Error) return this.#miss(poll, answer.message)
    const body = objectOf(answer)
    const text = `answered ${answer.status}: ${answer.text.slice(0, 200)}`
    if (body && answer.status === 200) await this.#deps.tellPoll(poll, wordOf(body))
    // A gateway's page is no word of the service, and must not end a release.
    else if (isUnknownTask(answer)) await this.#deps.tellLost(poll, text)
    else return this.#miss(poll, text)
    await this.#deps.answered(poll)
  }

  async #miss(poll: Poll, why: string): Promise<void> {
    const misses = await this.#deps.missed(poll)
    this.#deps.log.warn({ task_id: poll.taskId, release_id: poll.releaseId, misses }, `poll: ${why}`)
  }

  async #checkAll(services: readonly TaskService[]): Promise<void> {
    await Promise.all(services.map((service) => this.#checkOne(service)))
  }

  async #checkOne(service: TaskService): Promise<void> {
    const { signal } = this.#stopping
    const answer = await this.#deps.status(service, signal).catch(() => null)
    const healthy = answer !== null && answer.status < 400
    if (signal.aborted) return
    if (!healthy) this.#deps.log.warn({ task_service: service.id, url: service.url }, 'health check failed')
    await this.#deps.countHealth(service.id, healthy, healthy ? versionOf(answer) : null)
  }
}
