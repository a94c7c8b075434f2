import { isGone } from '@release-task/database'
import type { Answer, Logger } from '@release-task/http'
import type { CoordinatorShows } from './decision.ts'
import { shownBy } from './delivery.ts'
import { Repeated } from './repeated.ts'
import type { DueTask } from './store.ts'

const TOMBSTONE_AGE_MS = 30 * 24 * 60 * 60 * 1000 // 30 d (WK-19)
const TIDY_INTERVAL_MS = 60 * 60 * 1000 // 1 h

export interface SweeperDependencies {
  /** A page of due tasks after the last of the page before; an empty one is the end. */
  readonly due: (after: DueTask | null) => Promise<DueTask[]>
  readonly checksDue: () => Promise<string[]>
  readonly deleteTombstones: (ageMs: number) => Promise<void>
  readonly deleteHistory: () => Promise<void>
  /** Does the work here, as soon as there is a place for it. */
  readonly offer: (id: string) => void
  /** Reads a task at the coordinator. */
  readonly read: (taskId: string) => Promise<Answer>
  readonly tell: (taskId: string, shows: CoordinatorShows) => Promise<void>
  readonly intervalMs: number
  readonly log: Logger
}

/**
 * Finds work that nobody was woken for, whatever became of the wake-up (WK-7), asks the coordinator about tasks that
 * it may have forgotten (WK-20), and removes old tombstones (WK-19) and what is kept for a time only. Each on its own: a coordinator that does not
 * answer must not keep work waiting.
 */
export class Sweeper {
  readonly #deps: SweeperDependencies
  readonly #loops: readonly Repeated[]
  #stopped = false

  constructor(deps: SweeperDependencies) {
    this.#deps = deps
    const { intervalMs } = deps
    const failed = (error: unknown) =>
      deps.log.error({ err: error }, 'sweep failed; the next one tries again')
    this.#loops = [
      new Repeated({ run: () => this.wakeDue(), intervalMs, failed }),
      new Repeated({ run: () => this.checkForgotten(), intervalMs, failed }),
      new Repeated({
        run: () => deps.deleteTombstones(TOMBSTONE_AGE_MS),
        intervalMs: TIDY_INTERVAL_MS,
        failed,
      }),
      new Repeated({ run: () => deps.deleteHistory(), intervalMs: TIDY_INTERVAL_MS, failed }),
    ]
  }

  /** The first sweep at once: it takes up what the last process left. */
  start(): void {
    for (const loop of this.#loops) loop.start()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops.map((loop) => loop.stop()))
  }

  /** Takes up all work that is due and that no living process holds. */
  async wakeDue(): Promise<void> {
    let page = await this.#deps.due(null)
    while (page.length > 0 && !this.#stopped) {
      for (const task of page) if (isFree(task)) this.#deps.offer(task.id)
      page = await this.#deps.due(page.at(-1) ?? null)
    }
  }

  /** Asks about the tasks whose question is due, until one gets no clear answer. */
  async checkForgotten(): Promise<void> {
    for (const id of await this.#deps.checksDue()) {
      const answer = await this.#deps.read(id).catch(() => null)
      if (this.#stopped) return
      const shows = answer ? shownBy(answer) : 'unclear'
      await this.#deps.tell(id, shows)
      // Most likely nothing clear would be said of the next one either; its turn comes with the next sweep.
      if (shows === 'unclear') return
    }
  }
}

function isFree({ leaseOwner, leaseExpired }: DueTask): boolean {
  return leaseOwner === null || leaseExpired || isGone(leaseOwner)
}
