import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../packages/cli/bin/release-task.js', import.meta.url))
export const REFERENCE_TASK = fileURLToPath(new URL('../apps/reference-task/src/task.ts', import.meta.url))

/** A process of the system under test. */
export interface Side {
  readonly url: string
  readonly pid: number
  readonly process: ChildProcess
  /** Everything that it printed so far. */
  output(): string
  /** Ends it and waits until it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder and the processes of one test; everything is gone afterwards. */
export class System {
  readonly folder = mkdtempSync(join(tmpdir(), 'release-'))
  readonly #sides: Side[] = []

  /** Starts `release-task …` and waits until it listens. Its output is in the error if it does not. */
  async start(args: readonly string[], env: Record<string, string> = {}): Promise<Side> {
    const child = this.#spawn(args, env, ['ignore', 'pipe', 'pipe', 'ipc'])
    const printed = collect(child)
    const url = await new Promise<string>((resolve, reject) => {
      child.on('message', (message: { type: string; url?: string }) => message.url && resolve(message.url))
      child.once('exit', (code) =>
        reject(new Error(`${args.join(' ')} ended with ${code}: ${printed.all()}`)),
      )
    })
    const side = this.#side(child, url, printed.all)
    this.#sides.push(side)
    return side
  }

  /** Starts `release-task …` that tells nobody when it listens. */
  spawn(args: readonly string[], env: Record<string, string> = {}): Side {
    const child = this.#spawn(args, env, ['ignore', 'pipe', 'pipe'])
    const side = this.#side(child, '', collect(child).all)
    this.#sides.push(side)
    return side
  }

  /** Runs `release-task …` to its end. */
  async run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const child = this.#spawn(args, env, ['ignore', 'pipe', 'pipe'])
    const printed = collect(child)
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, stdout: printed.out(), stderr: printed.err() }
  }

  coordinator(port = 0, env: Record<string, string> = {}): Promise<Side> {
    return this.start(['coordinator', '--port', String(port), '--data', this.folder], env)
  }

  task(
    coordinatorUrl: string,
    port = 0,
    env: Record<string, string> = {},
    file = REFERENCE_TASK,
  ): Promise<Side> {
    const args = [
      'serve',
      file,
      '--port',
      String(port),
      '--coordinator',
      coordinatorUrl,
      '--data',
      this.folder,
    ]
    return this.start(args, env)
  }

  get releaseFolder(): string {
    return join(this.folder, 'reference-task', 'release')
  }

  async end(): Promise<void> {
    await Promise.all(this.#sides.map((side) => side.kill('SIGKILL')))
    rmSync(this.folder, { recursive: true, force: true })
  }

  #side(child: ChildProcess, url: string, output: () => string): Side {
    const kill = async (signal: NodeJS.Signals) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await gone
    }
    return { url, pid: child.pid ?? 0, process: child, output, kill }
  }

  #spawn(args: readonly string[], env: Record<string, string>, stdio: StdioOptions): ChildProcess {
    // Away from the repository, so that nothing there is touched, and without settings of whoever runs the tests.
    const clean = { PATH: process.env['PATH'] ?? '', HOME: this.folder, NO_COLOR: '1', ...env }
    // With the condition set already, the process does not replace itself, and keeps the channel to its parent.
    return spawn(process.execPath, ['--conditions=development', BIN, ...args], {
      cwd: this.folder,
      env: clean,
      stdio,
    })
  }
}

function collect(child: ChildProcess) {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return { out: () => out, err: () => err, all: () => out + err }
}

/** One request, as `curl` would send it. */
export async function call(method: string, url: string, body?: object): Promise<{ code: number; body: any }> {
  const init = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}
  const response = await fetch(url, { method, ...init })
  const text = await response.text()
  return { code: response.status, body: text === '' ? null : JSON.parse(text) }
}

/** Looks until it is as wanted, and gives what was seen; the last look is in the error. */
export async function until<T>(
  look: () => Promise<T>,
  wanted: (seen: T) => boolean,
  forMs = 60_000,
  everyMs = 5,
): Promise<T> {
  const end = performance.now() + forMs
  let last: unknown
  while (performance.now() < end) {
    try {
      const seen = await look()
      last = seen
      if (wanted(seen)) return seen
    } catch (error) {
      last = error // a process that is just being started again
    }
    await sleep(everyMs)
  }
  throw new Error(
    `it never came to be; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  )
}

/** Registers a service and issues a release over all studies. @returns the address of the release */
export async function issue(coordinatorUrl: string, ...serviceUrls: string[]): Promise<string> {
  for (const url of serviceUrls) {
    const registered = await call('POST', `${coordinatorUrl}/task-services`, {
      name: 'reference-task',
      description: 'a task service under test',
      author: 'test',
      url,
    })
    if (registered.code !== 201) throw new Error(JSON.stringify(registered.body))
  }
  const studies = await call('GET', `${coordinatorUrl}/studies`)
  const ids = studies.body.results.map((study: { kf_id: string }) => study.kf_id)
  const release = await call('POST', `${coordinatorUrl}/releases`, { name: 'A release', studies: ids })
  if (release.code !== 201) throw new Error(JSON.stringify(release.body))
  return `${coordinatorUrl}/releases/${release.body.kf_id}`
}

export const releaseState = async (releaseUrl: string): Promise<string> =>
  (await call('GET', releaseUrl)).body.state

/** Every published file against the manifest, recomputed here. */
export function checkPublished(releaseFolder: string): { studies: number; rows: number; files: string[] } {
  const latest = join(releaseFolder, 'public', 'latest')
  const manifest = JSON.parse(readFileSync(join(latest, 'manifest.json'), 'utf8'))
  for (const file of manifest.files) {
    const bytes = readFileSync(join(latest, file.path))
    const rows = bytes.toString('utf8').split('\n').length - 1
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const found = { rows, bytes: bytes.length, sha256 }
    const said = { rows: file.rows, bytes: file.bytes, sha256: file.sha256 }
    if (JSON.stringify(found) !== JSON.stringify(said))
      throw new Error(`${file.path}: manifest ${JSON.stringify(said)}, file ${JSON.stringify(found)}`)
  }
  const rows = manifest.files.reduce((sum: number, file: { rows: number }) => sum + file.rows, 0)
  return { studies: manifest.studies.length, rows, files: filesBelow(join(releaseFolder, 'public')) }
}

/** Every file below a folder, links not followed. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesBelow(path)
      return entry.isFile() ? [path] : []
    })
    .toSorted()
}
