// A task service's place, for as long as the coordinator is checked: it does as a service should, or as badly as a
// topic wants it to.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ACTIONS, type Action } from '@release-task/protocol'
import type { Told } from '../told.ts'
import { comesTrue, pause } from '../waiting.ts'
import type { CoordinatorApi } from './api.ts'
import { receivedAction, send, type Handler, type ReceivedAction, type Reply } from './wire.ts'

export interface SentReport {
  readonly at: number
  readonly task: string
  readonly body: object
  readonly told: Told
}

const READY: Reply = { status: 200, body: { name: 'Conformance', message: 'ready', version: '1.0.0' } }
const UNKNOWN: Reply = { status: 404, body: { message: 'The task is not known.', code: 'TASK_NOT_FOUND' } }

const STATE_AFTER: { readonly [action: string]: string } = {
  initialize: 'pending',
  start: 'running',
  publish: 'publishing',
  cancel: 'canceled',
}

export interface StandInOptions {
  readonly name: string
  readonly api: CoordinatorApi
  /** From the answer to an action to the report of its end: the original writes over a report that comes at once (F-01). */
  readonly workMs: number
}

export class ServiceStandIn {
  readonly name: string
  url = ''
  /** Its registration; null: it has none. */
  id: string | null = null
  status: Reply = READY
  /** Whether it reports staged, and published, by itself. */
  stages = true
  publishes = true
  readonly received: ReceivedAction[] = []
  readonly reports: SentReport[] = []
  readonly #options: StandInOptions
  readonly #handlers = new Map<string, Handler>()
  readonly #states = new Map<string, string>()
  readonly #held: (() => void)[] = []
  readonly #work = new Set<Promise<void>>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(options: StandInOptions) {
    this.#options = options
    this.name = options.name
  }

  async listen(host: string): Promise<void> {
    this.#server.listen(0, host)
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    this.url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  async close(): Promise<void> {
    this.reset()
    await Promise.all(this.#work)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** How it answers an action from now on. */
  on(action: Action, handler: Handler): void {
    this.#handlers.set(action, handler)
  }

  /** Leaves requests of an action without an answer. @returns what lets them go on */
  hold(action: Action): () => void {
    const { promise, resolve } = Promise.withResolvers<null>()
    this.#held.push(() => resolve(null))
    this.on(action, () => promise)
    return () => resolve(null)
  }

  /** It behaves well again, and begins nothing by itself. */
  reset(): void {
    this.#handlers.clear()
    for (const letGo of this.#held.splice(0)) letGo()
    this.stages = false
    this.publishes = false
  }

  /** @throws Error where it was never told of a task of this release */
  taskOf(release: string): string {
    const asked = this.received.find((one) => one.release === release)
    if (!asked) throw new Error(`${this.name} was told nothing of ${release}`)
    return asked.task
  }

  /** What it was told of a release, the questions for its state aside. */
  actions(release: string): readonly string[] {
    return this.asked(release).map(({ action }) => action)
  }

  asked(release: string, action?: Action): readonly ReceivedAction[] {
    const told = this.received.filter((one) => one.release === release && one.action !== 'get_status')
    return action === undefined ? told : told.filter((one) => one.action === action)
  }

  /** @returns whether it was told so in time */
  isTold(release: string, action: Action, withinMs: number): Promise<boolean> {
    return comesTrue(withinMs, () => this.asked(release, action).length > 0)
  }

  /** What it says of the task where it is asked. */
  show(task: string, state: string): void {
    this.#states.set(task, state)
  }

  async report(task: string, body: object): Promise<Told> {
    const at = performance.now()
    const told = await this.#options.api.patch(`/tasks/${task}`, body)
    this.reports.push({ at, task, body, told })
    return told
  }

  /** Its task is done with this phase, and is reported. */
  reportDone(release: string, state: 'staged' | 'published'): Promise<Told> {
    const task = this.taskOf(release)
    this.show(task, state)
    return this.report(task, { state, progress: 100 })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now()
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const path = (request.url ?? '').replaceAll(/\/+/g, '/')
    if (request.method === 'GET' && path === '/status') return send(response, this.status)
    if (request.method !== 'POST' || path !== '/tasks') return send(response, UNKNOWN)
    const asked = receivedAction(request.headers, text, at)
    this.received.push(asked)
    const scripted = (await this.#handlers.get(asked.action)?.(asked)) ?? null
    const reply = scripted ?? this.#act(asked)
    asked.answeredAt = performance.now()
    send(response, reply)
    if (scripted === null) this.#goOn(asked)
  }

  #act({ action, task, release }: ReceivedAction): Reply {
    if (!ACTIONS.some((known) => known === action)) return { status: 400, body: { message: 'What is that?' } }
    const next = STATE_AFTER[action]
    if (next !== undefined) this.#states.set(task, next)
    const state = this.#states.get(task)
    if (state === undefined) return UNKNOWN
    const named = { name: this.name, kf_id: task, task_id: task, release_id: release }
    const progress = state === 'staged' || state === 'published' ? 100 : 0
    return { status: 200, body: { ...named, state, progress, date_submitted: new Date().toISOString() } }
  }

  #goOn({ action, task }: ReceivedAction): void {
    const goal = action === 'start' && this.stages ? 'staged' : null
    const end = action === 'publish' && this.publishes ? 'published' : goal
    if (end === null) return
    const work = this.#finish(task, end).finally(() => this.#work.delete(work))
    this.#work.add(work)
  }

  async #finish(task: string, end: 'staged' | 'published'): Promise<void> {
    const before = this.#states.get(task)
    await pause(this.#options.workMs)
    if (this.#states.get(task) !== before) return
    this.show(task, end)
    await this.report(task, { state: end, progress: 100 })
  }
}
