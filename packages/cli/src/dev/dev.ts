import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isAuthOff, terminalName } from '../config.ts'
import { explain } from '../explain.ts'
import { loadTask } from '../load-task.ts'
import { onStopSignal } from '../run-until-signal.ts'
import { Child, SAVED } from './child.ts'
import { CoordinatorApi, isOver, type ReleaseShown } from './coordinator-api.ts'
import { openKeys } from './keys.ts'
import { startIssuer, type LocalIssuer } from './local-issuer.ts'
import { showPage, tellPage } from './page.ts'
import { createScreen, type Screen } from './screen.ts'
import { Session } from './session.ts'
import { watchSources } from './source-watch.ts'

export interface DevOptions {
  readonly files: readonly string[]
  readonly once: boolean
  readonly new: boolean
  readonly data: string
  readonly coordinatorPort: number
  readonly issuerPort: number
  readonly taskPort: number
  /** Folder of the sources of the page; without it there is none. */
  readonly dashboard?: string
  readonly version: string
}

/**
 * A whole release system on one machine: a coordinator and the task services, each a process of its own, and
 * releases from start to published.
 * @returns the exit code
 */
export async function runDev(options: DevOptions): Promise<number> {
  const screen = createScreen(process.stdout, terminalName())
  const keys = openKeys(process.stdin, screen.live)
  const stop = new AbortController()
  const stopped = new Promise<number>((resolve) => onStopSignal(() => resolve(options.once ? 130 : 0)))
  const children: Child[] = []
  const system = new DevSystem({ ...options, stop: stop.signal }, screen, children)
  const work = system
    .start()
    .then(async (release) =>
      new Session({
        ...options,
        screen,
        keys,
        api: system.api,
        services: system.services,
        stop: stop.signal,
      }).run(release),
    )
    .catch((error: unknown) => fail(screen, error))
  const code = await Promise.race([work, stopped])
  stop.abort()
  keys.close()
  if (children.length > 0 && screen.live) screen.line('stopping')
  await Promise.all(children.map((child) => child.stop()))
  await system.close()
  return code
}

function fail(screen: Screen, error: unknown): number {
  screen.settle()
  console.error(explain(error, { side: 'dev', underDev: true }))
  return 1
}

interface SystemOptions extends DevOptions {
  readonly stop: AbortSignal
}

/** The processes of a run and the release to begin with. */
class DevSystem {
  readonly services = new Map<string, Child>()
  readonly #options: SystemOptions
  readonly #screen: Screen
  readonly #children: Child[]
  #api: CoordinatorApi | null = null
  #issuer: LocalIssuer | null = null
  /** Settled once the page is built, or is not. */
  #page: Promise<void> = Promise.resolve()

  constructor(options: SystemOptions, screen: Screen, children: Child[]) {
    this.#options = options
    this.#screen = screen
    this.#children = children
  }

  get api(): CoordinatorApi {
    if (!this.#api) throw new Error('The coordinator is not started')
    return this.#api
  }

  async start(): Promise<ReleaseShown> {
    const { files, data, version, coordinatorPort, issuerPort, taskPort } = this.#options
    const isNew = !existsSync(join(data, 'coordinator.db'))
    mkdirSync(data, { recursive: true })
    const tasks = await Promise.all(files.map(loadTask))
    const names = tasks.map((task) => task.name)
    this.#issuer = isAuthOff() ? null : await startIssuer(data, issuerPort, names)
    const coordinator = this.#child('coordinator', ['coordinator', '--port', String(coordinatorPort)])
    await coordinator.start()
    this.#api = new CoordinatorApi(coordinator.url, async () => (await this.#issuer?.adminToken()) ?? null)
    this.#issuer?.note(coordinator.url)
    const { count, newest } = await this.api.releases()
    this.#screen.line(`release-task ${version} · ${data} (${isNew ? 'new' : history(count, newest)})`)
    this.#screen.line(`coordinator ${coordinator.url} pid ${coordinator.pid}`)
    this.#sayWhoMayCall()
    this.#page = this.#showPage(coordinator.url)
    for (const [index, { name }] of tasks.entries()) {
      const port = taskPort === 0 ? 0 : taskPort + index
      const args = ['serve', files[index] ?? '', '--port', String(port), '--coordinator', coordinator.url]
      this.services.set(name, this.#child(name, args))
      this.#reloadOnSave(name, files[index] ?? '')
    }
    await Promise.all([...this.services.values()].map((service) => service.start()))
    for (const [name, service] of this.services) {
      this.#screen.line(
        `${name} ${service.url} pid ${service.pid}, ${await this.api.register(name, service.url)}`,
      )
    }
    return this.#first(count, newest)
  }

  async close(): Promise<void> {
    await this.#page
    await this.#issuer?.close()
  }

  /** Beside everything else: no release waits for it. A run that ends with its release has nobody who looks. */
  async #showPage(url: string): Promise<void> {
    const { dashboard: folder, once, stop } = this.#options
    const say = (line: string) => this.#screen.line(line)
    if (once) return
    if (folder !== undefined) await showPage({ folder, url, stop, say })
    else await tellPage({ url, stop, say })
  }

  /** Who runs one release to its end and goes changes nothing meanwhile. */
  #reloadOnSave(name: string, file: string): void {
    const { once, stop } = this.#options
    if (!once) watchSources(file, () => this.services.get(name)?.reload(), stop)
  }

  #sayWhoMayCall(): void {
    const issuer = this.#issuer
    const how = 'npx release-task token --role admin'
    this.#screen.line(issuer ? `issuer ${issuer.url} · ${how}` : 'AUTH=off: nothing checks who calls')
  }

  /** Takes up the release that is under way, or issues the first; never another one unasked. */
  async #first(count: number, newest: ReleaseShown | null): Promise<ReleaseShown> {
    if (newest && !this.#options.new) return newest
    const release = await this.api.issue(`Release ${count + 1}`)
    this.#screen.line(`issued ${release.kf_id} "${release.name}" over ${release.studies.length} studies`)
    return release
  }

  #child(name: string, args: readonly string[]): Child {
    const { data, files, dashboard } = this.#options
    const isCoordinator = name === 'coordinator'
    const page = isCoordinator && dashboard !== undefined ? { DASHBOARD_DIR: resolve(dashboard, 'dist') } : {}
    const child = new Child({
      name,
      task: files.length > 1 ? name : null,
      args: [...args, '--data', data],
      settings: { ...this.#issuer?.environmentOf(isCoordinator ? null : name), ...page },
      logFile: join(data, 'logs', `${name}.log`),
      restarted: (how, pid) =>
        this.#screen.line(`${name} ${startedAgain(how)} as pid ${pid}, it goes on where it was`),
      refused: (line) => this.#screen.line(`${name} not started again: ${line}`),
    })
    this.#children.push(child)
    return child
  }
}

function startedAgain(how: string): string {
  return how === SAVED ? 'was saved; started again' : `ended by ${how}; started again`
}

function history(count: number, newest: ReleaseShown | null): string {
  const releases = `${count} release${count === 1 ? '' : 's'}`
  return newest && !isOver(newest) ? `${releases}, resuming ${newest.kf_id}` : releases
}
