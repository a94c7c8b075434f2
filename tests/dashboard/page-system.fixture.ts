import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { issueToken, startIssuer, type LocalIssuer } from '../../packages/cli/src/dev/local-issuer.ts'
import { System, until, type Side } from '../processes.fixture.ts'

const VITE = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url))
const DASHBOARD = fileURLToPath(new URL('../../apps/dashboard', import.meta.url))
export const TOLD_TASK = fileURLToPath(new URL('told.task.ts', import.meta.url))
const TOLD = 'told-task'

/** Builds the page as it is now into a folder. */
export async function buildPage(folder: string): Promise<string> {
  const args = [VITE, 'build', DASHBOARD, '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']
  // Tests run with another NODE_ENV, and that would be the React of developers.
  const env = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' }
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`The page cannot be built: ${printed}`)
  return folder
}

export type Role = 'viewer' | 'developer' | 'admin'

/** What a told task does with a release. */
export type Order = 'go' | 'hold' | 'fail' | 'stumble'

/**
 * A whole system with the page of today: the real coordinator and task services as processes, and the issuer that
 * `release-task dev` runs.
 */
export class PageSystem {
  readonly system: System
  readonly #issuer: LocalIssuer
  readonly #settings: Record<string, string>
  #coordinator: Side | null = null

  static async start(settings: Record<string, string> = {}): Promise<PageSystem> {
    const system = new System()
    const issuer = await startIssuer(system.folder, 0, ['reference-task', 'report-task', TOLD])
    const made = new PageSystem(system, issuer, settings)
    try {
      await buildPage(made.#page)
      await made.startCoordinator()
      issuer.note(made.url)
      return made
    } catch (error) {
      await made.end()
      throw error
    }
  }

  private constructor(system: System, issuer: LocalIssuer, settings: Record<string, string>) {
    this.system = system
    this.#issuer = issuer
    this.#settings = settings
  }

  get #page(): string {
    return join(this.system.folder, 'page')
  }

  get coordinator(): Side {
    if (!this.#coordinator) throw new Error('The coordinator is not started')
    return this.#coordinator
  }

  get url(): string {
    return this.coordinator.url
  }

  /** A page for a window: who is signed in from the start, and where it may ask besides, which is the issuer. */
  async at(
    path: string,
    role: Role | null,
  ): Promise<{ url: string; token: string | null; origins: string[] }> {
    const token = role === null ? null : await this.token(role)
    return { url: this.url + path, token, origins: [new URL(this.#issuer.url).origin] }
  }

  /** @param port the one that it had before, where it is started again */
  async startCoordinator(port = 0): Promise<void> {
    const env = { ...this.#issuer.environmentOf(null), DASHBOARD_DIR: this.#page, POLL_INTERVAL: '1s' }
    this.#coordinator = await this.system.coordinator(port, { ...env, ...this.#settings })
  }

  /** A task service as a process; it is not registered. */
  startTask(name: string, file?: string, env: Record<string, string> = {}): Promise<Side> {
    const all = { ...this.#issuer.environmentOf(name), SWEEP_INTERVAL: '100ms', ...env }
    return this.system.task(this.url, 0, all, file)
  }

  /** A task that does with every release what it is told. */
  async startTold(): Promise<Side> {
    this.tell('go')
    return this.startTask(TOLD, TOLD_TASK, { TOLD_FILE: this.#toldFile })
  }

  get #toldFile(): string {
    return join(this.system.folder, 'told')
  }

  tell(order: Order): void {
    writeFileSync(this.#toldFile, order)
  }

  token(role: Role): Promise<string> {
    return issueToken(this.system.folder, { role, receiver: 'coordinator' })
  }

  /** One request of an admin. @throws where it is refused */
  async ask(method: string, path: string, body?: object): Promise<any> {
    const headers = {
      authorization: `Bearer ${await this.token('admin')}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    }
    const answer = await fetch(this.url + path, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  /** Registers a service. @returns its id */
  async register(name: string, { url }: Side): Promise<string> {
    const body = { name, description: `${name} of the tests`, author: 'test', url }
    return (await this.ask('POST', '/task-services', body)).kf_id
  }

  /** Lets these services and no others take part in the next release. */
  async takePart(...ids: readonly string[]): Promise<void> {
    const { results } = await this.ask('GET', '/task-services?limit=1000')
    for (const { kf_id, enabled } of results) {
      if (enabled !== ids.includes(kf_id))
        await this.ask('PATCH', `/task-services/${kf_id}`, { enabled: !enabled })
    }
  }

  /** A release over all studies. @returns its id */
  async issue(name: string, more: object = {}): Promise<string> {
    const { results } = await this.ask('GET', '/studies?limit=100')
    const studies = results.map((study: { kf_id: string }) => study.kf_id)
    return (await this.ask('POST', '/releases', { name, studies, ...more })).kf_id
  }

  async reaches(release: string, ...states: readonly string[]): Promise<any> {
    return until(
      () => this.ask('GET', `/releases/${release}`),
      ({ state }) => states.includes(state),
    )
  }

  async end(): Promise<void> {
    await this.system.end()
    await this.#issuer.close()
  }
}
