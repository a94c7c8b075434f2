// A task service of a few lines that keeps the whole contract, and any part of it that a test takes out.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ACTIONS,
  actionCell,
  cellAnswer,
  cellCode,
  isId,
  type Action,
  type TableRow,
  type TaskState,
} from '@release-task/protocol'

export const FLAWS = [
  'status without a name', 'status without a message', 'two slashes are another path', 'malformed JSON is its own error',
  'any body will do', 'errors are pages', 'accepted is 202', 'answers lack fields', 'start of an unknown id',
  'an unknown id is its own error', 'publishes what is not staged', 'start again is refused', 'start again tells the state',
  'publish again is refused', 'another release will do', 'needs studies', 'knows all fields', 'never done', 'works on after a cancel',
  'starts what is canceled', 'cancel is lost beside start', 'published can be canceled', 'a cancel is not remembered',
  'reports nothing', 'reports first', 'progress is text', 'reports once', 'comes back at once', 'repeats what was refused',
  'never reads back', 'does not read after a 500', 'goes on after a 409', 'no cookie',
] as const // prettier-ignore
export type Flaw = (typeof FLAWS)[number]

interface Task {
  readonly id: string
  readonly release: string
  state: TaskState
  isTombstone: boolean
}

const WORK_MS = 150
const RETRY_MS = 150
const READ_BACK_MS = [300, 1000]
const COOKIE = 'x'.repeat(64)
const KNOWN = ['action', 'task_id', 'release_id', 'studies']

export class FlawedService {
  coordinator = ''
  readonly #flaws: ReadonlySet<Flaw>
  readonly #tasks = new Map<string, Task>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #end = new AbortController()

  constructor(flaws: readonly Flaw[]) {
    this.#flaws = new Set(flaws)
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#end.abort()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #has(flaw: Flaw): boolean {
    return this.#flaws.has(flaw)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const path = this.#has('two slashes are another path') ? request.url : request.url?.replace(/^\/+/, '/')
    const { code, body, work } = await this.#route(`${request.method} ${path}`, text)
    const isPage = code >= 400 && this.#has('errors are pages')
    response.writeHead(code, { 'content-type': isPage ? 'text/html' : 'application/json' })
    if (this.#has('reports first') && work) await work()
    response.end(isPage ? '<h1>Error</h1>' : JSON.stringify(body), () => void work?.())
  }

  async #route(asked: string, text: string): Promise<Answer> {
    if (asked === 'GET /status') return { code: 200, body: this.#status() }
    if (asked !== 'POST /tasks') return refusal(404, 'there is nothing here')
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      return refusal(this.#has('malformed JSON is its own error') ? 500 : 400, 'no JSON')
    }
    const wrong = this.#wrong(body as Record<string, unknown>)
    return wrong === null ? await this.#act(body as Asked) : refusal(400, wrong)
  }

  #status(): object {
    if (this.#has('status without a name')) return { ok: true }
    return {
      name: 'flawed',
      version: '1.0.0',
      ...(this.#has('status without a message') ? {} : { message: 'ready' }),
    }
  }

  #wrong(body: Record<string, unknown>): string | null {
    if (this.#has('any body will do')) return null
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'the body is no object'
    const { action, task_id, release_id, studies = [] } = body
    if (!ACTIONS.some((one) => one === action)) return 'action: unknown'
    if (!isId('TA', task_id)) return 'task_id: no id'
    if (!isId('RE', release_id)) return 'release_id: no id'
    if (!Array.isArray(studies)) return 'studies: no list'
    if (this.#has('knows all fields') && Object.keys(body).some((name) => !KNOWN.includes(name)))
      return 'an unknown field'
    const isLacking = action === 'initialize' && body['studies'] === undefined
    return this.#has('needs studies') && isLacking ? 'studies: missing' : null
  }

  async #act(asked: Asked): Promise<Answer> {
    const { action, task_id: id, release_id: release } = asked
    if (!ACTIONS.includes(action)) return { code: 200, body: {} }
    const task = this.#tasks.get(id)
    if (task && task.release !== release && !this.#has('another release will do'))
      return refusal(400, 'release_id: another one')
    const row = !task ? 'unknown' : task.isTombstone ? 'tombstone' : task.state
    const own = this.#ownWay(action, row, asked)
    if (own) return own
    return await this.#byTable(asked, row, task)
  }

  async #byTable(asked: Asked, row: TableRow, task: Task | undefined): Promise<Answer> {
    const { action, task_id: id, release_id: release } = asked
    const cell = actionCell(row, action)
    if (cell.kind === 'entomb' && !this.#has('a cancel is not remembered'))
      this.#tasks.set(id, { id, release, state: 'canceled', isTombstone: true })
    if (cellCode(cell) !== 200) return refusal(cellCode(cell), `${action} of a task that is ${row}`)
    if (cell.kind !== 'move') return this.#taken(task ?? asked, cellAnswer(row, cell))
    if (action === 'start' && this.#has('cancel is lost beside start')) await sleep(100)
    const moved = this.#move(asked, cell.to)
    return { ...this.#taken(moved, cell.to), work: () => this.#work(moved, action) }
  }

  /** Where a flaw answers otherwise than the table. */
  #ownWay(action: Action, row: string, asked: Asked): Answer | null {
    const move = (to: TaskState): Answer => {
      const task = this.#move(asked, to)
      return { ...this.#taken(task, to), work: () => this.#work(task, action) }
    }
    const is = (flaw: Flaw, when: string) => this.#has(flaw) && `${action} ${row}` === when
    if (is('start of an unknown id', 'start unknown')) return move('running')
    if (is('an unknown id is its own error', 'get_status unknown')) return refusal(500, 'KeyError')
    if (is('publishes what is not staged', 'publish pending')) return move('publishing')
    if (is('starts what is canceled', 'start canceled')) return move('running')
    if (is('published can be canceled', 'cancel published')) return move('canceled')
    if (is('start again is refused', `start ${row}`) && ['running', 'staged'].includes(row))
      return refusal(400, 'already started')
    if (is('start again tells the state', 'start staged')) return this.#taken(asked, 'staged')
    if (is('publish again is refused', `publish ${row}`) && ['publishing', 'published'].includes(row))
      return refusal(400, 'already published')
    return null
  }

  #move({ task_id: id, release_id: release }: Asked, state: TaskState): Task {
    const task = this.#tasks.get(id) ?? { id, release, state, isTombstone: false }
    this.#tasks.set(id, Object.assign(task, { state, isTombstone: false }))
    return task
  }

  #taken(of: Task | Asked, state: TaskState | null): Answer {
    const [id, release] = 'id' in of ? [of.id, of.release] : [of.task_id, of.release_id]
    const whole = {
      name: 'flawed',
      kf_id: id,
      date_submitted: new Date().toISOString(),
      progress: 0,
    }
    const body = {
      task_id: id,
      release_id: release,
      state,
      ...(this.#has('answers lack fields') ? {} : whole),
    }
    return { code: this.#has('accepted is 202') ? 202 : 200, body }
  }

  async #work(task: Task, action: Action): Promise<void> {
    if (action !== 'start' && action !== 'publish') return
    const [during, goal] =
      action === 'start' ? (['running', 'staged'] as const) : (['publishing', 'published'] as const)
    if (!this.#has('reports first')) await sleep(WORK_MS)
    if (this.#has('never done')) return
    if (task.state !== during && !this.#has('works on after a cancel')) return
    if (task.state === during) task.state = goal
    await this.#report(task, goal).catch(() => undefined)
  }

  async #report(task: Task, state: TaskState): Promise<void> {
    if (this.#has('reports nothing')) return
    const progress = this.#has('progress is text') ? '100%' : 100
    while (!this.#end.signal.aborted) {
      const { status, retryAfter } = await this.#call(task, { state, progress })
      if (status === 200) return await this.#readBack(task, state)
      if (this.#has('reports once')) return
      if (status === 400 && !this.#has('repeats what was refused')) return
      if (status === 409 && !this.#has('goes on after a 409')) return void (task.state = 'canceled')
      if (status === 409) return
      if (status === 500 && !this.#has('does not read after a 500') && (await this.#shown(task)) === state)
        return
      await sleep(this.#has('comes back at once') ? RETRY_MS : Math.max(RETRY_MS, retryAfter * 1000))
    }
  }

  async #readBack(task: Task, state: TaskState): Promise<void> {
    if (this.#has('never reads back')) return
    for (const ms of READ_BACK_MS) {
      await sleep(ms)
      if (task.state === state && (await this.#shown(task)) === 'running')
        return await this.#report(task, state)
    }
  }

  async #shown({ id }: Task): Promise<unknown> {
    const answer = await fetch(`${this.coordinator}/tasks/${id}`)
    return ((await answer.json()) as { state?: unknown }).state
  }

  /** Status 0: no answer. */
  async #call({ id }: Task, body: object): Promise<{ status: number; retryAfter: number }> {
    const pair: Record<string, string> = this.#has('no cookie')
      ? {}
      : { cookie: `csrftoken=${COOKIE}`, 'x-csrftoken': COOKIE }
    const headers = { 'content-type': 'application/json', ...pair }
    const { signal } = this.#end
    try {
      const sent = { method: 'PATCH', headers, body: JSON.stringify(body), signal }
      const answer = await fetch(`${this.coordinator}/tasks/${id}`, sent)
      await answer.text()
      return { status: answer.status, retryAfter: Number(answer.headers.get('retry-after') ?? '0') }
    } catch {
      return { status: 0, retryAfter: 0 }
    }
  }
}

interface Asked {
  readonly action: Action
  readonly task_id: string
  readonly release_id: string
}

interface Answer {
  readonly code: number
  readonly body: object
  /** What happens when it was sent. */
  readonly work?: () => Promise<void>
}

const refusal = (code: number, message: string): Answer => ({ code, body: { message, code: 'REFUSED' } })
