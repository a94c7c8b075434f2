import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { explain } from '../explain.ts'
import { loadTask } from '../load-task.ts'
import { onStopSignal } from '../run-until-signal.ts'
import { Child } from './child.ts'
import { CoordinatorApi, isOver, type ReleaseShown } from './coordinator-api.ts'
import { createScreen, type Screen } from './screen.ts'

const LOOK_MS = 100

export interface DevOptions {
  readonly files: readonly string[]
  readonly once: boolean
  readonly new: boolean
  readonly data: string
  readonly coordinatorPort: number
  readonly taskPort: number
  readonly version: string
}

interface Run {
  readonly options: DevOptions
  readonly screen: Screen
  readonly api: CoordinatorApi
  readonly names: readonly string[]
  readonly stop: AbortSignal
}

/**
 * A whole release system on one machine: a coordinator and the task services, each a process of its own, and one
 * release from start to published.
 * @returns the exit code
 */
export async function runDev(options: DevOptions): Promise<number> {
  const screen = createScreen(process.stdout)
  const stop = new AbortController()
  const stopped = new Promise<number>((resolve) => onStopSignal(() => resolve(options.once ? 130 : 0)))
  const children: Child[] = []
  const work = run(options, screen, stop.signal, children).catch((error: unknown) => fail(error))
  const code = await Promise.race([work, stopped])
  stop.abort()
  await Promise.all(children.map((child) => child.stop()))
  return code
}

function fail(error: unknown): number {
  console.error(explain(error, { side: 'dev', underDev: true }))
  return 1
}

async function run(
  options: DevOptions,
  screen: Screen,
  stop: AbortSignal,
  children: Child[],
): Promise<number> {
  const isNew = !existsSync(join(options.data, 'coordinator.db'))
  mkdirSync(options.data, { recursive: true })
  screen.line(
    `release-task ${options.version} · data in ${options.data} (${isNew ? 'new' : 'kept from before'})`,
  )
  const names: string[] = []
  for (const file of options.files) names.push((await loadTask(file)).name)
  const coordinator = newChild(options, screen, 'coordinator', [
    'coordinator',
    '--port',
    String(options.coordinatorPort),
  ])
  children.push(coordinator)
  await coordinator.start()
  screen.line(`coordinator ${coordinator.url} (pid ${coordinator.pid})`)
  const api = new CoordinatorApi(coordinator.url)
  const services = options.files.map((file, index) => {
    const port = options.taskPort === 0 ? 0 : options.taskPort + index
    const args = ['serve', file, '--port', String(port), '--coordinator', coordinator.url]
    return newChild(options, screen, names[index] ?? file, args)
  })
  children.push(...services)
  await Promise.all(services.map((service) => service.start()))
  for (const [index, service] of services.entries()) {
    const name = names[index] ?? ''
    screen.line(`${name} ${service.url} (pid ${service.pid}), ${await api.register(name, service.url)}`)
  }
  return follow({ options, screen, api, names, stop })
}

function newChild({ data }: DevOptions, screen: Screen, name: string, args: readonly string[]): Child {
  return new Child({
    name,
    args: [...args, '--data', data],
    logFile: join(data, 'logs', `${name}.log`),
    restarted: (how, pid) =>
      screen.line(`${name} ended by ${how}; started again (pid ${pid}), it goes on where it was`),
  })
}

/** Takes up the release that is under way, or issues the first; never another one unasked. */
async function follow(run: Run): Promise<number> {
  const { options, api, screen, stop } = run
  const { count, newest } = await api.releases()
  const release = options.new || !newest ? await api.issue(`Release ${count + 1}`) : newest
  if (release === newest && isOver(newest))
    screen.line(`${count} release${count === 1 ? '' : 's'} so far; the last one:`)
  else
    screen.line(
      release === newest
        ? 'resuming'
        : `issued ${release.kf_id} "${release.name}" over ${release.studies.length} studies`,
    )
  const ended = await watch(run, release)
  tell(run, ended)
  if (options.once) return ended.state === 'published' ? 0 : 1
  screen.line('Ctrl-C stops.')
  await new Promise((resolve) => stop.addEventListener('abort', resolve))
  return 0
}

/** Shows a release until it has ended, and publishes it when it is staged. */
async function watch({ api, screen, stop }: Run, release: ReleaseShown): Promise<ReleaseShown> {
  let asked = false
  for (let now = release; ; now = await api.release(release.kf_id)) {
    screen.show(now)
    if (isOver(now) || stop.aborted) {
      screen.settle()
      return now
    }
    if (now.state === 'staged' && !asked) {
      asked = true
      screen.line(`  STAGED: nothing is public yet${summaryText(now)}; publishing`)
      await api.publish(now.kf_id)
    }
    await sleep(LOOK_MS, undefined, { signal: stop }).catch(() => undefined)
  }
}

function summaryText(release: ReleaseShown): string {
  const parts = release.tasks.flatMap(({ service_name: name, summary }) =>
    summary ? [`${name}: ${words(summary)}`] : [],
  )
  return parts.length > 0 ? ` (${parts.join('; ')})` : ''
}

function words(summary: Readonly<Record<string, unknown>>): string {
  return Object.entries(summary)
    .filter(([, value]) => typeof value === 'number' || typeof value === 'string')
    .map(([key, value]) => `${key} ${typeof value === 'number' ? value.toLocaleString('en') : String(value)}`)
    .join(', ')
}

function tell({ options, screen, names }: Run, release: ReleaseShown): void {
  if (release.state !== 'published') {
    const why = release.reason ? `: ${release.reason}` : ''
    const next = `tail ${join(options.data, 'logs', '*.log')}; npm start -- --new`
    console.error(`Release ${release.kf_id} ended ${release.state}${why}. Next: ${next}`)
    return
  }
  screen.line(`PUBLISHED ${release.kf_id} as version ${release.version}`)
  for (const name of names) {
    const folder = join(options.data, name, 'release', 'public', 'latest')
    if (existsSync(folder)) screen.line(`  ${name}: ${folder}`)
  }
  screen.line('Issue another: npm start -- --new')
  if (!process.stdout.isTTY)
    screen.line(JSON.stringify({ release: release.kf_id, state: release.state, version: release.version }))
}
