import { fork, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../config.ts'
import { CliError } from '../errors.ts'

const BIN = fileURLToPath(new URL('../../bin/release-task.js', import.meta.url))
const RESTART_MS = 500
/** Why it was started again, where somebody saved its sources. */
export const SAVED = 'a save'
const KILL_AFTER_MS = 28 * 1000 // 28 s: longer than the grace that a service gives its work

export interface ChildOptions {
  readonly name: string
  readonly args: readonly string[]
  /** The task's name where it shares RELEASE_DIR with other tasks; null: it has all of it. */
  readonly task: string | null
  /** Before those of the environment. */
  readonly settings: Readonly<Record<string, string>>
  readonly logFile: string
  /** It ended unasked and was started again. */
  readonly restarted: (how: string, pid: number) => void
  /** What was saved cannot be started; what is saved next is tried again. */
  readonly refused: (line: string) => void
}

type Message = { type: 'listening'; url: string } | { type: 'failed'; line: string }

/** The child said itself why it ended, and what to type next. */
export class ChildError extends Error {
  override readonly name = 'ChildError'
  readonly code = 'CHILD_FAILED'
}

function endedEarly(name: string, logFile: string): CliError {
  return new CliError('CHILD_FAILED', `The ${name} ended before it was ready`, `tail ${logFile}`)
}

/** One side of a release as a process of its own, kept alive until it is stopped. */
export class Child {
  readonly #options: ChildOptions
  #process: ChildProcess | null = null
  #stopped = false
  #isReloading = false
  #url = ''

  constructor(options: ChildOptions) {
    this.#options = options
  }

  get url(): string {
    return this.#url
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Resolves when it listens. @throws CliError with what the process said of its end */
  async start(): Promise<void> {
    const { args, logFile } = this.#options
    mkdirSync(dirname(logFile), { recursive: true })
    const log = createWriteStream(logFile, { flags: 'a' })
    const execArgv = process.execArgv
    const child = fork(BIN, args, {
      execArgv,
      env: childEnvironment(this.#options.task, this.#options.settings),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#process = child
    child.stdout?.pipe(log, { end: false })
    child.stderr?.pipe(log, { end: false })
    await this.#listening(child)
    child.on('exit', (code, signal) => void this.#ended(signal ?? `code ${code}`))
  }

  /** kill -9: what a crash is. It is started again. */
  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  /** Its sources were saved: it stops in good order, gives back what it works on, and goes on with the new code. */
  reload(): void {
    if (this.#stopped) return
    this.#isReloading = true
    const child = this.#process
    if (child && child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    // What was saved before could not be started.
    else void this.#startSaved()
  }

  /** Tells it to stop, and ends it where it does not. */
  async stop(): Promise<void> {
    this.#stopped = true
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
    child.kill('SIGTERM')
    await ended
    clearTimeout(timer)
  }

  #listening(child: ChildProcess): Promise<void> {
    const { name, logFile } = this.#options
    return new Promise((resolve, reject) => {
      let why: string | null = null
      child.on('message', (message: Message) => {
        if (message.type === 'failed') why = message.line
        else {
          this.#url = message.url
          resolve()
        }
      })
      child.once('exit', () => reject(why === null ? endedEarly(name, logFile) : new ChildError(why)))
    })
  }

  async #ended(how: string): Promise<void> {
    if (this.#stopped) return
    if (this.#isReloading) return this.#startSaved()
    await new Promise((resolve) => setTimeout(resolve, RESTART_MS))
    if (this.#stopped) return
    try {
      await this.start()
      this.#options.restarted(how, this.pid)
    } catch {
      await this.#ended('an error at start')
    }
  }

  async #startSaved(): Promise<void> {
    this.#isReloading = false
    try {
      await this.start()
      this.#options.restarted(SAVED, this.pid)
    } catch (error) {
      this.#options.refused(error instanceof Error ? error.message : String(error))
    }
  }
}
