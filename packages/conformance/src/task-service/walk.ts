import { parseServiceState, type Action } from '@release-task/protocol'
import { fieldOf, type Told } from '../told.ts'
import { eventually } from '../waiting.ts'
import type { Kit } from './kit.ts'
import type { TaskHere } from './stand-in.ts'

/** What the coordinator has of a task once it was told so. */
const SHOWN: { readonly [action in Action]?: string } = {
  initialize: 'initialized',
  start: 'running',
  publish: 'publishing',
  cancel: 'canceled',
}

/** One task on its way through the service under check. */
export class Walk {
  readonly kit: Kit
  readonly task: TaskHere

  constructor(kit: Kit, task: TaskHere) {
    this.kit = kit
    this.task = task
  }

  /** Tells the service, and shows at the coordinator what follows, unless a report was faster. */
  async act(action: Action, extra: object = {}): Promise<Told> {
    const before = this.task.state
    const told = await this.kit.act(action, this.task, extra)
    const shown = SHOWN[action]
    if (told.code === 200 && shown !== undefined && this.task.state === before) this.task.state = shown
    return told
  }

  /** The state that the service answers, in the coordinator's word for it; null where it answers none. */
  async state(): Promise<string | null> {
    return stateOf(await this.act('get_status'))
  }

  /** @returns the first of these states that it is seen in; null where it is in none of them in time */
  reaches(states: readonly string[], withinMs: number = this.kit.options.withinMs): Promise<string | null> {
    return eventually(withinMs, async () => {
      const state = await this.state()
      return state !== null && states.includes(state) ? state : null
    })
  }

  /** @throws Error that says where it ended up instead */
  async leadTo(goal: 'initialized' | 'running' | 'staged' | 'publishing' | 'published'): Promise<void> {
    for (const { action, until } of WAY) {
      const told = await this.act(action)
      if (told.code !== 200) throw new Error(`${action} of a task on its way was answered ${told.code}`)
      if (goal === SHOWN[action]) return
      if (until !== null) await this.#expect(action, until)
      if (goal === until) return
    }
  }

  /** A coordinator believes a report as well as an answer, and a service may be good at one of them only. */
  async #expect(action: Action, until: 'staged' | 'published'): Promise<void> {
    const { withinMs } = this.kit.options
    const seen = await eventually(withinMs, async () => {
      if (this.task.reported(until).length > 0) return until
      const state = await this.state()
      return state === until || state === 'failed' ? state : null
    })
    if (seen === until) return
    const end = seen === null ? `did not get to ${until} in ${withinMs / 1000} s` : 'failed'
    throw new Error(`after ${action} a task of this topic ${end}`)
  }
}

const WAY = [
  { action: 'initialize', until: null },
  { action: 'start', until: 'staged' },
  { action: 'publish', until: 'published' },
] as const

/** `pending` is `initialized`, and every spelling of canceled one word (RC-13). */
export function stateOf({ code, json }: Told): string | null {
  return code === 200 ? parseServiceState(fieldOf(json, 'state')) : null
}
