// Compiles what is published, by plain tsc, in the order of who needs whom: `npm run build`. Nothing in the workspace
// runs on the result; the sources do.
import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPage } from '../packages/cli/src/dev/page-build.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const OWN = '@release-task/'

export interface Package {
  readonly folder: string
  readonly name: string
  readonly needs: readonly string[]
}

/** The packages that are published, those first that others need. */
export function packagesInOrder(): Package[] {
  const found = readdirSync(join(root, 'packages'))
    .map(read)
    .filter((one) => one !== null)
  const ordered: Package[] = []
  const add = (one: Package): void => {
    if (ordered.includes(one)) return
    for (const name of one.needs) {
      const needed = found.find((other) => other.name === name)
      if (!needed) throw new Error(`${one.name} needs ${name}, which is not published`)
      add(needed)
    }
    ordered.push(one)
  }
  found.forEach(add)
  return ordered
}

/** Null: it stays here. */
function read(folder: string): Package | null {
  const path = join(root, 'packages', folder)
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
    name: string
    private?: boolean
    dependencies?: Record<string, string>
  }
  if (manifest.private) return null
  const needs = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith(OWN))
  return { folder: path, name: manifest.name, needs }
}

/** Tests and what only they use are not published; what is under `testing` is, where a package exports it. */
const LEFT_OUT = ['src/**/*.test.ts', 'src/**/*.contract.ts', 'src/**/*.fixture.ts']

function settingsFor({ folder }: Package): string {
  const exported = readFileSync(join(folder, 'package.json'), 'utf8').includes('./dist/testing/')
  return JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: {
      noEmit: false,
      rootDir: 'src',
      outDir: 'dist',
      declaration: true,
      rewriteRelativeImportExtensions: true,
      // The other packages as they are published, not their sources.
      customConditions: [],
    },
    include: ['src'],
    exclude: [...LEFT_OUT, ...(exported ? [] : ['src/testing/**'])],
  })
}

async function build(one: Package): Promise<void> {
  const settings = join(one.folder, 'tsconfig.build.json')
  rmSync(join(one.folder, 'dist'), { recursive: true, force: true })
  writeFileSync(settings, settingsFor(one))
  try {
    await tsc(settings)
  } finally {
    rmSync(settings)
  }
}

async function tsc(settings: string): Promise<void> {
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '-p', settings]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${settings} does not compile`)
}

/** The page goes with the package that serves it, as what vite makes of it. */
async function addPage(): Promise<void> {
  const page = join(root, 'apps/dashboard')
  await buildPage(page, new AbortController().signal)
  const to = join(root, 'packages/coordinator/dist/dashboard')
  cpSync(join(page, 'dist'), to, { recursive: true, filter: (path) => !basename(path).startsWith('.') })
}

if (import.meta.main) {
  for (const one of packagesInOrder()) {
    await build(one)
    console.log(`built ${one.name}`)
  }
  await addPage()
  console.log('built the dashboard')
}
