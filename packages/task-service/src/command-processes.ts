import { readdirSync, readFileSync } from 'node:fs'
import { identityOf, isGone, isOnThisHost } from '@release-task/database'

/** Carries the mark of a run in the environment of everything that the run begins. */
export const RUN_VARIABLE = 'RELEASE_TASK_RUN'

/** How the processes of one run of a program are found again, also by another process than the one that began it. */
export interface RunProcesses {
  /** A random text that no other run has. */
  readonly mark: string
  /** The first process of the run, whose pid names its group; null: it is not known whether it ever began. */
  readonly leader: { readonly pid: number; readonly identity: string | null } | null
}

export const leaderOf = (pid: number) => ({ pid, identity: identityOf(pid) })

interface Seen {
  readonly pid: number
  readonly group: number
  readonly marked: boolean
}

/**
 * Pids of all that lives of a run on this host: its group, and whatever else carries its mark, such as a child that
 * made itself a group of its own. Who has ended and only waits to be noticed does not live.
 * @param began whether this process began the run: then the number of its group is its own for certain. Otherwise the
 * number may have become somebody else's, and counts only while the leader lives or a member carries the mark.
 */
export function membersOf(run: RunProcesses, began: boolean): readonly number[] {
  const { leader } = run
  const seen = lookAround(run.mark, leader?.pid ?? null)
  if (seen === null) return began && leader && isGroupAlive(leader.pid) ? [leader.pid] : []
  const inGroup = (one: Seen) => one.group === leader?.pid
  const isOurs = began || leaderLives(run) || seen.some((one) => one.marked && inGroup(one))
  return seen.filter((one) => one.marked || (isOurs && inGroup(one))).map(({ pid }) => pid)
}

/** Signals everything that lives of a run. @returns whether there was anything */
export function signalAll(run: RunProcesses, began: boolean, signal: NodeJS.Signals): boolean {
  const members = membersOf(run, began)
  for (const pid of members) kill(pid, signal)
  return members.length > 0
}

function leaderLives({ leader }: RunProcesses): boolean {
  const identity = leader?.identity
  return typeof identity === 'string' && isOnThisHost(identity) && !isGone(identity)
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    // It has just ended, or it is another user's: then it can only be waited for.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const isGroupAlive = (group: number) => kill(-group, 0)

/** All processes of a group, and all with a mark; null where the system does not show its processes. */
function lookAround(mark: string, group: number | null): readonly Seen[] | null {
  const pids = pidsOfHost()
  if (pids === null) return null
  return pids.flatMap((pid) => {
    if (pid === process.pid) return []
    const own = groupOf(pid)
    if (own === null) return []
    const marked = read(`/proc/${pid}/environ`).split('\0').includes(`${RUN_VARIABLE}=${mark}`)
    return marked || own === group ? [{ pid, group: own, marked }] : []
  })
}

function pidsOfHost(): number[] | null {
  try {
    return readdirSync('/proc').filter(isNumber).map(Number)
  } catch {
    return null
  }
}

const isNumber = (name: string) => /^\d+$/.test(name)

/** Null: it has ended, even if its parent has not noticed yet. */
function groupOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is the program's name in brackets and may itself hold brackets and spaces.
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' || group === undefined ? null : Number(group)
}

/** Empty where it may not be read, or is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
