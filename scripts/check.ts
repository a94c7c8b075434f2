// Everything that must hold, in one command: `npm test`. Each step says how long it took; the first that fails
// shows what it printed and ends the run. `--only lint,types` runs some of them.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const node = process.execPath

interface Step {
  readonly name: string
  readonly args: readonly string[]
  /** Shown while it runs, not only when it fails: it takes long. */
  readonly live?: boolean
}

const STEPS: readonly Step[] = [
  { name: 'format', args: ['node_modules/prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn'] },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--type-aware'] },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  {
    name: 'page-types',
    args: ['node_modules/typescript/bin/tsc', '-p', 'apps/dashboard/tsconfig.json'],
  },
  { name: 'imports', args: ['scripts/check-imports.ts'] },
  { name: 'generated', args: ['--conditions=development', 'scripts/generate.ts', '--check'] },
  { name: 'tests', args: ['node_modules/vitest/vitest.mjs', 'run'], live: true },
]

function chosen(): readonly Step[] {
  const at = process.argv.indexOf('--only')
  if (at < 0) return STEPS
  const names = (process.argv[at + 1] ?? '').split(',')
  return STEPS.filter((step) => names.includes(step.name))
}

async function run(step: Step): Promise<boolean> {
  const startedAt = performance.now()
  const child = spawn(node, step.args, {
    cwd: root,
    stdio: ['ignore', step.live ? 'inherit' : 'pipe', step.live ? 'inherit' : 'pipe'],
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)`)
  if (code !== 0 && !step.live) console.log(output)
  return code === 0
}

for (const step of chosen()) {
  if (!(await run(step))) process.exit(1)
}
