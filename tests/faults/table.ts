// What a run came to, as a table for people.
import { KINDS, type Violation } from './judge.ts'
import type { Round } from './round.ts'

/** One round, as it is kept. */
export interface Row {
  readonly seed: number
  readonly ms: number
  readonly settledMs: number
  /** How often each thing was done: faults by their type, and what became of requests by their fate. */
  readonly done: { readonly [what: string]: number }
  readonly ends: { readonly [state: string]: number }
  /** Attempts that the author's code was run in. */
  readonly attempts: number
  readonly violations: readonly Violation[]
}

export function rowOf({ plan, ms, settledMs, ends, history, violations }: Round): Row {
  const done = count([
    ...plan.faults.filter(({ type }) => type !== 'network').map((fault) => nameOf(fault)),
    ...history.flatMap((line) => (line.type === 'http' && line.fate !== 'pass' ? [fateOf(line.fate)] : [])),
  ])
  const attempts = history.filter((line) => line.type === 'effect' && line.edge === 'begin').length
  const states = count(ends.map((end) => end.state))
  return {
    seed: plan.seed,
    ms: Math.round(ms),
    settledMs: Math.round(settledMs),
    done,
    ends: states,
    attempts,
    violations,
  }
}

function nameOf(fault: Round['plan']['faults'][number]): string {
  if (fault.type === 'postgres_restart') return `${fault.type} ${fault.how}`
  const where = 'slot' in fault ? ` ${fault.slot.replace(/-\d$/, '')}` : ''
  const skew = fault.type === 'kill' && fault.skewMs !== 0 ? ', clock off by 5 min afterwards' : ''
  return `${fault.type}${where}${skew}`
}

/** Without its milliseconds. */
const fateOf = (fate: string): string => `request: ${fate.replace(/^(delay|arrive_late|double) .*/, '$1')}`

function count(names: readonly string[]): { [name: string]: number } {
  const counts: { [name: string]: number } = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

export function sumOf(counts: readonly { readonly [name: string]: number }[]): [string, number][] {
  const sums = new Map<string, number>()
  for (const one of counts)
    for (const [name, value] of Object.entries(one)) sums.set(name, (sums.get(name) ?? 0) + value)
  return [...sums].toSorted(([a], [b]) => a.localeCompare(b))
}

/** The table of a whole run: what was done to it, and what was lost. */
export function runTable(rows: readonly Row[]): string {
  const seconds = rows.reduce((sum, row) => sum + row.ms, 0) / 1000
  const attempts = rows.reduce((sum, row) => sum + row.attempts, 0)
  const ends = sumOf(rows.map((row) => row.ends))
  const settled = rows.map((row) => row.settledMs).toSorted((a, b) => a - b)
  const at = (share: number) => ((settled[Math.floor(share * (settled.length - 1))] ?? 0) / 1000).toFixed(1)
  return [
    ...table(
      ['Rounds', String(rows.length)],
      [
        ['time', `${(seconds / 60).toFixed(1)} min`],
        ['releases', ends.map(([state, number]) => `${number} ${state}`).join(', ')],
        ['attempts of the author’s code', String(attempts)],
        ['from the last fault to the end of everything', `median ${at(0.5)} s, longest ${at(1)} s`],
      ],
    ),
    '',
    ...table(
      ['Done to it', 'times'],
      sumOf(rows.map((row) => row.done)).map(([name, times]) => [name, String(times)]),
    ),
    '',
    ...table(
      ['Broken promise', 'times'],
      KINDS.map((kind) => [kind, String(broken(rows, kind))]),
    ),
  ].join('\n')
}

function broken(rows: readonly Row[], kind: string): number {
  return rows.flatMap((row) => row.violations).filter((violation) => violation.kind === kind).length
}

function table(head: readonly [string, string], rows: readonly (readonly string[])[]): string[] {
  return [`| ${head.join(' | ')} |`, '|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)]
}
