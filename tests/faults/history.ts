// One file, appended to in single writes by the driver and by the task itself: the order of its lines is the order in
// which things happened, whatever any clock says.
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs'

export type Work = 'stage' | 'publish' | 'discard'

/** What the author's code did in the world outside. */
export interface EffectLine {
  readonly type: 'effect'
  /** `public`: its files have become so. `stopped`: it ended without success. */
  readonly edge: 'begin' | 'end' | 'stopped' | 'public'
  readonly work: Work
  readonly service: string
  readonly release: string
  readonly task: string
  readonly attempt: number
  readonly pid: number
  /** Of this run of this attempt, and of nothing else. */
  readonly token: string
}

/** What was done to a process. `killing`, `stopping` and `cutting` (off its database) are written before it happens. */
export interface ProcessLine {
  readonly type: 'process'
  readonly what:
    'started' | 'killing' | 'terminating' | 'ended' | 'stopping' | 'resumed' | 'cutting' | 'restored'
  readonly slot: string
  readonly pid: number
}

/** The thread that renews leases got no time from the machine for so long: as good as suspended. */
export interface StarvedLine {
  readonly type: 'starved'
  readonly pid: number
  readonly ms: number
}

/** What a person asked of the coordinator, before (`code` null) and after its answer. */
export interface PersonLine {
  readonly type: 'person'
  readonly what: 'create' | 'publish' | 'cancel'
  readonly release: string
  readonly code: number | null
  readonly state: string | null
}

/** A release as it was seen from outside. */
export interface SeenLine {
  readonly type: 'seen'
  readonly release: string
  readonly state: string
}

/** One request through a proxy. */
export interface HttpLine {
  readonly type: 'http'
  readonly link: string
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly fate: string
  /** Of what the receiver really said; null where nothing was passed on, or nothing came back. */
  readonly status: number | null
  readonly answer: unknown
}

/** A request that has come to a proxy; its `http` line follows when it is answered. */
export interface RequestLine {
  readonly type: 'request'
  readonly link: string
  readonly path: string
  readonly body: unknown
}

export interface FaultLine {
  readonly type: 'fault'
  readonly what: string
}

export type Line =
  EffectLine | ProcessLine | StarvedLine | PersonLine | SeenLine | HttpLine | RequestLine | FaultLine
/** `at`: epoch ms by a clock that no fault changes. */
export type HistoryLine = Line & { readonly at: number }

/** Not `Date.now()`, which a fault may have set off by minutes. */
export const trueTime = (): number => Math.round(performance.timeOrigin + performance.now())

export function record(file: string, line: Line): void {
  appendFileSync(file, `${JSON.stringify({ at: trueTime(), ...line })}\n`)
}

/** @param from byte that a round begins at */
export function readHistory(file: string, from = 0): HistoryLine[] {
  const lines = readFrom(file, from).toString('utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as HistoryLine)
}

/** Nothing before it: the adversary looks at the last lines of a long file a hundred times a second. */
function readFrom(file: string, from: number): Buffer {
  const fd = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - from))
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from))
  } finally {
    closeSync(fd)
  }
}
