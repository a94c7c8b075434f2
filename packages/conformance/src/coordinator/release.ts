import { fieldOf, inWords, type Told } from '../told.ts'
import { eventually } from '../waiting.ts'
import type { CoordinatorApi } from './api.ts'

export interface ShownTask {
  readonly id: string
  readonly state: string
  readonly progress: unknown
}

const FINAL = ['published', 'canceled', 'failed']

/** One release on its way through the coordinator under check. */
export class Release {
  readonly id: string
  readonly #api: CoordinatorApi
  readonly #withinMs: number

  constructor(id: string, api: CoordinatorApi, withinMs: number) {
    this.id = id
    this.#api = api
    this.#withinMs = withinMs
  }

  read(): Promise<Told> {
    return this.#api.get(`/releases/${this.id}`)
  }

  async state(): Promise<string> {
    const told = await this.read()
    const state = fieldOf(told.json, 'state')
    return typeof state === 'string' ? state : `not shown: ${inWords(told)}`
  }

  async version(): Promise<string> {
    return String(fieldOf((await this.read()).json, 'version'))
  }

  async isOver(): Promise<boolean> {
    return FINAL.includes(await this.state())
  }

  async tasks(): Promise<readonly ShownTask[]> {
    const tasks = fieldOf((await this.read()).json, 'tasks')
    return Array.isArray(tasks) ? tasks.map(shownTask) : []
  }

  async task(id: string): Promise<ShownTask> {
    return shownTask((await this.#api.get(`/tasks/${id}`)).json)
  }

  /** @returns the first of these states that it is seen in; null where it is in none of them in time, or over */
  async reaches(states: readonly string[]): Promise<string | null> {
    const seen = await eventually(this.#withinMs, async () => {
      const state = await this.state()
      return states.includes(state) || FINAL.includes(state) ? state : null
    })
    return seen !== null && states.includes(seen) ? seen : null
  }

  /** Whether all its tasks come to be in one state. */
  async tasksReach(state: string): Promise<boolean> {
    const seen = await eventually(this.#withinMs, async () => {
      const tasks = await this.tasks()
      return tasks.length > 0 && tasks.every((task) => task.state === state) ? true : null
    })
    return seen === true
  }

  publish(): Promise<Told> {
    return this.#api.post(`/releases/${this.id}/publish`)
  }

  cancel(): Promise<Told> {
    return this.#api.delete(`/releases/${this.id}`)
  }

  /** @throws Error that says where it ended up instead */
  async leadTo(goal: 'running' | 'staged' | 'publishing' | 'published'): Promise<this> {
    if (goal === 'running') return this.#expect(await this.tasksReach('running'), goal)
    await this.#expect((await this.reaches(['staged'])) !== null, 'staged')
    if (goal === 'staged') return this
    const told = await this.publish()
    await this.#expect(told.code === 200, `publishing (${inWords(told)})`)
    if (goal === 'publishing') return this.leadToPublishing()
    return this.#expect((await this.reaches(['published'])) !== null, goal)
  }

  /** Once it was asked to. @throws Error that says where it ended up instead */
  async leadToPublishing(): Promise<this> {
    return this.#expect(await this.tasksReach('publishing'), 'publishing')
  }

  /** Messages of its events, the oldest first. */
  async events(): Promise<readonly { readonly type: string; readonly message: string }[]> {
    const rows = await this.#api.all(`/events?release=${this.id}`)
    return rows
      .map((row) => ({
        type: String(fieldOf(row, 'event_type')),
        message: String(fieldOf(row, 'message')),
      }))
      .toReversed()
  }

  /** The states that it, or one of its tasks, was told to have come to, by the events. */
  async moves(subject: string = this.id): Promise<readonly string[]> {
    const events = await this.events()
    const own = events.filter(({ message }) => message.includes(subject))
    return own.flatMap(({ message }) => / changed from \w+ to (\w+)$/.exec(message)?.[1] ?? [])
  }

  async #expect(holds: boolean, goal: string): Promise<this> {
    if (holds) return this
    const tasks = (await this.tasks()).map(({ state }) => state).join(', ')
    throw new Error(`a release on its way to ${goal} is ${await this.state()}, its tasks: ${tasks || 'none'}`)
  }
}

function shownTask(row: unknown): ShownTask {
  const [id, state] = [String(fieldOf(row, 'kf_id')), String(fieldOf(row, 'state'))]
  return { id, state, progress: fieldOf(row, 'progress') }
}
