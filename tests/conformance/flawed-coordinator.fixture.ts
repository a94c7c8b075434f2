// A small coordinator in memory that follows the contract as far as services and clients depend on it, but for the
// flaws that it is given: the proof that the check finds them. Here is what it answers; what follows is its course.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newId } from '@release-task/protocol'
import { parse } from './flawed-courier.fixture.ts'
import { Course } from './flawed-course.fixture.ts'
import {
  isOver,
  NOT_FOUND,
  now,
  Records,
  Refusal,
  STUDY,
  wrong,
  type Flaw,
  type Release,
  type Service,
} from './flawed-records.fixture.ts'

interface Answer {
  readonly code: number
  readonly body: object
}

export class FlawedCoordinator {
  /** Every request that wanted to change something. */
  readonly writes: string[] = []
  readonly #records: Records
  readonly #course: Course
  readonly #server = createServer(async (request, response) => {
    const { code, body } = await this.#handle(request).catch((error: unknown) =>
      error instanceof Refusal ? error : { code: 500, body: { detail: String(error) } },
    )
    response.writeHead(code, { 'content-type': 'application/json' })
    response.end(code === 204 ? undefined : JSON.stringify(body))
  })

  constructor(...flaws: readonly Flaw[]) {
    this.#records = new Records(flaws)
    this.#course = new Course(this.#records)
  }

  get url(): string {
    return this.#records.url
  }

  get services(): Service[] {
    return this.#records.services
  }

  get studies(): object[] {
    return this.#records.studies
  }

  set studies(studies: object[]) {
    this.#records.studies = studies
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#records.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    const { method = 'GET' } = request
    if (method !== 'GET') this.writes.push(`${method} ${pathname}`)
    const [, noun = '', id = '', verb = ''] = pathname.split('/')
    if (method === 'GET') return { code: 200, body: this.#get(pathname, noun, id, searchParams) }
    if (id.endsWith('_checks')) return this.#poll(noun)
    if (verb === 'publish') {
      this.#course.publish(id)
      return { code: 200, body: { message: 'publishing' } }
    }
    return this.#write(`${method} ${noun}`, id, method === 'DELETE' ? {} : objectOf(text))
  }

  async #write(what: string, id: string, body: Record<string, unknown>): Promise<Answer> {
    const writes: Record<string, () => Answer | Promise<Answer>> = {
      'POST releases': () => ({ code: 201, body: this.#create(body) }),
      'PATCH releases': () => ({ code: 200, body: this.#edit(id, body) }),
      'DELETE releases': () => ({ code: 200, body: this.#stopByPerson(id) }),
      'POST task-services': async () => ({ code: 201, body: await this.#register(body) }),
      'PATCH task-services': () => ({ code: 200, body: Object.assign(this.#records.service(id), body) }),
      'DELETE task-services': () => this.#remove(id),
      'PATCH tasks': () => ({ code: 200, body: this.#report(id, body) }),
    }
    const write = writes[what]
    if (!write) throw NOT_FOUND
    return write()
  }

  #get(path: string, noun: string, id: string, query: URLSearchParams): object {
    const lists: Record<string, () => object[]> = {
      tasks: () =>
        this.#records.releases.flatMap(({ tasks }) => tasks.map((task) => this.#records.taskOf(task))),
      'task-services': () => this.services,
      releases: () => this.#records.releases.map((release) => this.#records.releaseOf(release)),
      'release-notes': () => [],
      events: () => this.#records.events,
      studies: () => this.studies,
    }
    if (path === '/')
      return Object.fromEntries(Object.keys(lists).map((name) => [name, `${this.url}/${name}`]))
    const rows = lists[noun]?.() as { kf_id: string; release?: string }[] | undefined
    if (!rows || path.endsWith('/')) throw NOT_FOUND
    if (id !== '') {
      const row = rows.find(({ kf_id }) => kf_id === id)
      if (!row && this.#records.has('F-60 stumbles over an unknown id')) throw new Refusal(500, {})
      if (!row) throw NOT_FOUND
      return row
    }
    const release = query.get('release')
    const wanted = rows.filter((row) => release === null || row.release?.endsWith(release))
    return this.#page(wanted.toReversed(), path, query)
  }

  #page(rows: readonly object[], path: string, query: URLSearchParams): object {
    const [limit, offset] = [Number(query.get('limit') ?? 10), Number(query.get('offset') ?? 0)]
    query.set('offset', String(offset + limit))
    const next = offset + limit < rows.length ? `${this.url}${path}?${query}` : null
    return { count: rows.length, next, previous: null, results: rows.slice(offset, offset + limit) }
  }

  #create(body: Record<string, unknown>): object {
    const { name, studies, tags = [], is_major = false } = body
    if (typeof name !== 'string' || name === '' || name.length > 256) throw wrong('name')
    const isList = Array.isArray(studies) && studies.length > 0
    if (!isList || studies.some((study) => study !== STUDY)) throw wrong('studies')
    if (!Array.isArray(tags)) throw wrong('tags')
    if (typeof is_major !== 'boolean') throw wrong('is_major')
    const fields = { name, description: '', notes: [], studies, tags, author: 'admin', is_major }
    const release: Release = {
      kf_id: newId('RE', Math.random),
      fields,
      tasks: [],
      created_at: now(),
      state: 'waiting',
      version: this.#records.next('patch'),
      isRaised: false,
      outcome: '',
    }
    this.#records.releases.push(release)
    const answer = this.#records.releaseOf(release)
    setImmediate(() => void this.#course.initialize(release))
    return answer
  }

  #edit(id: string, { name, description, state }: Record<string, unknown>): object {
    const release = this.#records.releases.find(({ kf_id }) => kf_id === id)
    if (!release) throw NOT_FOUND
    const isFree = name === undefined || this.#records.has('lets a running release be renamed')
    if (!isFree) throw wrong('name')
    Object.assign(release.fields, { ...(name ? { name } : {}), ...(description ? { description } : {}) })
    if (this.#records.has('takes its state from a body') && typeof state === 'string') release.state = state
    return this.#records.releaseOf(release)
  }

  async #register(body: Record<string, unknown>): Promise<object> {
    for (const field of ['name', 'description', 'author', 'url'])
      if (typeof body[field] !== 'string' || body[field] === '') throw wrong(field)
    const url = String(body['url'])
    if (!this.#records.has('registers what it cannot reach')) {
      if (!url.startsWith('http') || this.services.some((one) => one.url === url)) throw wrong('url')
      const answer = await fetch(`${url}/status`).catch(() => null)
      if (answer?.status !== 200 || !(await answer.text()).includes('name')) throw wrong('url')
    }
    const fields = { enabled: true, last_ok_status: 0, health_status: 'ok', created_at: now() }
    const service = { kf_id: newId('TS', Math.random), ...fields, ...body, name: String(body['name']), url }
    this.services.push(service)
    return service
  }

  #remove(id: string): Answer {
    const service = this.#records.service(id)
    const using = this.#records.releases.filter(
      ({ state, tasks }) => !isOver(state) && tasks.some((task) => task.service === service),
    )
    if (using.length > 0 && !this.#records.has('F-42 deletes the tasks with the service'))
      throw new Refusal(409, { detail: 'It is in use.' })
    for (const { tasks } of using)
      tasks.splice(
        tasks.findIndex((task) => task.service === service),
        1,
      )
    this.services.splice(this.services.indexOf(service), 1)
    return { code: 204, body: {} }
  }

  #report(id: string, body: Record<string, unknown>): object {
    const task = this.#records.releases.flatMap(({ tasks }) => tasks).find(({ kf_id }) => kf_id === id)
    if (!task) throw NOT_FOUND
    const { state, progress } = body
    if ('progress' in body && !Number.isInteger(progress)) throw wrong('progress')
    if (state === task.state && this.#records.has('F-46 stumbles over a repeated report'))
      throw new Refusal(500, {})
    if (isOver(task.state) && state !== task.state && !this.#records.has('F-48 changes what is over'))
      throw new Refusal(409, { detail: `It is ${task.state}.` })
    if (typeof progress === 'number') task.progress = Math.min(100, Math.max(0, progress))
    if (typeof state === 'string' && state !== task.state) this.#course.takeWord(task, state)
    return this.#records.taskOf(task)
  }

  #stopByPerson(id: string): object {
    const release = this.#records.releases.find(({ kf_id }) => kf_id === id)
    if (!release) throw new Refusal(404, {})
    this.#course.stop(release, 'canceled')
    return this.#records.releaseOf(release)
  }

  async #poll(noun: string): Promise<Answer> {
    const tasks = this.#records.releases.flatMap((release) => release.tasks)
    const asked = tasks.filter(({ state }) => ['running', 'publishing'].includes(state))
    if (noun === 'tasks' && !this.#records.has('does not poll'))
      for (const task of asked) void this.#course.ask(task).catch(() => {})
    return { code: 200, body: { status: 'ok', message: `${asked.length} task to check` } }
  }
}

function objectOf(text: string): Record<string, unknown> {
  const body = parse(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal(400, { detail: 'JSON parse error' })
  return body as Record<string, unknown>
}
