import type { Line } from './command-lines.ts'
import type { TaskLog } from './define.ts'

const MOST_LOGGED_CHARS = 2000
const KEPT_LINES = 50

type Stream = 'stdout' | 'stderr'

/** What a program writes that is no word to the service: lines of the log, and the last ones for its error. */
export class ProgramLog {
  readonly #log: TaskLog
  readonly #secrets: readonly string[]
  readonly #last: string[] = []

  /** @param secrets texts that must appear nowhere, such as the token that the program was given */
  constructor(log: TaskLog, secrets: readonly (string | null)[]) {
    this.#log = log
    this.#secrets = secrets.filter((secret) => secret !== null && secret !== '') as string[]
  }

  /** The line without any secret; to be called before anything else is done with it. */
  told({ text, cut }: Line): string {
    const longest = Math.max(0, ...this.#secrets.map((secret) => secret.length))
    // Where the line was cut, its end may be the beginning of a secret.
    const whole = cut ? text.slice(0, Math.max(0, text.length - longest)) : text
    return this.#secrets.reduce((told, secret) => told.replaceAll(secret, '[token]'), whole)
  }

  /** A line for the log, cut where it is long. */
  line(stream: Stream, told: string): void {
    if (told.trim() === '') return
    const more = told.length - MOST_LOGGED_CHARS
    const shown = more > 0 ? `${told.slice(0, MOST_LOGGED_CHARS)}… (${more} characters more)` : told
    this.#log.info(shown, { stream })
    this.#last.push(shown)
    if (this.#last.length > KEPT_LINES) this.#last.shift()
  }

  /** The last lines of the log, oldest first. */
  last(): readonly string[] {
    return this.#last
  }
}
