import type { Redis } from 'ioredis'

const BEAT_MS = 1000 // 1 s
const ANSWER_LIMIT_MS = 1000 // 1 s

/** Finds out that a connection stands and yet nobody answers, which TCP tells only after many minutes. */
export class Heartbeat {
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #silent: (connection: Redis) => void
  #stopped = false

  /** @param silent is told of a connection that stands without an answer, just before it is made anew */
  constructor(silent: (connection: Redis) => void) {
    this.#silent = silent
  }

  watch(connection: Redis): void {
    this.#later(BEAT_MS, () => this.#beat(connection))
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #beat(connection: Redis): void {
    // One that is not ready is being made anew already, and a ping would wait in it.
    if (connection.status !== 'ready') return this.watch(connection)
    const limit = this.#later(ANSWER_LIMIT_MS, () => {
      this.#silent(connection)
      connection.disconnect(true)
      this.watch(connection)
    })
    const answered = () => {
      if (!this.#timers.delete(limit)) return
      clearTimeout(limit)
      this.watch(connection)
    }
    // A refusal is an answer too.
    void connection.ping().then(answered, answered)
  }

  #later(ms: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    timer.unref()
    if (this.#stopped) clearTimeout(timer)
    else this.#timers.add(timer)
    return timer
  }
}
