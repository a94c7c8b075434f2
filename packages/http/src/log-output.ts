import { write, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const BUSY_MS = 20
const MOST_BUSY_TRIES = 50 // 1 s for a reader that takes nothing, and then the process ends without it

const NOTHING = Buffer.alloc(0)

/** The reader takes nothing at present. */
const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY')

/**
 * Lines of a log on their way out. Writing never waits for a slow reader, and a reader that is gone ends the log and
 * nothing else: whoever read the lines of a service must not take it along, nor keep it from stopping. (pino's own
 * output tries to write what is left to a broken pipe for ever, and the process never ends.)
 */
export class LogOutput {
  readonly #fd: number
  #lines: string[] = []
  /** What is tried again in a moment. */
  #rest: Buffer = NOTHING
  #isWriting = false
  #isBroken = false

  constructor(fd: number) {
    this.#fd = fd
  }

  write(line: string): void {
    if (this.#isBroken) return
    this.#lines.push(line)
    if (!this.#isWriting) void this.#writeAll()
  }

  /** Writes what is left, for a process that ends: there will be no later. */
  flushSync(): void {
    const rest = Buffer.concat([this.#rest, this.#take()])
    for (let at = 0, busy = 0; at < rest.length && !this.#isBroken;)
      try {
        at += writeSync(this.#fd, rest, at)
      } catch (error) {
        if (!isBusy(error) || ++busy > MOST_BUSY_TRIES) this.#break()
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS)
      }
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#lines.length > 0) await this.#writeWhole(this.#take())
    this.#isWriting = false
  }

  async #writeWhole(text: Buffer): Promise<void> {
    for (let at = 0; at < text.length && !this.#isBroken;)
      try {
        at += await this.#writeSome(text, at)
      } catch (error) {
        if (!isBusy(error)) return this.#break()
        this.#rest = text.subarray(at)
        await sleep(BUSY_MS)
        this.#rest = NOTHING
      }
  }

  #writeSome(text: Buffer, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, text, at, (error, written) => (error ? reject(error) : resolve(written)))
    })
  }

  #take(): Buffer {
    const lines = this.#lines
    this.#lines = []
    return Buffer.from(lines.join(''))
  }

  #break(): void {
    this.#isBroken = true
    this.#lines = []
  }
}

let output: LogOutput | null = null

/** The one way out of this process to its standard output. */
export function standardOutput(): LogOutput {
  if (output) return output
  const created = new LogOutput(1)
  process.on('exit', () => created.flushSync())
  output = created
  return created
}
