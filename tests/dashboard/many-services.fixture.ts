import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const AT_ONCE = 40

/** What a service of the crowd was told of a task last. */
interface Told {
  readonly task: string
  readonly release: string
}

/** A thousand task services in one small server: each has a path of its own as its address, and does what it is told. */
export class Crowd {
  readonly #server: Server
  readonly #count: number
  /** What each was told to start, by its number. */
  readonly #started = new Map<string, Told>()

  static async start(count: number): Promise<Crowd> {
    const crowd = new Crowd(count)
    await new Promise<void>((resolve) => crowd.#server.listen(0, '127.0.0.1', resolve))
    return crowd
  }

  private constructor(count: number) {
    this.#count = count
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  get started(): number {
    return this.#started.size
  }

  /** Registers every one of them at a coordinator that checks no tokens. */
  register(coordinator: string): Promise<void> {
    const { port } = this.#server.address() as AddressInfo
    return this.#each(async (number) => {
      const name = `service-${String(number).padStart(4, '0')}`
      const url = `http://127.0.0.1:${port}/${number}`
      const body = { name, description: 'one of many', author: 'crowd', url }
      await send('POST', `${coordinator}/task-services`, body)
    })
  }

  /** Every one of them reports its task. */
  report(coordinator: string, bodyOf: (number: number) => object): Promise<void> {
    return this.#each(async (number) => {
      const told = this.#started.get(String(number))
      await send('PATCH', `${coordinator}/tasks/${told?.task}`, bodyOf(number))
    })
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #each(what: (number: number) => Promise<void>): Promise<void> {
    let next = 0
    const work = async () => {
      while (next < this.#count) await what(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, number = '', path] = (request.url ?? '').split('/')
    const say = (body: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (path === 'status') return void say({ name: `service-${number}`, version: '1.0.0' })
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { action, task_id: task, release_id: release } = JSON.parse(text)
    if (action === 'start') this.#started.set(number, { task, release })
    const state = action === 'initialize' ? 'pending' : 'running'
    const base = { name: `service-${number}`, kf_id: task, task_id: task, release_id: release }
    say({ ...base, state, progress: 0, date_submitted: new Date().toISOString() })
  }
}

async function send(method: string, url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`)
}
