import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TransportError } from '@release-task/http'
import type { Child } from './child.ts'
import { isOver, type CoordinatorApi, type ReleaseShown, type TaskShown } from './coordinator-api.ts'
import type { Keys } from './keys.ts'
import { checkPublished } from './published.ts'
import { Rates } from './rate.ts'
import { rateKey, summaryLines } from './render.ts'
import type { Screen } from './screen.ts'

const LOOK_MS = 100
const PUBLISH_AFTER_MS = 10 * 1000 // 10 s
const KILL_AT_PERCENT = 30

export interface SessionParts {
  readonly data: string
  readonly once: boolean
  readonly screen: Screen
  readonly keys: Keys
  readonly api: CoordinatorApi
  /** The task services by their names. */
  readonly services: ReadonlyMap<string, Child>
  readonly stop: AbortSignal
}

/** What one watched release is shown with. */
interface Watch {
  readonly startedAt: number
  readonly rates: Rates
  stagedAt: number | null
  asked: boolean
  /** A worker is to be killed in the middle. */
  kill: boolean
}

/** One person and one terminal: shows releases one after the other and does what the keys say. */
export class Session {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** @returns the exit code */
  async run(first: ReleaseShown): Promise<number> {
    const { once, keys, screen, stop, api } = this.#parts
    let release = first
    let kill = false
    for (;;) {
      const ended = await this.#watch(release, kill)
      if (ended === null) return 130
      await this.#tellEnd(ended)
      if (once) return ended.state === 'published' ? 0 : 1
      screen.line(
        keys.there ? 'n new release · k new release, with kill -9 in the middle · q quit' : 'Ctrl-C stops.',
      )
      const key = await this.#nextKey()
      if (key === null || stop.aborted) return 0
      kill = key === 'k'
      release = await api.issue(`Release ${(await api.releases()).count + 1}`)
      screen.line(`issued ${release.kf_id} "${release.name}" over ${release.studies.length} studies`)
    }
  }

  /** `n` or `k`; null for an end. */
  async #nextKey(): Promise<'n' | 'k' | null> {
    const { keys, stop } = this.#parts
    const stopped = new Promise<null>((resolve) =>
      stop.addEventListener('abort', () => resolve(null), { once: true }),
    )
    for (;;) {
      const key = await Promise.race([keys.next(), stopped])
      if (key === null || key === 'q' || key === '\u0003') return null
      if (key === 'n' || key === 'k') return key
    }
  }

  /** Shows a release until it has ended; null where it was left before. */
  async #watch(release: ReleaseShown, kill: boolean): Promise<ReleaseShown | null> {
    const { screen, stop } = this.#parts
    const watch: Watch = {
      startedAt: performance.now(),
      rates: new Rates(),
      stagedAt: null,
      asked: false,
      kill,
    }
    for (let now = release; ; now = (await this.#look(now)) ?? now) {
      const at = performance.now()
      for (const task of now.tasks) seeTask(watch.rates, task, at)
      if (now.state === 'staged') watch.stagedAt ??= at
      const publishInMs = this.#publishInMs(now, watch, at)
      screen.show({ release: now, rates: watch.rates, elapsedMs: at - watch.startedAt, publishInMs })
      if (isOver(now)) {
        screen.settle()
        return now
      }
      if (stop.aborted || !(await this.#steer(now, watch, publishInMs))) return null
      await sleep(LOOK_MS, undefined, { signal: stop }).catch(() => undefined)
    }
  }

  /** Milliseconds that a person still has; null where nobody is asked. */
  #publishInMs(release: ReleaseShown, watch: Watch, now: number): number | null {
    if (release.state !== 'staged' || watch.stagedAt === null || watch.asked || !this.#parts.keys.there)
      return null
    return Math.max(0, watch.stagedAt + PUBLISH_AFTER_MS - now)
  }

  async #look(release: ReleaseShown): Promise<ReleaseShown | null> {
    try {
      return await this.#parts.api.release(release.kf_id)
    } catch (error) {
      // The coordinator is being started again; what is on the screen stays until it answers.
      if (error instanceof TransportError) return null
      throw error
    }
  }

  /** Does what the keys say, or what is due without them. @returns false to leave */
  async #steer(release: ReleaseShown, watch: Watch, publishInMs: number | null): Promise<boolean> {
    const { api, keys } = this.#parts
    const pressed = keys.pressed()
    if (pressed.includes('\u0003') || pressed.includes('q')) return false
    if (pressed.includes('k')) watch.kill = true
    if (watch.kill) this.#killInTheMiddle(release, watch)
    if (pressed.includes('c')) await api.cancel(release.kf_id)
    else if (release.state === 'staged' && !watch.asked) {
      if (pressed.includes('\r') || pressed.includes('\n') || publishInMs === null || publishInMs === 0) {
        watch.asked = true
        this.#tellStaged(release)
        await api.publish(release.kf_id)
      }
    }
    return true
  }

  #tellStaged(release: ReleaseShown): void {
    const { screen } = this.#parts
    if (screen.live) return
    screen.line('STAGED: nothing is public yet; publishing')
    for (const line of summaryLines(release, Number.MAX_SAFE_INTEGER)) screen.line(line)
  }

  #killInTheMiddle(release: ReleaseShown, watch: Watch): void {
    const { services, screen } = this.#parts
    const task = release.tasks.find(
      (one) => one.state === 'running' && one.progress >= KILL_AT_PERCENT && one.progress < 100,
    )
    const child = task && services.get(task.service_name)
    if (!task || !child) return
    watch.kill = false
    screen.line(`kill -9 ${child.pid} (${task.service_name}, at ${task.progress}%)`)
    child.kill()
  }

  #tellNotPublished(release: ReleaseShown): void {
    const { screen, data, once } = this.#parts
    const why = release.reason ? `: ${release.reason}` : ''
    const next = release.state === 'failed' ? `tail ${join(data, 'logs', '*.log')}` : 'npm start -- --new'
    const line = `Release ${release.kf_id} ended ${release.state}${why}. Next: ${next}`
    if (once) console.error(line)
    else screen.line(line)
  }

  async #tellEnd(release: ReleaseShown): Promise<void> {
    const { screen, data, services } = this.#parts
    if (release.state !== 'published') return this.#tellNotPublished(release)
    screen.line(`PUBLISHED ${release.kf_id} "${release.name}" as version ${release.version}`)
    const tasks: Record<string, string> = {}
    for (const name of services.keys()) {
      const published = await checkPublished(data, name)
      if (!published) continue
      tasks[name] = published.folder
      screen.line(`  ${name}: ${published.folder}\n    ${published.words}`)
    }
    screen.line('Issue another: npm start -- --new')
    if (!screen.live)
      screen.line(
        JSON.stringify({
          release: release.kf_id,
          state: release.state,
          version: release.version,
          published: tasks,
        }),
      )
  }
}

function seeTask(rates: Rates, task: TaskShown, at: number): void {
  rates.see(rateKey(task), task.progress, at)
  if (task.message) rates.seeMessage(rateKey(task), task.message, at)
}
