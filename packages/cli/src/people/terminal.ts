import { createInterface } from 'node:readline/promises'
import { terminalName } from './config.ts'
import { Rates } from '../dev/rate.ts'
import { rateKey } from '../dev/render.ts'
import { createScreen } from '../dev/screen.ts'
import { changeLine, changesBetween } from './changes.ts'
import type { Release } from './documents.ts'
import { CommandError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { printable } from './printable.ts'

const REDRAW_MS = 1000 // the time runs on although nothing changes

/** How a release is shown while somebody waits for it. */
export interface Status {
  show(release: Release): void
  /** A line that stays, above the block. */
  line(text: string): void
  /** The block stays as it is, and what is printed next comes below. */
  end(): void
}

/** A block that is redrawn in its place. Null where nothing can be: a pipe, or a terminal that cannot move its cursor. */
export function createStatus(out: NodeJS.WriteStream): Status | null {
  const screen = createScreen(out, terminalName())
  if (!screen.live) return null
  const rates = new Rates()
  const startedAt = performance.now()
  let release: Release | null = null
  const draw = () => {
    if (release === null) return
    const elapsedMs = performance.now() - startedAt
    screen.show({ release, rates, elapsedMs, publishInMs: null })
  }
  const timer = setInterval(draw, REDRAW_MS)
  timer.unref()
  return {
    show(seen) {
      release = printable(seen)
      for (const task of release.tasks) {
        rates.see(rateKey(task), task.progress, performance.now())
        rates.seeMessage(rateKey(task), task.message ?? '', performance.now())
      }
      draw()
    },
    line: (text) => screen.line(text),
    end() {
      clearInterval(timer)
      screen.settle()
    },
  }
}

/** For a terminal that cannot move its cursor: a line for each change. Null in a pipe, where nobody looks. */
export function createLines(out: NodeJS.WriteStream): Status | null {
  if (!out.isTTY) return null
  let before: Release | null = null
  const line = (text: string) => void out.write(`${text}\n`)
  return {
    show(release) {
      const changes = changesBetween(before, release, new Date().toISOString())
      for (const change of changes) line(changeLine(printable(change)))
      before = release
    },
    line,
    end: () => undefined,
  }
}

/** Somebody sits there who can be asked. */
export const isAttended = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** @throws CommandError CONFIRMATION_MISSING where nobody can be asked: before anything is asked of the coordinator */
export function needsYes(yes: boolean, command: string): void {
  if (yes || isAttended()) return
  throw new CommandError(
    'CONFIRMATION_MISSING',
    `${command} cannot be undone, and nobody can be asked here`,
    `${command} --yes`,
  )
}

/** Shows what is about to happen and asks. @throws CommandError DECLINED for every answer but `yes` and `y` */
export async function confirm(lines: readonly string[], question: string, command: string): Promise<void> {
  // The answer of a command goes to stdout, and this is none.
  process.stderr.write(`${lines.join('\n')}\n`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const answer = await Promise.race([terminal.question(`${question} (yes/no) `), closed])
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('DECLINED', 'Nothing was done', command)
}

/** Ctrl-C ends at once, whatever is under way; who reads no more ends us quietly, as it ends every program. */
export function obeyTerminal(): void {
  process.on('SIGINT', () => process.exit(EXIT.interrupted))
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(141)
  })
}
