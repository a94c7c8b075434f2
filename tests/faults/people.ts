// What people do in a round: create releases, publish what is staged, cancel, and look at what comes of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { call } from '../processes.fixture.ts'
import type { Phase, ReleasePlan } from './plan.ts'
import type { FaultSystem } from './system.ts'
import { writeTags } from './tags.ts'

const LOOK_MS = 25
const RANK: { readonly [state: string]: number } = {
  waiting: 0,
  initializing: 1,
  running: 2,
  staged: 3,
  publishing: 4,
  published: 5,
  canceling: 6,
  canceled: 7,
  failed: 7,
}
export const isOver = (state: string): boolean => ['published', 'canceled', 'failed'].includes(state)
const isStopped = (state: string): boolean => ['canceling', 'canceled', 'failed'].includes(state)

/** What became of one release. */
export interface Outcome {
  readonly plan: ReleasePlan
  /** null: it could not be created in time. */
  readonly id: string | null
  readonly state: string
}

/** One release, from its creation to its end or to the end of everybody's patience. */
export async function runRelease(
  system: FaultSystem,
  plan: ReleasePlan,
  until: AbortSignal,
): Promise<Outcome> {
  await sleep(plan.startMs)
  const person = new Person(system, until)
  const id = await person.create(plan)
  if (id === null) return { plan, id, state: 'never created' }
  return { plan, id, state: await person.see(id, plan) }
}

class Person {
  readonly #system: FaultSystem
  readonly #until: AbortSignal

  constructor(system: FaultSystem, until: AbortSignal) {
    this.#system = system
    this.#until = until
  }

  /** Whoever is not sure whether it was created looks before creating it again. */
  async create({ intent, stageMs, publishMs, isFlaky, isStubborn }: ReleasePlan): Promise<string | null> {
    const fails = intent.type === 'fail' ? 'alpha' : null
    const name = `${intent.type} ${crypto.randomUUID()}`
    const tags = writeTags({ stageMs, publishMs, isFlaky, isStubborn, fails })
    const release = { name, tags, studies: ['SD_9PYZAHHE'] }
    while (!this.#until.aborted) {
      const { code, body } = await this.#call('POST', '/releases', release)
      const id = code === 201 ? body.kf_id : await this.#find(name)
      if (id) {
        this.#system.record({ type: 'person', what: 'create', release: id, code, state: null })
        return id
      }
      await sleep(LOOK_MS)
    }
    return null
  }

  /** Does what the plan wants of it, until it has ended. @returns the state that was seen last */
  async see(id: string, { intent }: ReleasePlan): Promise<string> {
    let last = 'unknown'
    let isDone = false
    while (!this.#until.aborted) {
      const { code, body } = await this.#call('GET', `/releases/${id}`)
      if (code === 200 && body.state !== last)
        this.#system.record({ type: 'seen', release: id, state: (last = body.state) })
      if (isOver(last)) return last
      if (!isDone && intent.type === 'cancel' && isReached(last, intent.at)) {
        await sleep(intent.afterMs)
        isDone = await this.#cancel(id)
      } else if (last === 'staged') await this.#publish(id)
      await sleep(LOOK_MS)
    }
    return last
  }

  async #publish(id: string): Promise<void> {
    await this.#ask('publish', id, () => this.#call('POST', `/releases/${id}/publish`))
  }

  async #cancel(id: string): Promise<boolean> {
    const { code } = await this.#ask('cancel', id, () => this.#call('DELETE', `/releases/${id}`))
    return code > 0 && code < 500
  }

  async #ask(what: 'publish' | 'cancel', release: string, ask: () => Promise<{ code: number; body: any }>) {
    this.#system.record({ type: 'person', what, release, code: null, state: null })
    const answer = await ask()
    const state = typeof answer.body?.state === 'string' ? answer.body.state : null
    this.#system.record({ type: 'person', what, release, code: answer.code, state })
    return answer
  }

  async #find(name: string): Promise<string | null> {
    const { body } = await this.#call('GET', '/releases?limit=50')
    const found = body?.results?.find((release: { name: string }) => release.name === name)
    return found?.kf_id ?? null
  }

  /** Code 0: nobody answered, because whoever would is being started again. */
  async #call(method: string, path: string, body?: object): Promise<{ code: number; body: any }> {
    try {
      return await call(method, this.#system.coordinator + path, body)
    } catch {
      return { code: 0, body: null }
    }
  }
}

function isReached(state: string, phase: Phase): boolean {
  return !isStopped(state) && (RANK[state] ?? 0) >= (RANK[phase] ?? 0)
}
