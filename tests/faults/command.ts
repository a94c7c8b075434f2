import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Backend } from './plan.ts'
import type { Round } from './round.ts'
import { runRounds } from './run.ts'
import { rowOf, runTable, type Row } from './table.ts'
import { tellRound } from './tell.ts'

const HELP = `npm run faults -- [options]

  --backend sqlite|full   sqlite: one coordinator, files; full: two of each, PostgreSQL, Redis   (sqlite)
  --seed N                seed of the first round; the next round has the next one               (1)
  --rounds N              how many rounds                                                        (10)
  --fresh                 do again what an earlier run has done already
  --stop-at-first         end with the first round that goes wrong
  --results FOLDER        where rounds are kept, so that a run can be taken up again             (.data/faults)
`

export interface Options {
  readonly backend: Backend
  readonly seed: number
  readonly rounds: number
  readonly fresh: boolean
  readonly stopAtFirst: boolean
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
      'stop-at-first': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { backend, fresh, results } = values
  if (backend !== 'sqlite' && backend !== 'full') throw new Error('--backend must be sqlite or full')
  const [seed, rounds] = [whole('seed', values.seed, 0), whole('rounds', values.rounds, 1)]
  return { backend, seed, rounds, fresh, results, stopAtFirst: values['stop-at-first'] }
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
    if (options) return await run(options)
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

async function run(options: Options): Promise<number> {
  const results = new Results(options)
  await runRounds({
    ...options,
    done: new Set(results.rows.map((row) => row.seed)),
    told: (round) => {
      results.keep(round)
      tellRound(round, options, (round.violations.length > 0 && results.keepHistory(round)) || null)
    },
  })
  process.stdout.write(`\n${runTable(results.rows)}\n`)
  return results.rows.every((row) => row.violations.length === 0) ? 0 : 1
}

/** What each round came to, kept at once: a run that is broken off goes on where it was. */
class Results {
  readonly #options: Options
  readonly rows: Row[]

  constructor(options: Options) {
    this.#options = options
    mkdirSync(dirname(this.#file), { recursive: true })
    if (options.fresh) rmSync(this.#file, { force: true })
    this.rows = this.#read().filter((row) => this.#isAsked(row))
  }

  keep(round: Round): void {
    const row = rowOf(round)
    this.rows.push(row)
    appendFileSync(this.#file, `${JSON.stringify(row)}\n`)
  }

  /** @returns the file that the history of a round that went wrong is in */
  keepHistory({ plan, history }: Round): string {
    const file = join(this.#options.results, `${this.#options.backend}-${plan.seed}.history.jsonl`)
    writeFileSync(file, history.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return file
  }

  get #file(): string {
    return join(this.#options.results, `${this.#options.backend}.jsonl`)
  }

  /** A round that went wrong is done again. */
  #isAsked({ seed, violations }: Row): boolean {
    const first = this.#options.seed
    return violations.length === 0 && seed >= first && seed < first + this.#options.rounds
  }

  #read(): Row[] {
    if (!existsSync(this.#file)) return []
    const lines = readFileSync(this.#file, 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row)
  }
}
