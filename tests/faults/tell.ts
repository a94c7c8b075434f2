// What a run says of each round: a line on a terminal, JSON in a pipe; all that is needed to find the cause, where one
// went wrong.
import { describeFault, type Backend } from './plan.ts'
import type { Round } from './round.ts'
import { rowOf } from './table.ts'

const MOST_LINES = 60

/** @param history file that the whole history was kept in; null: there was no need to */
export function tellRound(round: Round, { backend }: { backend: Backend }, history: string | null): void {
  const { isTTY } = process.stdout
  if (!isTTY) process.stdout.write(`${JSON.stringify(rowOf(round))}\n`)
  else process.stdout.write(`${oneLine(round)}\n`)
  if (history === null) return
  if (round.violations.length > 0) process.stderr.write(`${whatWentWrong(round, backend, history)}\n`)
  else process.stderr.write(`Seed ${round.plan.seed} took long: ${history}\n`)
}

function oneLine({ plan, ms, settledMs, ends, violations }: Round): string {
  const states = ends.map((end) => end.state).join(' ')
  const verdict = violations.length === 0 ? 'ok' : `${violations.length} WRONG`
  const seconds = (value: number) => `${(value / 1000).toFixed(1)} s`
  const facts = [`${plan.faults.length} faults`, seconds(ms), `settled after ${seconds(settledMs)}`, states]
  return `seed ${plan.seed}: ${verdict}, ${facts.join(', ')}`
}

function whatWentWrong({ plan, violations, history }: Round, backend: Backend, file: string): string {
  const wrong = violations.map(({ kind, about, what }) => `  ${kind}: ${about}: ${what}`)
  const faults = plan.faults.map((fault) => `  ${fault.atMs} ms: ${describeFault(fault)}`)
  const about = new Set(violations.flatMap((one) => one.about.match(/\b(TA|RE)_\w{8}\b/g) ?? []))
  const lines = history
    .map((line) => JSON.stringify(line))
    .filter((line) => line.includes('"process"') || [...about].some((id) => line.includes(id)))
  return [
    `Seed ${plan.seed} went wrong:`,
    ...wrong,
    'What was done:',
    ...faults,
    `The last lines about it (all are in ${file}):`,
    ...lines.slice(-MOST_LINES).map((line) => `  ${line.slice(0, 400)}`),
    `Run it again: npm run faults -- --backend ${backend} --seed ${plan.seed} --rounds 1`,
  ].join('\n')
}
