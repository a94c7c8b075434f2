import type { Side } from '../processes.fixture.ts'
import type { ProcessLine } from './history.ts'

const MOST_STARTS = 20
const RESTART_MS = 300

/** One process of the system, whichever runs there at the moment. What is done to it is done one after the other. */
export class Slot {
  readonly name: string
  readonly #start: (env: Record<string, string>) => Promise<Side>
  readonly #record: (line: ProcessLine) => void
  #side: Side | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    name: string,
    start: (env: Record<string, string>) => Promise<Side>,
    record: (line: ProcessLine) => void,
  ) {
    this.name = name
    this.#start = start
    this.#record = record
  }

  /** null while it is down. */
  get port(): number | null {
    return this.#side && Number(new URL(this.#side.url).port)
  }

  get pid(): number | null {
    return this.#side && this.#side.pid
  }

  start(env: Record<string, string> = {}): Promise<void> {
    return this.#do(async () => {
      if (this.#side) return
      this.#side = await this.#start(env)
      this.#note('started', this.#side.pid)
    })
  }

  /** Ends it, as a crash or as an operator does, and starts it again after a while. */
  restart(signal: 'SIGKILL' | 'SIGTERM', downMs: number, env: Record<string, string>): Promise<void> {
    return this.#do(async () => {
      const side = this.#side
      if (!side) return
      this.#side = null
      this.#note(signal === 'SIGKILL' ? 'killing' : 'terminating', side.pid)
      await side.kill(signal)
      this.#note('ended', side.pid)
      await pause(downMs)
      this.#side = await this.#startAgain(env)
      this.#note('started', this.#side.pid)
    })
  }

  /** Suspends it, as a machine that swaps or a virtual one that is moved. */
  stop(forMs: number): Promise<void> {
    return this.#do(async () => {
      const side = this.#side
      if (!side) return
      this.#note('stopping', side.pid)
      side.process.kill('SIGSTOP')
      await pause(forMs)
      side.process.kill('SIGCONT')
      this.#note('resumed', side.pid)
    })
  }

  /** Takes its way to the database away for a while. */
  cut(line: { pause(): void; resume(): void }, forMs: number): Promise<void> {
    return this.#do(async () => {
      const side = this.#side
      if (!side) return
      this.#note('cutting', side.pid)
      line.pause()
      await pause(forMs)
      line.resume()
      this.#note('restored', side.pid)
    })
  }

  /** What it printed, for whoever looks for the cause. */
  output(): string {
    return this.#side?.output() ?? ''
  }

  /** As whatever supervises a process does: one that does not come up, because its database is away, is started again. */
  async #startAgain(env: Record<string, string>): Promise<Side> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#start(env)
      } catch (error) {
        if (tries === MOST_STARTS) throw error
        await pause(RESTART_MS)
      }
    }
  }

  #note(what: ProcessLine['what'], pid: number): void {
    this.#record({ type: 'process', what, slot: this.name, pid })
  }

  #do(what: () => Promise<void>): Promise<void> {
    const done = this.#last.then(what)
    this.#last = done.catch(() => undefined)
    return done
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
