// The coordinator's place, for as long as a service is checked: it shows releases and tasks, takes reports, and behaves
// as badly as a topic wants it to.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReleaseId, StudyId, TaskId } from '@release-task/protocol'
import { fieldOf, parsed } from '../told.ts'

/** Why a report could not be seen. */
export const NOBODY_THERE = 'nobody stands in for the coordinator'

export interface ReceivedReport {
  /** By `performance.now()`. */
  readonly at: number
  readonly headers: IncomingHttpHeaders
  /** undefined: not JSON. */
  readonly body: unknown
}

export interface Reply {
  readonly status: number
  readonly body: object | string
  readonly headers?: { readonly [name: string]: string }
  /** What the task shows afterwards; unless given, what was reported. */
  readonly shows?: string
}

/** A task as the coordinator has it. */
export class TaskHere {
  readonly id: TaskId
  readonly release: ReleaseId
  readonly studies: readonly StudyId[]
  state = 'waiting'
  readonly reports: ReceivedReport[] = []
  /** When it was read, by `performance.now()`. */
  readonly reads: number[] = []
  /** What a report gets instead of a 200; `cut`: the end of the connection. */
  reply: (report: ReceivedReport, count: number) => Reply | 'cut' | null = () => null

  constructor(id: TaskId, release: ReleaseId, studies: readonly StudyId[]) {
    this.id = id
    this.release = release
    this.studies = studies
  }

  /** Reports of this state, in the order in which they came. */
  reported(state: string): ReceivedReport[] {
    return this.reports.filter(({ body }) => fieldOf(body, 'state') === state)
  }
}

const NOT_FOUND: Reply = { status: 404, body: { detail: 'Not found.' } }

export class CoordinatorStandIn {
  readonly #tasks = new Map<string, TaskHere>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  /** @throws Error with code EADDRINUSE where somebody else is at the port already */
  async listen(host: string, port: number): Promise<string> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  add(task: TaskHere): void {
    this.#tasks.set(task.id, task)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now()
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const [, noun = '', id = ''] = (request.url ?? '').split(/[/?]+/)
    const reply = this.#reply(request, { noun, id, text, at })
    if (reply === 'cut') return void request.socket.destroy()
    const { status, body, headers = {} } = reply
    const isText = typeof body === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers })
    response.end(isText ? body : JSON.stringify(body))
  }

  #reply({ method, headers }: IncomingMessage, asked: Asked): Reply | 'cut' {
    const { noun, id, at } = asked
    const task = this.#tasks.get(id)
    if (noun === 'releases') return this.#release(id)
    if (noun === 'studies') return id === '' ? listOf([]) : { status: 200, body: studyOf(id) }
    if (noun !== 'tasks' || !task) return NOT_FOUND
    if (method === 'GET') task.reads.push(at)
    if (method !== 'PATCH') return { status: 200, body: taskOf(task) }
    return take(task, { at, headers, body: parsed(asked.text) })
  }

  #release(id: string): Reply {
    const task = [...this.#tasks.values()].find(({ release }) => release === id)
    return task ? { status: 200, body: releaseOf(task) } : NOT_FOUND
  }
}

interface Asked {
  readonly noun: string
  readonly id: string
  readonly text: string
  readonly at: number
}

function take(task: TaskHere, report: ReceivedReport): Reply | 'cut' {
  task.reports.push(report)
  const state = fieldOf(report.body, 'state')
  const reply = task.reply(report, task.reports.length)
  if (reply === 'cut') return reply
  if (reply?.shows !== undefined) task.state = reply.shows
  else if (reply === null && typeof state === 'string') task.state = state
  return reply ?? { status: 200, body: taskOf(task) }
}

const CREATED_AT = '2026-01-01T00:00:00.000000Z'

function taskOf({ id, release, state }: TaskHere): object {
  const [progress, task_service] = [0, null]
  return { kf_id: id, state, progress, release: `/releases/${release}`, task_service, created_at: CREATED_AT }
}

function releaseOf({ release, studies, id }: TaskHere): object {
  return {
    kf_id: release,
    name: 'Conformance',
    description: '',
    author: 'checker',
    version: '0.0.1',
    state: 'running',
    is_major: false,
    tags: [],
    studies,
    tasks: [id],
    created_at: CREATED_AT,
  }
}

const studyOf = (id: string): object => ({ kf_id: id, name: id, visible: true, created_at: CREATED_AT })

const listOf = (results: readonly object[]): Reply => ({
  status: 200,
  body: { count: results.length, next: null, previous: null, results },
})
