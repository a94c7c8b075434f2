import { changeLine, changesBetween, type Change } from './changes.ts'
import type { Desk } from './desk.ts'
import type { Release } from './documents.ts'
import { CommandError } from './errors.ts'
import { looksAt, type Word } from './looks.ts'
import { printable } from './printable.ts'
import { exitCodeOfEnd, isEnd } from './reached.ts'
import { createStatus, type Status } from './terminal.ts'

const LOOK_MS = 1000 // no event tells the progress of a task

/** Where what is seen goes to. */
interface Teller {
  see(release: Release): void
  notice(id: string, at: string, message: string): void
  end(): void
}

/**
 * `releases watch`: tells a release until it ends, over restarts of the coordinator.
 * @returns the exit code of its end
 * @throws CommandError where the coordinator cannot be asked from the first look on
 */
export async function watch({ coordinator: side, json }: Desk, id: string): Promise<number> {
  const teller = tellerOf(json)
  const { signal } = new AbortController()
  const heard = ({ at, type, message }: Word) => teller.notice(id, at, `${type}: ${message}`)
  const outage = createOutage((message) => teller.notice(id, new Date().toISOString(), message))
  let isKnown = false
  try {
    for await (const look of looksAt({ side, id, signal, everyMs: LOOK_MS, leftMs: () => Infinity, heard })) {
      if ('trouble' in look && !isKnown) throw look.trouble
      outage('trouble' in look ? look.trouble : null)
      if (!('release' in look)) continue
      isKnown = true
      teller.see(look.release)
      if (isEnd(look.release.state)) return exitCodeOfEnd(look.release.state)
    }
    return exitCodeOfEnd('')
  } finally {
    teller.end()
  }
}

/** Says once that the coordinator is away, and once that it is back. */
export function createOutage(tell: (message: string) => void): (trouble: CommandError | null) => void {
  let isAway = false
  return (trouble) => {
    if (trouble !== null && !isAway) tell(`${trouble.message}; trying again`)
    if (trouble === null && isAway) tell('the coordinator answers again')
    isAway = trouble !== null
  }
}

function tellerOf(json: boolean): Teller {
  const status = json ? null : createStatus(process.stdout)
  return status === null ? lineTeller(json) : statusTeller(status)
}

function lineTeller(json: boolean): Teller {
  let before: Release | null = null
  const tell = (change: Change) => console.log(json ? JSON.stringify(change) : changeLine(printable(change)))
  return {
    see(release) {
      for (const change of changesBetween(before, release, new Date().toISOString())) tell(change)
      before = release
    },
    notice: (id, at, message) =>
      tell({
        at,
        kind: 'notice',
        id,
        service_name: null,
        state: null,
        progress: null,
        attempt: null,
        message,
        last_error: null,
        summary: null,
      }),
    end: () => undefined,
  }
}

function statusTeller(status: Status): Teller {
  return {
    see: (release) => status.show(release),
    notice: (_, at, message) => status.line(`${at.slice(11, 19)}Z ${printable(message)}`),
    end: () => status.end(),
  }
}
