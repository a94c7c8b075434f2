import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorOfStart, type ProgramEnd } from './command-exit.ts'
import { endRun, endWithProcess } from './command-group.ts'
import { linesOf, type Line } from './command-lines.ts'
import { leaderOf, type RunProcesses } from './command-processes.ts'

/** A text is run by `sh -c`; a list is a program and its arguments, without any shell. */
export type Program = string | readonly string[]

const MOST_NAME_CHARS = 200

/** What a program is called in messages. */
export function nameOf(program: Program): string {
  const text = typeof program === 'string' ? program : program.join(' ')
  return `"${text.length > MOST_NAME_CHARS ? `${text.slice(0, MOST_NAME_CHARS)}…` : text}"`
}

export interface Start {
  readonly program: Program
  readonly env: Record<string, string>
  /** Where it is run. */
  readonly cwd: string
  readonly mark: string
  readonly graceMs: number
  /** Aborts when the run is not wanted any more. */
  readonly signal: AbortSignal
  /** Told once it runs, so that others can find it. */
  readonly began: (run: RunProcesses) => Promise<void>
  /** Every line, in its order, one after the other within a stream. What it throws ends the run. */
  readonly hear: (stream: 'stdout' | 'stderr', line: Line) => Promise<void>
}

/** Where its output stays open after everything of it has ended, for so long without a word it is waited for. */
const SILENCE_MS = 1000

/**
 * Runs a program in a group of its own to its end, and everything that it began with it: what is left when it ends,
 * or when it is not wanted any more, is told to end, and killed after the grace time.
 * @returns how it ended; null where it was told to end before that
 * @throws PermanentError where it does not exist or may not be run; what `began` and `hear` throw
 */
export async function runProgram(start: Start): Promise<ProgramEnd | null> {
  const child = await begin(start)
  const run: RunProcesses = { mark: start.mark, leader: leaderOf(child.pid ?? 0) }
  const watch = endWithProcess(run)
  try {
    return await follow(child, run, start)
  } finally {
    watch.ended()
  }
}

async function begin({ program, env, cwd }: Start): Promise<ChildProcess> {
  const [file = '', ...args] = typeof program === 'string' ? ['/bin/sh', '-c', program] : program
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw errorOfStart(nameOf(program), error)
  }
  return child
}

async function follow(child: ChildProcess, run: RunProcesses, start: Start): Promise<ProgramEnd | null> {
  const failed = new AbortController()
  const fail = (error: unknown) => failed.abort(error)
  const exit = exitOf(child)
  const noted = start.began(run).catch(fail)
  const heard = listen(child, start.hear, fail)
  const stop = AbortSignal.any([start.signal, failed.signal])
  const end = await Promise.race([exit, aborted(stop)])
  // Also after an end of its own accord: its children are part of it.
  await endRun({ run, began: true }, start.graceMs)
  await exit
  await heard.end()
  await noted
  failed.signal.throwIfAborted()
  return end
}

function exitOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null)
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}

/** Hears both outputs; `end` resolves when all of them was heard. */
function listen(child: ChildProcess, hear: Start['hear'], fail: (error: unknown) => void) {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null)
  const state = { words: 0, busy: 0, over: false }
  const all = async (stream: Readable) => {
    for await (const line of linesOf(stream)) {
      state.words++
      state.busy++
      await hear(stream === child.stdout ? 'stdout' : 'stderr', line).finally(() => state.busy--)
    }
  }
  const failing = (error: unknown) => {
    if (!state.over) fail(error)
  }
  const closed = Promise.all(streams.map((stream) => all(stream).catch(failing))).then(() => true)
  const end = async () => {
    // Something that left the group, and took off its mark, may hold the other end of a pipe.
    for (let before = -1; before !== state.words || state.busy > 0;) {
      before = state.words
      if (await Promise.race([closed, sleep(SILENCE_MS, false)])) return
    }
    state.over = true
    streams.forEach((stream) => stream.destroy())
    await closed
  }
  return { end }
}
