import { newId, type Action, type Random, type StudyId } from '@release-task/protocol'
import { tell, type Told } from '../told.ts'
import { TaskHere, type CoordinatorStandIn } from './stand-in.ts'
import { Walk } from './walk.ts'

export interface KitOptions {
  /** Of the service, without a slash at its end. */
  readonly url: string
  /** null: nobody took the coordinator's place, so that no report is seen. */
  readonly coordinator: CoordinatorStandIn | null
  readonly studies: readonly StudyId[]
  /** For a service that asks for a token. */
  readonly token: string | null
  /** How long `stage` or `publish` of the service may take. */
  readonly withinMs: number
  /** 1 for a service that nobody knows; less for one that is known to report at once. */
  readonly patience: number
  readonly random: Random
}

/** What the way of a whole release has shown of the service, for topics that depend on it. */
export interface Manner {
  readonly reports: boolean
  /** From `start` to staged; null: it never got there. */
  readonly stageMs: number | null
}

const ANSWER_WITHIN_MS = 15_000

/** The service under check, and what topics need to lead tasks through it. */
export class Kit {
  readonly options: KitOptions
  readonly manner: Promise<Manner>
  readonly learn: (manner: Manner) => void

  constructor(options: KitOptions) {
    this.options = options
    const { promise, resolve } = Promise.withResolvers<Manner>()
    this.manner = promise
    this.learn = resolve
  }

  /** So long is waited for what should come by itself. */
  patient(ms: number): number {
    return ms * this.options.patience
  }

  /** A task that nobody has heard of. */
  walk(): Walk {
    const { random, studies, coordinator } = this.options
    const task = new TaskHere(newId('TA', random), newId('RE', random), studies)
    coordinator?.add(task)
    return new Walk(this, task)
  }

  get(path: string): Promise<Told> {
    return tell(`${this.options.url}${path}`, { timeoutMs: ANSWER_WITHIN_MS })
  }

  /** @param body sent as it is, where it is text */
  post(body: unknown, path = '/tasks'): Promise<Told> {
    const { url, token } = this.options
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
    return tell(`${url}${path}`, { method: 'POST', headers, body, timeoutMs: ANSWER_WITHIN_MS })
  }

  act(action: Action, { id, release, studies }: TaskHere, extra: object = {}): Promise<Told> {
    const named = action === 'get_status' ? {} : { studies }
    return this.post({ action, task_id: id, release_id: release, ...named, ...extra })
  }
}
