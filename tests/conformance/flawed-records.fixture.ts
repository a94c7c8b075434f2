// What the small coordinator has on record, and how it shows it; and what may be wrong with it.
import { newId } from '@release-task/protocol'

export type Flaw =
  | 'F-01 writes an old row over staged'
  | 'F-02 writes an old row over published'
  | 'F-05 tells start twice'
  | 'F-07 tells start after cancel'
  | 'F-08 writes initialized over canceled'
  | 'F-11 gives two releases one version'
  | 'F-16 takes a refusal for a yes'
  | 'F-17 does not read the answer to initialize'
  | 'F-18 hangs when start is refused'
  | 'F-19 hangs when publish is refused'
  | 'F-23 tells cancel once'
  | 'F-25 leaves no reason'
  | 'F-34 fails a release after one poll'
  | 'F-42 deletes the tasks with the service'
  | 'F-45 stores any word'
  | 'F-46 stumbles over a repeated report'
  | 'F-48 changes what is over'
  | 'F-49 publishes what is not staged'
  | 'F-60 stumbles over an unknown id'
  | 'stages with the first task'
  | 'starts before all have accepted'
  | 'raises the version too early'
  | 'registers what it cannot reach'
  | 'does not cancel the others'
  | 'does not poll'
  | 'repeats without asking'
  | 'lets a running release be renamed'
  | 'takes its state from a body'
  | 'writes no events'

export interface Service {
  readonly kf_id: string
  readonly [field: string]: unknown
  readonly name: string
  readonly url: string
  enabled: boolean
}

export interface Task {
  readonly kf_id: string
  readonly service: Service
  readonly release: Release
  state: string
  progress: number
  told: string[]
  ended: boolean
  line: Promise<unknown>
}

export interface Release {
  readonly kf_id: string
  readonly fields: Record<string, unknown>
  readonly tasks: Task[]
  readonly created_at: string
  state: string
  version: string
  isRaised: boolean
  outcome: string
}

export const STUDY = 'SD_BHJXBDQK'
const OVER = ['published', 'canceled', 'failed', 'rejected']
export const isOver = (state: string): boolean => OVER.includes(state)
export const now = (): string => new Date().toISOString().replace('Z', '000Z')

/** What a request is answered with instead. */
export class Refusal {
  readonly code: number
  readonly body: object
  constructor(code: number, body: object) {
    this.code = code
    this.body = body
  }
}
export const NOT_FOUND = new Refusal(404, { detail: 'Not found.' })
export const wrong = (field: string): Refusal => new Refusal(400, { [field]: ['It is not right.'] })

export class Records {
  url = ''
  readonly services: Service[] = []
  readonly releases: Release[] = []
  readonly events: Record<string, unknown>[] = []
  studies: object[] = [{ kf_id: STUDY, name: 'A study', visible: true, deleted: false, created_at: now() }]
  readonly #flaws: ReadonlySet<string>

  constructor(flaws: readonly Flaw[]) {
    this.#flaws = new Set(flaws)
  }

  has(flaw: Flaw): boolean {
    return this.#flaws.has(flaw)
  }

  moveRelease(release: Release, to: string): void {
    const message = `release ${release.kf_id}, version ${release.version} changed from ${release.state} to ${to}`
    release.state = to
    this.event(to === 'failed' ? 'error' : 'info', message, release)
  }

  moveTask(task: Task, to: string): void {
    const message = `task ${task.kf_id} changed from ${task.state} to ${to}`
    task.state = to
    this.event(to === 'failed' || to === 'rejected' ? 'error' : 'info', message, task.release, task)
  }

  event(event_type: string, message: string, release: Release, task?: Task): void {
    if (this.has('writes no events')) return
    const links = { release: `${this.url}/releases/${release.kf_id}`, task: task?.kf_id ?? null }
    this.events.push({ kf_id: newId('EV', Math.random), event_type, message, created_at: now(), ...links })
  }

  next(part: 'minor' | 'patch'): string {
    const all = this.releases.map(({ version }) => version.split('.').map(Number))
    const [last] = all.sort((one, two) => rank(two) - rank(one))
    if (!last) return '0.0.0'
    const [major = 0, minor = 0, patch = 0] = last
    return part === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`
  }

  service(id: string): Service {
    const service = this.services.find(({ kf_id }) => kf_id === id)
    if (!service) throw NOT_FOUND
    return service
  }

  releaseOf({ kf_id, fields, state, version, created_at, tasks }: Release): object {
    return { kf_id, ...fields, state, version, created_at, tasks: tasks.map((task) => this.taskOf(task)) }
  }

  taskOf({ kf_id, state, progress, release, service }: Task): object {
    const links = {
      release: `${this.url}/releases/${release.kf_id}`,
      task_service: `${this.url}/task-services/${service.kf_id}`,
    }
    return { kf_id, state, progress, ...links, created_at: now(), service_name: service.name }
  }
}

const rank = ([major = 0, minor = 0, patch = 0]: readonly number[]): number =>
  major * 1e8 + minor * 1e4 + patch
