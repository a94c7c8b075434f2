import { isId, type Random, type ReleaseId, type StudyId } from '@release-task/protocol'
import type { Findings } from '../finding.ts'
import { fieldOf, inWords, type Told } from '../told.ts'
import type { Topic } from '../topic.ts'
import { eventually } from '../waiting.ts'
import type { CoordinatorApi } from './api.ts'
import { Release } from './release.ts'
import { ServiceStandIn } from './stand-in.ts'

export interface KitOptions {
  readonly api: CoordinatorApi
  readonly listenHost: string
  readonly study: StudyId
  /** How long the coordinator may take for one step. */
  readonly withinMs: number
  readonly random: Random
}

/** Two that report in the same moment are a trouble of its own in the original (F-46). */
const WORK_MS = 100

export const NAME = 'Conformance'

/** The coordinator under check, and everything that the topics make at it, so that all of it can be taken away again. */
export class Kit {
  readonly options: KitOptions
  readonly #standIns: ServiceStandIn[] = []
  readonly #enabled = new Set<string>()
  readonly #registered = new Set<string>()
  readonly #releases = new Set<Release>()
  #count = 0
  #made = 0

  constructor(options: KitOptions) {
    this.options = options
  }

  get api(): CoordinatorApi {
    return this.options.api
  }

  /** One that listens, and is not registered. */
  async standIn(): Promise<ServiceStandIn> {
    const name = `${NAME} service ${++this.#count}`
    const workMs = WORK_MS * (1 + (this.#count % 2))
    const service = new ServiceStandIn({ name, api: this.api, workMs })
    this.#standIns.push(service)
    await service.listen(this.options.listenHost)
    return service
  }

  /** As it is answered. What was registered is remembered, so that it can be taken away. */
  async register(fields: object): Promise<Told> {
    const told = await this.api.post('/task-services', {
      description: 'Stands in for a task service while this coordinator is checked.',
      author: NAME,
      ...fields,
    })
    const id = fieldOf(told.json, 'kf_id')
    if (typeof id !== 'string') return told
    this.#enabled.add(id)
    this.#registered.add(id)
    return told
  }

  /**
   * One that takes part in every release from now on.
   * @throws Error that shows why it was not registered
   */
  async service(): Promise<ServiceStandIn> {
    const service = await this.standIn()
    const { name, url } = service
    const told = await this.register({ name, url })
    const id = fieldOf(told.json, 'kf_id')
    if (told.code !== 201 || typeof id !== 'string')
      throw new Error(`a stand-in was not registered: ${inWords(told)}`)
    service.id = id
    return service
  }

  /** As it is answered. */
  async create(fields: object = {}): Promise<Told> {
    const told = await this.api.post('/releases', { name: NAME, studies: [this.options.study], ...fields })
    const id = fieldOf(told.json, 'kf_id')
    if (isId('RE', id)) this.#track(id)
    return told
  }

  /** @throws Error that shows why there is none */
  async release(): Promise<Release> {
    const told = await this.create({ name: `${NAME} ${++this.#made}` })
    const id = fieldOf(told.json, 'kf_id')
    if (!isId('RE', id)) throw new Error(`no release was made: ${inWords(told)}`)
    return this.#track(id)
  }

  /** The end of a topic: its releases are over, and its services take part in no other. */
  async retire(): Promise<void> {
    for (const service of this.#standIns) service.reset()
    await Promise.all([...this.#releases].map((release) => this.#end(release)))
    this.#releases.clear()
    for (const id of this.#enabled) await this.api.patch(`/task-services/${id}`, { enabled: false })
    this.#enabled.clear()
  }

  /** Leaves nothing behind but releases that are over, and services that the coordinator keeps: those are disabled. */
  async close(): Promise<void> {
    await this.retire()
    for (const id of this.#registered) await this.api.delete(`/task-services/${id}`)
    await Promise.all(this.#standIns.map((service) => service.close()))
  }

  #track(id: ReleaseId): Release {
    const known = [...this.#releases].find((release) => release.id === id)
    const release = known ?? new Release(id, this.api, this.options.withinMs)
    this.#releases.add(release)
    return release
  }

  async #end(release: Release): Promise<void> {
    if (await release.isOver()) return
    await release.cancel()
    await eventually(this.options.withinMs, async () => (await release.isOver()) || null)
  }
}

export interface Scene {
  readonly kit: Kit
  readonly findings: Findings
}

function scene<S extends Scene>(
  name: string,
  set: (scene: Scene) => Promise<S>,
  act: (set: S) => Promise<void>,
) {
  const topic: Topic<Kit> = {
    name,
    async check(kit, findings) {
      try {
        await act(await set({ kit, findings }))
      } finally {
        await kit.retire()
      }
    },
  }
  return topic
}

export const withNone = (name: string, act: (scene: Scene) => Promise<void>): Topic<Kit> =>
  scene(name, async (bare) => bare, act)

export interface OneService extends Scene {
  readonly service: ServiceStandIn
}
export const withOne = (name: string, act: (scene: OneService) => Promise<void>): Topic<Kit> =>
  scene(name, async (bare) => ({ ...bare, service: await bare.kit.service() }), act)

export interface TwoServices extends Scene {
  readonly one: ServiceStandIn
  readonly two: ServiceStandIn
}
export const withTwo = (name: string, act: (scene: TwoServices) => Promise<void>): Topic<Kit> =>
  scene(
    name,
    async (bare) => ({ ...bare, one: await bare.kit.service(), two: await bare.kit.service() }),
    act,
  )
