import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Backend } from './plan.ts'
import { document } from './document.ts'
import { Results } from './results.ts'
import type { Round } from './round.ts'
import { runRounds } from './run.ts'
import { runTable } from './table.ts'
import { tellRound } from './tell.ts'

const HELP = `npm run faults -- [options]

  --backend sqlite|full   sqlite: one coordinator, files; full: two of each, PostgreSQL, Redis   (sqlite)
  --seed N                seed of the first round; the next round has the next one               (1)
  --rounds N              how many rounds                                                        (10)
  --fresh                 do again what an earlier run has done already
  --stop-at-first         end with the first round that goes wrong
  --document              write docs/faults.md from what was kept, and run nothing
  --results FOLDER        where rounds are kept, so that a run can be taken up again             (.data/faults)
`

export interface Options {
  readonly backend: Backend
  readonly seed: number
  readonly rounds: number
  readonly fresh: boolean
  readonly stopAtFirst: boolean
  readonly document: boolean
  readonly results: string
}

/** @throws Error that names the option that is wrong */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      backend: { type: 'string', default: 'sqlite' },
      seed: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '10' },
      results: { type: 'string', default: join('.data', 'faults') },
      fresh: { type: 'boolean', default: false },
      document: { type: 'boolean', default: false },
      'stop-at-first': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { backend, fresh, results } = values
  if (backend !== 'sqlite' && backend !== 'full') throw new Error('--backend must be sqlite or full')
  const [seed, rounds] = [whole('seed', values.seed, 0), whole('rounds', values.rounds, 1)]
  const { document: isDocument } = values
  return { backend, seed, rounds, fresh, results, document: isDocument, stopAtFirst: values['stop-at-first'] }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`--${name} must be a whole number, ${least} or more`)
}

/** @returns the exit code: 0 where nothing was lost, doubled or wrong; 1 otherwise; 2 for a wrong option */
export async function runMain(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    if (options?.document) return (document(options.results), 0)
    if (options) return await run(options)
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

const SLOW_MS = 15 * 1000 // 15 s

/** What took long broke no promise, and somebody should know why all the same. */
const isWorthKeeping = ({ violations, settledMs }: Round): boolean =>
  violations.length > 0 || settledMs > SLOW_MS

async function run(options: Options): Promise<number> {
  const results = new Results(options)
  await runRounds({
    ...options,
    endsAtSignal: true,
    done: new Set(results.rows.map((row) => row.seed)),
    told: (round) => {
      results.keep(round)
      tellRound(round, options, isWorthKeeping(round) ? results.keepHistory(round) : null)
    },
  })
  process.stdout.write(`\n${runTable(results.rows)}\n`)
  return results.rows.every((row) => row.violations.length === 0) ? 0 : 1
}
