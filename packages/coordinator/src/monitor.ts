import type { Answer, Logger } from '@release-task/http'
import type { ReleaseId, ReleaseState, TaskId } from '@release-task/protocol'
import type { Word } from './decision.ts'
import { objectOf, wordOf } from './delivery.ts'
import type { TaskService } from './task-service-store.ts'

const SWEEP_MS = 1000 // 1 s

export interface Poll {
  readonly taskId: TaskId
  readonly releaseId: ReleaseId
  /** The database's clock when the question was decided on. */
  readonly now: number
}

export interface MonitorDependencies {
  readonly dueReleases: () => Promise<{ id: ReleaseId; state: ReleaseState }[]>
  readonly begin: (id: ReleaseId) => Promise<void>
  readonly tick: (id: ReleaseId) => Promise<void>
  readonly claimPolls: (everybody: boolean) => Promise<Poll[]>
  /** `get_status` at the task's service. @throws TransportError */
  readonly ask: (poll: Poll) => Promise<Answer>
  readonly tellPoll: (poll: Poll, word: Word) => Promise<void>
  /** The service does not know the task. */
  readonly tellLost: (poll: Poll, reason: string) => Promise<void>
  readonly claimChecks: () => Promise<TaskService[]>
  readonly status: (service: TaskService) => Promise<Answer>
  readonly countHealth: (id: string, healthy: boolean) => Promise<void>
  readonly pollIntervalMs: number
  readonly log: Logger
}

/**
 * The coordinator's own timers: nothing here waits for somebody to call (F-30). Every piece of work is claimed in
 * the database, so that several instances share it (RC-15).
 */
export class Monitor {
  readonly #deps: MonitorDependencies
  #timer: NodeJS.Timeout | null = null
  #running: Promise<unknown> = Promise.resolve()
  #busy = false
  #again = false
  #stopped = false

  constructor(deps: MonitorDependencies) {
    this.#deps = deps
  }

  /** Looks now, and from then on at least every second. */
  nudge(): void {
    if (this.#stopped) return
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#busy = true
    this.#running = this.#sweep().finally(() => {
      this.#busy = false
      if (this.#stopped) return
      if (this.#timer) clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.nudge(), this.#again ? 0 : SWEEP_MS)
      this.#again = false
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
  }

  /** Asks every working task now, whenever it would have been asked (CR-27). */
  async pollAll(): Promise<void> {
    await this.#safely('poll', async () => this.#askAll(await this.#deps.claimPolls(true)))
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

  /** One health check for each service (CR-33). */
  async checkHealth(services: readonly TaskService[]): Promise<void> {
    await this.#safely(
      'health checks',
      async () => void (await Promise.all(services.map((one) => this.#checkOne(one)))),
    )
  }

  async #sweep(): Promise<void> {
    await this.lookAtReleases()
    // Questions to slow services run beside the next sweep; each is claimed, so none is asked twice.
    void this.#safely('poll', async () => {
      if (this.#deps.pollIntervalMs > 0) await this.#askAll(await this.#deps.claimPolls(false))
    })
    void this.#safely('health checks', async () => this.checkHealth(await this.#deps.claimChecks()))
  }

  async #safely(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#stopped) this.#deps.log.error({ err: error }, `cannot ${what}; trying again`)
    }
  }

  async #askAll(polls: readonly Poll[]): Promise<void> {
    await Promise.all(polls.map((poll) => this.#askOne(poll)))
  }

  /** Trouble at a poll warns and proves nothing; a service that says "unknown" has lost the task (RC-16). */
  async #askOne(poll: Poll): Promise<void> {
    const about = { task_id: poll.taskId, release_id: poll.releaseId }
    const answer = await this.#deps.ask(poll).catch((error: unknown) => error as Error)
    if (answer instanceof Error) return this.#deps.log.warn(about, `poll got no answer: ${answer.message}`)
    if (answer.status === 404) return this.#deps.tellLost(poll, `answered 404: ${answer.text.slice(0, 200)}`)
    const body = answer.status === 200 ? objectOf(answer) : null
    if (!body) return this.#deps.log.warn(about, `poll answered ${answer.status}`)
    await this.#deps.tellPoll(poll, wordOf(body))
  }

  async #checkOne(service: TaskService): Promise<void> {
    const healthy = await this.#deps.status(service).then(
      (answer) => answer.status < 400,
      () => false,
    )
    if (!healthy) this.#deps.log.warn({ task_service: service.id, url: service.url }, 'health check failed')
    await this.#deps.countHealth(service.id, healthy)
  }
}
