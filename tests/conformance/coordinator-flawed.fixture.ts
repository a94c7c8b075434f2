// A small coordinator in memory that follows the contract as far as services and clients depend on it, but for the
// flaws that it is given: the proof that the check finds them.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
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

interface Service {
  readonly kf_id: string
  readonly [field: string]: unknown
  readonly name: string
  readonly url: string
  enabled: boolean
}

interface Task {
  readonly kf_id: string
  readonly service: Service
  readonly release: Release
  state: string
  progress: number
  told: string[]
  ended: boolean
  line: Promise<unknown>
}

interface Release {
  readonly kf_id: string
  readonly fields: Record<string, unknown>
  readonly tasks: Task[]
  readonly created_at: string
  state: string
  version: string
  isRaised: boolean
  outcome: string
}

interface Answer {
  readonly code: number
  readonly body: object
}

interface Answered {
  readonly code: number
  readonly json: any
}

const KNOWN = new Set(['waiting', 'initialized', 'running', 'staged', 'publishing', 'published', 'rejected'])
const OVER = ['published', 'canceled', 'failed', 'rejected']
const FORWARD = ['waiting', 'initialized', 'running', 'staged', 'publishing', 'published']
const STUDY = 'SD_BHJXBDQK'
const DONE: Record<string, readonly string[]> = {
  initialize: ['pending', 'initialized'],
  start: ['running', 'staged'],
  publish: ['publishing', 'published'],
}
const AGAIN_MS = 100
const TRIES = 10

const isOver = (state: string): boolean => OVER.includes(state)
const now = (): string => new Date().toISOString().replace('Z', '000Z')

class Refusal {
  readonly code: number
  readonly body: object
  constructor(code: number, body: object) {
    this.code = code
    this.body = body
  }
}
const NOT_FOUND = new Refusal(404, { detail: 'Not found.' })

export class FlawedCoordinator {
  url = ''
  readonly services: Service[] = []
  readonly releases: Release[] = []
  readonly events: Record<string, unknown>[] = []
  studies: object[] = [{ kf_id: STUDY, name: 'A study', visible: true, deleted: false, created_at: now() }]
  /** Every request that wanted to change something. */
  readonly writes: string[] = []
  readonly #flaws: ReadonlySet<string>
  readonly #server = createServer(async (request, response) => {
    const { code, body } = await this.#handle(request).catch((error: unknown) =>
      error instanceof Refusal ? error : { code: 500, body: { detail: String(error) } },
    )
    response.writeHead(code, { 'content-type': 'application/json' })
    response.end(code === 204 ? undefined : JSON.stringify(body))
  })

  constructor(...flaws: readonly Flaw[]) {
    this.#flaws = new Set(flaws)
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #has(flaw: Flaw): boolean {
    return this.#flaws.has(flaw)
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
    if (verb === 'publish') return this.#publish(id)
    return this.#write(`${method} ${noun}`, id, method === 'DELETE' ? {} : objectOf(text))
  }

  async #write(what: string, id: string, body: Record<string, unknown>): Promise<Answer> {
    const writes: Record<string, () => Answer | Promise<Answer>> = {
      'POST releases': () => ({ code: 201, body: this.#create(body) }),
      'PATCH releases': () => ({ code: 200, body: this.#edit(id, body) }),
      'DELETE releases': () => ({ code: 200, body: this.#stopByPerson(id) }),
      'POST task-services': async () => ({ code: 201, body: await this.#register(body) }),
      'PATCH task-services': () => ({ code: 200, body: Object.assign(this.#service(id), body) }),
      'DELETE task-services': () => this.#remove(id),
      'PATCH tasks': () => ({ code: 200, body: this.#report(id, body) }),
    }
    const write = writes[what]
    if (!write) throw NOT_FOUND
    return write()
  }

  #get(path: string, noun: string, id: string, query: URLSearchParams): object {
    const lists: Record<string, () => object[]> = {
      tasks: () => this.releases.flatMap(({ tasks }) => tasks.map((task) => this.#taskOf(task))),
      'task-services': () => this.services,
      releases: () => this.releases.map((release) => this.#releaseOf(release)),
      'release-notes': () => [],
      events: () => this.events,
      studies: () => this.studies,
    }
    if (path === '/')
      return Object.fromEntries(Object.keys(lists).map((name) => [name, `${this.url}/${name}`]))
    const rows = lists[noun]?.() as { kf_id: string; release?: string }[] | undefined
    if (!rows || path.endsWith('/')) throw NOT_FOUND
    if (id !== '') {
      const row = rows.find(({ kf_id }) => kf_id === id)
      if (!row && this.#has('F-60 stumbles over an unknown id')) throw new Refusal(500, {})
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
      version: this.#next('patch'),
      isRaised: false,
      outcome: '',
    }
    this.releases.push(release)
    const answer = this.#releaseOf(release)
    setImmediate(() => void this.#initialize(release))
    return answer
  }

  #edit(id: string, { name, description, state }: Record<string, unknown>): object {
    const release = this.releases.find(({ kf_id }) => kf_id === id)
    if (!release) throw NOT_FOUND
    const isFree = name === undefined || this.#has('lets a running release be renamed')
    if (!isFree) throw wrong('name')
    Object.assign(release.fields, { ...(name ? { name } : {}), ...(description ? { description } : {}) })
    if (this.#has('takes its state from a body') && typeof state === 'string') release.state = state
    return this.#releaseOf(release)
  }

  async #register(body: Record<string, unknown>): Promise<object> {
    for (const field of ['name', 'description', 'author', 'url'])
      if (typeof body[field] !== 'string' || body[field] === '') throw wrong(field)
    const url = String(body['url'])
    if (!this.#has('registers what it cannot reach')) {
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
    const service = this.#service(id)
    const using = this.releases.filter(
      ({ state, tasks }) => !isOver(state) && tasks.some((task) => task.service === service),
    )
    if (using.length > 0 && !this.#has('F-42 deletes the tasks with the service'))
      throw new Refusal(409, { detail: 'It is in use.' })
    for (const { tasks } of using)
      tasks.splice(
        tasks.findIndex((task) => task.service === service),
        1,
      )
    this.services.splice(this.services.indexOf(service), 1)
    return { code: 204, body: {} }
  }

  async #initialize(release: Release): Promise<void> {
    for (const service of this.services.filter(({ enabled }) => enabled)) {
      const id = newId('TA', Math.random)
      const line = Promise.resolve()
      const fresh = { kf_id: id, service, release, state: 'waiting', progress: 0, ended: false }
      release.tasks.push({ ...fresh, told: [], line })
    }
    this.#moveRelease(release, 'initializing')
    if (release.tasks.length === 0) {
      this.#moveRelease(release, 'running')
      return this.#moveRelease(release, 'staged')
    }
    await Promise.all(release.tasks.map((task) => this.#tellInitialize(task)))
  }

  async #tellInitialize(task: Task): Promise<void> {
    const { release } = task
    const answer = await this.#insist(task, 'initialize', (code) =>
      this.#has('F-16 takes a refusal for a yes') ? false : isLost(code),
    )
    if (answer === null) return
    const isYes =
      this.#has('F-16 takes a refusal for a yes') ||
      (this.#has('F-17 does not read the answer to initialize') && answer.code === 200) ||
      accepts(answer, DONE['initialize'])
    if (this.#has('F-08 writes initialized over canceled') && isYes && release.state === 'canceling') {
      await eventuallyOver(release)
      task.state = 'initialized'
    }
    if (release.state !== 'initializing' || task.state !== 'waiting') return
    if (!isYes) return this.#refuse(task, 'initialize', answer)
    this.#moveTask(task, 'initialized')
    const { tasks } = release
    const isAll = tasks.every(({ state }) => state === 'initialized')
    if (isAll || this.#has('starts before all have accepted')) this.#start(release)
  }

  #start(release: Release): void {
    this.#moveRelease(release, 'running')
    for (const task of release.tasks) {
      void this.#tellStart(task)
      if (this.#has('F-05 tells start twice')) void this.#tellStart(task)
    }
  }

  async #tellStart(task: Task): Promise<void> {
    const answer = await this.#insist(task, 'start', isLost)
    if (answer === null) return
    if (this.#has('F-01 writes an old row over staged')) task.state = 'running'
    if (task.release.state !== 'running' || task.state !== 'initialized') return
    if (!accepts(answer, DONE['start'])) {
      if (!this.#has('F-18 hangs when start is refused')) this.#refuse(task, 'start', answer)
      return
    }
    this.#forward(task, answer.json.state === 'staged' ? 'staged' : 'running')
  }

  #publish(id: string): Answer {
    const release = this.releases.find(({ kf_id }) => kf_id === id)
    if (!release && this.#has('F-60 stumbles over an unknown id')) throw new Refusal(500, {})
    if (!release) throw NOT_FOUND
    if (release.state !== 'staged' && !this.#has('F-49 publishes what is not staged'))
      throw new Refusal(409, { detail: `The release in state ${release.state} may not be published.` })
    if (this.#has('raises the version too early')) this.#raise(release)
    this.#moveRelease(release, 'publishing')
    for (const task of release.tasks) void this.#tellPublish(task)
    return { code: 200, body: { message: 'publishing' } }
  }

  async #tellPublish(task: Task): Promise<void> {
    const answer = await this.#insist(task, 'publish', isLost)
    if (answer === null) return
    if (this.#has('F-02 writes an old row over published')) task.state = 'publishing'
    if (task.release.state !== 'publishing' || task.state !== 'staged') return
    if (!accepts(answer, DONE['publish'])) {
      if (!this.#has('F-19 hangs when publish is refused')) this.#refuse(task, 'publish', answer)
      return
    }
    this.#forward(task, answer.json.state === 'published' ? 'published' : 'publishing')
  }

  #report(id: string, body: Record<string, unknown>): object {
    const task = this.releases.flatMap(({ tasks }) => tasks).find(({ kf_id }) => kf_id === id)
    if (!task) throw NOT_FOUND
    const { state, progress } = body
    if ('progress' in body && !Number.isInteger(progress)) throw wrong('progress')
    if (state === task.state && this.#has('F-46 stumbles over a repeated report')) throw new Refusal(500, {})
    if (isOver(task.state) && state !== task.state && !this.#has('F-48 changes what is over'))
      throw new Refusal(409, { detail: `It is ${task.state}.` })
    if (typeof progress === 'number') task.progress = Math.min(100, Math.max(0, progress))
    if (typeof state === 'string' && state !== task.state) this.#takeWord(task, state)
    return this.#taskOf(task)
  }

  #takeWord(task: Task, state: string): void {
    if (this.#has('F-45 stores any word') && !KNOWN.has(state)) return void (task.state = state)
    if (isOver(task.state)) return void (task.state = state)
    if (state === 'failed' || state === 'canceled') {
      task.ended = true
      this.#moveTask(task, state)
      return this.#stop(task.release, state)
    }
    if (!KNOWN.has(state)) throw wrong('state')
    const needed = state === 'published' ? 'publish' : 'start'
    const isAhead = FORWARD.indexOf(state) > FORWARD.indexOf(task.state)
    if (!isAhead || !task.told.includes(needed)) throw new Refusal(409, { detail: `It is ${task.state}.` })
    this.#forward(task, state)
  }

  /** Over the states between. */
  #forward(task: Task, goal: string): void {
    const states = FORWARD.slice(FORWARD.indexOf(task.state) + 1, FORWARD.indexOf(goal) + 1)
    for (const state of states) this.#moveTask(task, state)
    const { release } = task
    const all = (state: string) => release.tasks.every((one) => one.state === state)
    const isStaged = all('staged') || this.#has('stages with the first task')
    if (goal === 'staged' && release.state === 'running' && isStaged) this.#moveRelease(release, 'staged')
    if (goal !== 'published' || release.state !== 'publishing' || !all('published')) return
    this.#raise(release)
    this.#moveRelease(release, 'published')
  }

  #raise(release: Release): void {
    if (release.isRaised) return
    const [major = 0, minor = 0] = release.version.split('.').map(Number)
    const collides = this.#has('F-11 gives two releases one version')
    release.version = collides ? `${major}.${minor + 1}.0` : this.#next('minor')
    release.isRaised = true
  }

  #next(part: 'minor' | 'patch'): string {
    const all = this.releases.map(({ version }) => version.split('.').map(Number))
    const [last] = all.sort((one, two) => rank(two) - rank(one))
    if (!last) return '0.0.0'
    const [major = 0, minor = 0, patch = 0] = last
    return part === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`
  }

  #refuse(task: Task, action: string, { code, json }: Answered): void {
    const message = `request to ${action} task failed: answered ${code}: ${JSON.stringify(json)}`
    if (!this.#has('F-25 leaves no reason')) this.#event('error', message, task.release, task)
    this.#moveTask(task, action === 'initialize' ? 'rejected' : 'failed')
    this.#stop(task.release, 'failed')
  }

  #stopByPerson(id: string): object {
    const release = this.releases.find(({ kf_id }) => kf_id === id)
    if (!release) throw new Refusal(404, {})
    this.#stop(release, 'canceled')
    return this.#releaseOf(release)
  }

  #stop(release: Release, outcome: string): void {
    if (isOver(release.state) || release.state === 'canceling') return
    release.outcome = outcome
    this.#moveRelease(release, 'canceling')
    void Promise.all(release.tasks.map((task) => this.#tellCancel(task))).then(() =>
      this.#moveRelease(release, release.outcome),
    )
  }

  async #tellCancel(task: Task): Promise<void> {
    const isLeft = this.#has('does not cancel the others') && task.release.outcome === 'failed'
    if (task.told.length > 0 && !task.ended && !isLeft)
      await this.#insist(task, 'cancel', this.#has('F-23 tells cancel once') ? () => false : isLost)
    if (this.#has('F-07 tells start after cancel')) await this.#send(task, 'start')
    if (!isOver(task.state)) this.#moveTask(task, 'canceled')
  }

  async #poll(noun: string): Promise<Answer> {
    const tasks = this.releases.flatMap((release) => release.tasks)
    const asked = tasks.filter(({ state }) => ['running', 'publishing'].includes(state))
    if (noun === 'tasks' && !this.#has('does not poll'))
      for (const task of asked) void this.#ask(task).catch(() => {})
    return { code: 200, body: { status: 'ok', message: `${asked.length} task to check` } }
  }

  async #ask(task: Task): Promise<void> {
    const before = task.state
    const { code, json } = await this.#send(task, 'get_status')
    if (task.state !== before) return
    if (code >= 400 && this.#has('F-34 fails a release after one poll')) this.#stop(task.release, 'failed')
    if (code !== 200 || typeof json?.state !== 'string') return
    const progress = Number.parseFloat(json.progress)
    if (Number.isFinite(progress)) task.progress = Math.trunc(progress)
    if (json.state !== task.state) this.#takeWord(task, json.state)
  }

  /** One action of a task at a time; null where its release is being stopped and it is not to be told any more. */
  #insist(task: Task, action: string, isLost: (code: number) => boolean): Promise<Answered | null> {
    const isStopped = () => action !== 'cancel' && task.release.state === 'canceling'
    const tell = async () => {
      if (isStopped()) return null
      task.told.push(action)
      let answer = await this.#send(task, action)
      for (let tries = 1; isLost(answer.code) && tries < TRIES && !isStopped(); tries++) {
        await sleep(AGAIN_MS)
        if (!isStopped()) answer = (await this.#ownState(task, action)) ?? (await this.#send(task, action))
      }
      return answer
    }
    const answer = task.line.then(tell)
    task.line = answer
    return answer
  }

  /** What the service says of its task, where it has done that whose answer was lost. */
  async #ownState(task: Task, action: string): Promise<Answered | null> {
    if (action === 'cancel' || this.#has('repeats without asking')) return null
    const answer = await this.#send(task, 'get_status')
    const isDone = answer.json?.state !== undefined && accepts(answer, DONE[action] ?? [])
    return isDone ? answer : null
  }

  async #send(task: Task, action: string): Promise<Answered> {
    const { studies } = task.release.fields
    const named = action === 'get_status' ? {} : { studies }
    const body = JSON.stringify({ action, task_id: task.kf_id, release_id: task.release.kf_id, ...named })
    const headers = { 'content-type': 'application/json' }
    try {
      const answer = await fetch(`${task.service.url}/tasks`, { method: 'POST', headers, body })
      return { code: answer.status, json: parse(await answer.text()) }
    } catch {
      return { code: 0, json: null }
    }
  }

  #moveRelease(release: Release, to: string): void {
    const message = `release ${release.kf_id}, version ${release.version} changed from ${release.state} to ${to}`
    release.state = to
    this.#event(to === 'failed' ? 'error' : 'info', message, release)
  }

  #moveTask(task: Task, to: string): void {
    const message = `task ${task.kf_id} changed from ${task.state} to ${to}`
    task.state = to
    this.#event(to === 'failed' || to === 'rejected' ? 'error' : 'info', message, task.release, task)
  }

  #event(event_type: string, message: string, release: Release, task?: Task): void {
    if (this.#has('writes no events')) return
    const links = { release: `${this.url}/releases/${release.kf_id}`, task: task?.kf_id ?? null }
    this.events.push({ kf_id: newId('EV', Math.random), event_type, message, created_at: now(), ...links })
  }

  #service(id: string): Service {
    const service = this.services.find(({ kf_id }) => kf_id === id)
    if (!service) throw NOT_FOUND
    return service
  }

  #releaseOf({ kf_id, fields, state, version, created_at, tasks }: Release): object {
    return { kf_id, ...fields, state, version, created_at, tasks: tasks.map((task) => this.#taskOf(task)) }
  }

  #taskOf({ kf_id, state, progress, release, service }: Task): object {
    const links = {
      release: `${this.url}/releases/${release.kf_id}`,
      task_service: `${this.url}/task-services/${service.kf_id}`,
    }
    return { kf_id, state, progress, ...links, created_at: now(), service_name: service.name }
  }
}

const rank = ([major = 0, minor = 0, patch = 0]: readonly number[]): number =>
  major * 1e8 + minor * 1e4 + patch
const wrong = (field: string): Refusal => new Refusal(400, { [field]: ['It is not right.'] })
const isLost = (code: number): boolean => code === 0 || code >= 500

function accepts({ code, json }: Answered, states: readonly string[] = []): boolean {
  if (code !== 200 || typeof json !== 'object' || json === null) return false
  return json.state === undefined || states.includes(json.state)
}

async function eventuallyOver(release: Release): Promise<void> {
  for (let tries = 0; tries < TRIES && !isOver(release.state); tries++) await sleep(AGAIN_MS / 2)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function objectOf(text: string): Record<string, unknown> {
  const body = parse(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal(400, { detail: 'JSON parse error' })
  return body as Record<string, unknown>
}
