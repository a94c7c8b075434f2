// Packs what `npm run build` compiled, as it would be published: `npm run pack -- FOLDER`. Each package is checked by
// publint in the form that leaves this place.
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { packagesInOrder, type Package } from './build.ts'

type Exports = Record<string, Record<string, string>>
interface Manifest {
  readonly files: readonly string[]
  readonly exports: Exports
  readonly [field: string]: unknown
}

/** The folder of a package without what is for this workspace alone. */
function stage({ folder }: Package, to: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const staged = join(to, folder.split('/').at(-1) ?? '')
  mkdirSync(staged, { recursive: true })
  for (const name of manifest.files) {
    if (!existsSync(join(folder, name))) throw new Error(`${folder} has no ${name}: npm run build`)
    cpSync(join(folder, name), join(staged, name), { recursive: true })
  }
  const exports = published(manifest.exports)
  writeFileSync(join(staged, 'package.json'), `${JSON.stringify({ ...manifest, exports }, null, 2)}\n`)
  cpSync(join(folder, '..', '..', 'LICENSE'), join(staged, 'LICENSE'))
  return staged
}

/** Tools that set the condition `development` would look for sources that are not there. */
function published(all: Exports): Exports {
  const kept = Object.entries(all).filter(([, targets]) => targets['default'] !== undefined)
  return Object.fromEntries(
    kept.map(([path, targets]) => {
      const { development: _, ...others } = targets
      return [path, others]
    }),
  )
}

async function check(staged: string): Promise<void> {
  const { messages, pkg } = await publint({ pkgDir: staged, strict: true })
  const told = messages
    .filter(({ type }) => type !== 'suggestion')
    .map((one) => formatMessage(one, pkg ?? {}))
  if (told.length > 0) throw new Error(`${staged}:\n${told.join('\n')}`)
}

async function npmPack(staged: string, to: string): Promise<void> {
  const child = spawn('npm', ['pack', '--silent', '--pack-destination', to], {
    cwd: staged,
    stdio: 'inherit',
  })
  const code = await new Promise<number | null>((done) => child.once('close', done))
  if (code !== 0) throw new Error(`npm pack of ${staged} ended with ${code}`)
}

/** Packs all of them into a folder. */
export async function pack(to: string): Promise<void> {
  mkdirSync(to, { recursive: true })
  const staging = mkdtempSync(join(tmpdir(), 'pack-'))
  try {
    for (const one of packagesInOrder()) {
      const staged = stage(one, staging)
      await check(staged)
      await npmPack(staged, to)
    }
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

if (import.meta.main) await pack(resolve(process.argv[2] ?? 'dist'))
