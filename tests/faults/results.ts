import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from './plan.ts'
import type { Round } from './round.ts'
import { rowOf, type Row } from './table.ts'

const fileOf = (folder: string, backend: Backend): string => join(folder, `${backend}.jsonl`)

/** Every round that was kept; of one seed the last. */
export function readRows(folder: string, backend: Backend): Row[] {
  const file = fileOf(folder, backend)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  const rows = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row)
  return [...new Map(rows.map((row) => [row.seed, row])).values()]
}

export interface Asked {
  readonly backend: Backend
  readonly seed: number
  readonly rounds: number
  readonly fresh: boolean
  readonly results: string
}

/** What each round came to, kept at once: a run that is broken off goes on where it was. */
export class Results {
  readonly #asked: Asked
  readonly rows: Row[]

  constructor(asked: Asked) {
    this.#asked = asked
    mkdirSync(asked.results, { recursive: true })
    if (asked.fresh) rmSync(this.#file, { force: true })
    this.rows = readRows(asked.results, asked.backend).filter((row) => this.#isDone(row))
  }

  keep(round: Round): void {
    const row = rowOf(round)
    this.rows.push(row)
    appendFileSync(this.#file, `${JSON.stringify(row)}\n`)
  }

  /** @returns the file that the history of a round that went wrong, or took long, is in */
  keepHistory({ plan, history }: Round): string {
    const file = join(this.#asked.results, `${this.#asked.backend}-${plan.seed}.history.jsonl`)
    writeFileSync(file, history.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return file
  }

  get #file(): string {
    return fileOf(this.#asked.results, this.#asked.backend)
  }

  /** A round that went wrong is done again. */
  #isDone({ seed, violations }: Row): boolean {
    const { seed: first, rounds } = this.#asked
    return violations.length === 0 && seed >= first && seed < first + rounds
  }
}
