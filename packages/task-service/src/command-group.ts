import { setTimeout as sleep } from 'node:timers/promises'
import { membersOf, signalAll, type RunProcesses } from './command-processes.ts'
import { TaskServiceError } from './errors.ts'

/** Even a process that is killed may need a while: it is inside a system call, or its memory is large. */
const KILLED_WITHIN_MS = 10 * 1000 // 10 s
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 200

/** A run of a program, and whether this process began it. */
export interface EndingRun {
  readonly run: RunProcesses
  readonly began: boolean
}

/**
 * Ends everything that lives of a run: SIGTERM, and after the grace time SIGKILL to what is left, whether or not its
 * leader is still among it. Resolves once nothing of it lives; at once where nothing did.
 * @throws TaskServiceError PROGRAM_STILL_RUNS where something survives even that
 */
export async function endRun(ending: EndingRun, graceMs: number): Promise<void> {
  if (!signalAll(ending.run, ending.began, 'SIGTERM')) return
  if (await endsWithin(ending, graceMs, () => undefined)) return
  // What is killed may just have begun another: until nothing is left.
  const killAll = () => void signalAll(ending.run, ending.began, 'SIGKILL')
  if (await endsWithin(ending, KILLED_WITHIN_MS, killAll)) return
  const pids = membersOf(ending.run, ending.began).join(', ')
  throw new TaskServiceError(
    'PROGRAM_STILL_RUNS',
    `Processes ${pids} of a program do not end: end them by hand`,
  )
}

async function endsWithin({ run, began }: EndingRun, ms: number, again: () => void): Promise<boolean> {
  const end = performance.now() + ms
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)) {
    again()
    if (membersOf(run, began).length === 0) return true
    const left = end - performance.now()
    if (left <= 0) return false
    await sleep(Math.min(pause, left))
  }
}

/** Runs that this process began and that have not ended. */
const running = new Set<RunProcesses>()
let watched = false

/** Whatever ends this process in an orderly way, or by a mistake in our code, ends the run too: with SIGKILL, at once. */
export function endWithProcess(run: RunProcesses): { readonly ended: () => void } {
  if (!watched) process.on('exit', () => running.forEach((one) => signalAll(one, true, 'SIGKILL')))
  watched = true
  running.add(run)
  return { ended: () => void running.delete(run) }
}
