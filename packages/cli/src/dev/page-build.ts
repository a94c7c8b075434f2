import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { setPriority } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { passedOn } from '../config.ts'
import { digestOf } from './page-sources.ts'

/** Beside the build: of which sources it is. Its name begins with a dot, so that nobody is sent it. */
const STAMP = '.sources'
const LEAST_PRIORITY = 10
const MOST_REASON = 400

/**
 * Builds the page into `dist` of its folder with its own vite, in a process of its own: a release that runs meanwhile
 * comes first. Nobody sees half of it: it is made elsewhere and renamed.
 * @throws Error with the reason, in one line
 */
export async function buildPage(folder: string, stop: AbortSignal): Promise<'current' | 'built'> {
  const root = resolve(folder)
  const digest = await digestOf(root)
  const dist = join(root, 'dist')
  if ((await readFile(join(dist, STAMP), 'utf8').catch(() => null)) === digest) return 'current'
  // On the same file system, and where nobody looks for sources.
  const drafts = join(root, 'node_modules')
  const draft = join(drafts, `.page-${process.pid}`)
  await mkdir(drafts, { recursive: true })
  try {
    await runVite(root, draft, stop)
    await writeFile(join(draft, STAMP), digest)
    await replace(dist, draft)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return 'built'
}

/** A folder cannot be renamed over another one: for a moment there is none, which the coordinator knows. */
async function replace(dist: string, draft: string): Promise<void> {
  const old = `${draft}-old`
  await rename(dist, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(draft, dist)
  await rm(old, { recursive: true, force: true })
}

async function runVite(root: string, draft: string, signal: AbortSignal): Promise<void> {
  const args = [await viteOf(root), 'build', root, '--outDir', draft, '--emptyOutDir', '--logLevel', 'warn']
  const child = spawn(process.execPath, args, {
    cwd: root,
    // Whatever this process runs as: what is served must not hold the development code of its libraries.
    env: { ...passedOn(), NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  yieldToOthers(child)
  let printed = ''
  const keep = (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-100_000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  if (code !== 0) throw new Error(reasonOf(printed) || `vite ended with code ${code}`)
}

function yieldToOthers({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, LEAST_PRIORITY)
  } catch {
    // It has ended already, or nobody may: then it is not slower than the others.
  }
}

/** The vite that the page itself names: it is no part of this package. */
async function viteOf(root: string): Promise<string> {
  const found = packageOf('vite', root)
  if (found === null) throw new Error('vite is not installed')
  const { bin } = JSON.parse(await readFile(found, 'utf8')) as { bin: { vite: string } }
  return join(dirname(found), bin.vite)
}

/** The `package.json` of a package as a folder sees it; null where it sees none. */
function packageOf(name: string, root: string): string | null {
  try {
    return findPackageJSON(name, pathToFileURL(join(root, 'package.json'))) ?? null
  } catch {
    return null
  }
}

/** What vite says of its end, in one line. */
function reasonOf(printed: string): string {
  const text = stripVTControlCharacters(printed)
  const error = /error during build:\s*([\s\S]*)/i.exec(text)?.[1] ?? text
  const lines = error.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
  return lines
    .map((line) => line.trim())
    .join(' ')
    .slice(0, MOST_REASON)
}
