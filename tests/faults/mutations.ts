// npm run faults:mutations: proves that the suite would find what it looks for. In a copy of the sources one protection
// at a time is taken out, and the suite runs there until it finds something wrong.
import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Backend } from './plan.ts'
import type { Row } from './table.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ROUNDS = 20

interface Mutation {
  readonly name: string
  readonly backend: Backend
  readonly seed: number
  /** Exact texts and what takes their place; each must be there once. */
  readonly patches: readonly (readonly [file: string, before: string, after: string])[]
}

const service = 'packages/task-service/src'
const coordinator = 'packages/coordinator/src'
const AGAIN = `function again(row: OutboxRow, error: string, { random }: Chance, atLeastMs: number | null = null): Step {
`

/** What polling repairs is looked for without it. */
const NOBODY_POLLS = ['tests/faults/plan.ts', '% 2 === 1', '% 2 === 2'] as const

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a claim does not look whether somebody holds a lease',
    backend: 'full',
    seed: 1000,
    patches: [
      [
        `${service}/decide-claim.ts`,
        'if (lease && lease.expiresAt > now &&',
        'if (lease && lease.expiresAt < 0 &&',
      ],
    ],
  },
  {
    name: 'words of a fenced attempt are believed',
    backend: 'sqlite',
    seed: 1000,
    patches: [
      [
        `${service}/decide-worker.ts`,
        'if (!record.lease || command.attempt !== record.attempt) return late',
        'if (!record.lease) return late',
      ],
    ],
  },
  {
    name: 'leases are not renewed',
    backend: 'sqlite',
    seed: 1000,
    patches: [
      [
        `${service}/lease-database.ts`,
        "if ((await database.commit([{ query: renew, values, expect: 1 }])) === 'conflict') return 'lost'",
        "if (values.lease_ms < 0 || renew === null) return 'lost'",
      ],
    ],
  },
  {
    name: 'a fenced attempt may make things public',
    backend: 'full',
    seed: 1000,
    patches: [[`${service}/perform.ts`, 'if (!current || signal.aborted)', 'if (current === null)']],
  },
  {
    name: 'a task is written without comparing its revision',
    backend: 'full',
    seed: 1000,
    patches: [[`${service}/queries.ts`, "    .where('revision', '=', parameter('was'))\n", '']],
  },
  {
    name: 'a release is written without comparing its revision',
    backend: 'full',
    seed: 1000,
    patches: [[`${coordinator}/release-queries.ts`, "        .where('revision', '=', parameter('was'))", '']],
  },
  {
    name: 'a report is sent once',
    backend: 'sqlite',
    seed: 1000,
    patches: [
      NOBODY_POLLS,
      [`${service}/delivery.ts`, AGAIN, `${AGAIN}  if (random >= 0) return { kind: 'done' }\n`],
    ],
  },
  {
    name: 'an action is sent once',
    backend: 'sqlite',
    seed: 1000,
    patches: [
      [
        `${coordinator}/delivery.ts`,
        "  if (now + delayMs < row.deadlineAt) return { kind: 'again', delayMs, askFirst, error }\n",
        "  if (now + delayMs < row.deadlineAt) return { kind: 'again', delayMs: 3_600_000, askFirst, error }\n",
      ],
    ],
  },
  {
    name: 'a report is not read back',
    backend: 'sqlite',
    seed: 1000,
    patches: [
      NOBODY_POLLS,
      [
        `${service}/delivery.ts`,
        "return row.state === null ? { kind: 'done' } : confirm(row, 0)",
        "return { kind: 'done' }",
      ],
    ],
  },
  {
    name: 'nothing sweeps for due work',
    backend: 'sqlite',
    seed: 1000,
    patches: [
      [
        `${service}/sweeper.ts`,
        'let page = await this.#deps.due(null)',
        'let page = (await this.#deps.due(null)).slice(0, 0)',
      ],
    ],
  },
]

/** The sources without one protection. The packages of others are linked, not copied. */
function mutatedCopy({ patches }: Mutation): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'))
  for (const name of ['packages', 'tests']) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'))
  linkModules(copy)
  for (const [file, before, after] of patches) {
    const text = readFileSync(join(copy, file), 'utf8')
    if (text.split(before).length !== 2) throw new Error(`${file} does not have this once: ${before}`)
    writeFileSync(
      join(copy, file),
      text.replace(before, () => after),
    )
  }
  return copy
}

function linkModules(copy: string): void {
  const own = '@release-task'
  mkdirSync(join(copy, 'node_modules', own), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== own) symlinkSync(join(ROOT, 'node_modules', name), join(copy, 'node_modules', name))
  for (const name of readdirSync(join(ROOT, 'node_modules', own)))
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', own, name))
}

/** @returns the rounds that were run, the last of them with what was found */
async function runMutation(mutation: Mutation, seed: number): Promise<Row[]> {
  const copy = mutatedCopy(mutation)
  try {
    const results = join(copy, 'results')
    const options = { seed, rounds: ROUNDS, backend: mutation.backend, results }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
    const main = join(copy, 'tests', 'faults', 'main.ts')
    await runToEnd(['--conditions=development', main, ...args, '--stop-at-first'])
    const lines = readFileSync(join(results, `${mutation.backend}.jsonl`), 'utf8')
      .trim()
      .split('\n')
    return lines.map((line) => JSON.parse(line) as Row)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function runToEnd(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0 && code !== 1) throw new Error(`the suite ended with ${code}: ${printed}`)
}

/** What became of one mutation. */
export interface Found {
  readonly name: string
  readonly backend: Backend
  readonly seed: number
  readonly rounds: number
  /** Empty: it was not noticed. */
  readonly kinds: readonly string[]
}

/** @returns how many of them were not noticed */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      seed: { type: 'string' },
      results: { type: 'string', default: join('.data', 'faults') },
    },
  })
  const all: Found[] = []
  for (const mutation of MUTATIONS.filter(({ name }) => name.includes(values.only))) {
    const { name, backend } = mutation
    const seed = Number(values.seed ?? mutation.seed)
    const rows = await runMutation(mutation, seed)
    const kinds = [...new Set((rows.at(-1)?.violations ?? []).map(({ kind }) => kind))]
    all.push({ name, backend, seed, rounds: rows.length, kinds })
    const verdict = kinds.length > 0 ? `found in round ${rows.length}` : `NOT FOUND in ${rows.length} rounds`
    process.stdout.write(`${name} (${backend}): ${verdict}${kinds.map((kind) => `, ${kind}`).join('')}\n`)
  }
  mkdirSync(values.results, { recursive: true })
  if (values.only === '') writeFileSync(join(values.results, 'mutations.json'), JSON.stringify(all, null, 2))
  return all.filter(({ kinds }) => kinds.length === 0).length
}

if (import.meta.main) process.exitCode = (await main()) === 0 ? 0 : 1
