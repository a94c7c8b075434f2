import { isGone } from '@release-task/database'
import type { Answer, Logger } from '@release-task/http'
import type { CoordinatorTaskState } from '@release-task/protocol'
import { shownBy } from './delivery.ts'
import type { DueTask } from './store.ts'

const TOMBSTONE_AGE_MS = 30 * 24 * 60 * 60 * 1000 // 30 d

export interface SweeperDependencies {
  readonly due: () => Promise<DueTask[]>
  readonly checksDue: () => Promise<string[]>
  readonly deleteTombstones: (ageMs: number) => Promise<void>
  readonly wake: (id: string) => void
  /** Reads a task at the coordinator. */
  readonly read: (taskId: string) => Promise<Answer>
  readonly tell: (taskId: string, state: CoordinatorTaskState | 'missing' | null) => Promise<void>
  readonly intervalMs: number
  readonly log: Logger
}

/**
 * Finds work that nobody was woken for, whatever became of the wake-up, and asks the coordinator about tasks that
 * it may have forgotten (WK-7, WK-20).
 */
export class Sweeper {
  readonly #deps: SweeperDependencies
  #timer: NodeJS.Timeout | null = null
  #sweeping: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(deps: SweeperDependencies) {
    this.#deps = deps
  }

  /** The first sweep at once: it takes up what the last process left. */
  start(): void {
    this.#sweeping = this.sweep().finally(() => {
      if (this.#stopped) return
      this.#timer = setTimeout(() => this.start(), this.#deps.intervalMs)
      this.#timer.unref()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#sweeping
  }

  /** One sweep; errors are logged, the next one tries again. */
  async sweep(): Promise<void> {
    try {
      for (const task of await this.#deps.due()) if (isFree(task)) this.#deps.wake(task.id)
      await this.#deps.deleteTombstones(TOMBSTONE_AGE_MS)
      await this.#checkForgotten()
    } catch (error) {
      this.#deps.log.error({ err: error }, 'sweep failed; the next one tries again')
    }
  }

  async #checkForgotten(): Promise<void> {
    for (const id of await this.#deps.checksDue()) {
      const answer = await this.#deps.read(id).catch(() => null)
      const shown = answer ? shownBy(answer) : 'unclear'
      // Without a clear answer nothing is known of this task, and most likely nothing would be of the next.
      if (shown === 'unclear' || this.#stopped) return
      await this.#deps.tell(id, shown === 'missing' ? 'missing' : shown.state)
    }
  }
}

function isFree({ leaseOwner, leaseExpired }: DueTask): boolean {
  return leaseOwner === null || leaseExpired || isGone(leaseOwner)
}
