import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { drawFate, fateName, RETRY_AFTER_S, type Fate } from './fate.ts'
import type { Line } from './history.ts'
import type { Random } from './random.ts'

interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface ProxyOptions {
  readonly link: string
  /** Ports of the living processes behind it; one that refuses is passed over. */
  readonly ports: () => readonly number[]
  readonly random: () => Random
  readonly record: (line: Line) => void
}

const TRIES_MS = 20_000

/** The line between a coordinator and a service: it shares requests among processes, troubles them, and records them all. */
export class FaultProxy {
  readonly #options: ProxyOptions
  readonly #server: Server
  /** Ends what is late when the proxy is closed. */
  readonly #closing = new AbortController()
  #trouble = 0
  #next = 0
  url = ''

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this.url
  }

  /** @param trouble how much of what passes is troubled, 0 to 1 */
  setTrouble(trouble: number): void {
    this.#trouble = trouble
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const received = await receive(incoming)
    const { link, random, record } = this.#options
    const { method, path } = received
    const body = parse(received.body)
    const fate = drawFate(random(), this.#trouble, method === 'PATCH' && hasState(body))
    if (method !== 'GET') record({ type: 'request', link, path, body })
    const answer = await this.#meet(fate, received, outgoing)
    if (!isWorthALine(method, fate)) return
    const told = { status: answer?.status ?? null, answer: answer && parse(answer.body) }
    record({ type: 'http', link, method, path, body, fate: fateName(fate), ...told })
  }

  /** @returns what the receiver said; null where nothing arrived, or nobody could be reached */
  async #meet(fate: Fate, received: Received, outgoing: ServerResponse): Promise<Answer | null> {
    if (fate.type === 'drop') return end(outgoing)
    if (fate.type === 'gateway') return gateway(outgoing, fate.status)
    if (fate.type === 'swallow') return swallow(outgoing, received)
    if (fate.type === 'delay') await this.#wait(fate.ms)
    if (fate.type === 'arrive_late') {
      end(outgoing)
      await this.#wait(fate.ms)
    }
    const [answer] = await Promise.all([
      this.#passOn(received),
      ...(fate.type === 'double' ? [this.#again(received, fate.afterMs)] : []),
    ])
    if (answer === null || fate.type === 'lose_answer') end(outgoing)
    else if (fate.type === 'cut') cut(outgoing, answer)
    else if (fate.type !== 'arrive_late') passBack(outgoing, answer)
    return answer
  }

  async #again(received: Received, afterMs: number): Promise<null> {
    // Not waited for: the caller has its answer long before the second one arrives.
    if (afterMs === 0) await this.#passOn(received)
    else void this.#wait(afterMs).then(() => this.#passOn(received), () => undefined) // prettier-ignore
    return null
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal })
  }

  /** To the next process; one that cannot be reached passes it on to the one after it. */
  async #passOn(received: Received): Promise<Answer | null> {
    const ports = [...this.#options.ports()]
    for (let tries = 0; tries < ports.length; tries++) {
      const answer = await send(ports[this.#next++ % ports.length]!, received)
      if (answer !== 'unreachable') return answer
    }
    return null
  }
}

/** Reads are many; what they came to matters only where something was done to them. */
const isWorthALine = (method: string, fate: Fate): boolean => method !== 'GET' || fate.type !== 'pass'

async function receive(incoming: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { method = 'GET', url = '/', headers } = incoming
  return { method, path: url, headers, body: Buffer.concat(chunks) }
}

function send(
  port: number,
  { method, path, headers, body }: Received,
): Promise<Answer | 'unreachable' | null> {
  return new Promise((resolve) => {
    const { connection: _, 'transfer-encoding': __, ...passed } = headers
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false as const,
      timeout: TRIES_MS,
      headers: { ...passed, 'content-length': body.length },
    }
    const outgoing = request(options, (incoming) => {
      void receive(incoming).then(
        (got) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: got.body }),
        () => resolve(null),
      )
    })
    // Whoever refuses the connection has seen nothing of it.
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'unreachable' : null),
    )
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.end(body)
  })
}

function passBack(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  const { connection: _, 'transfer-encoding': __, 'content-length': ___, ...passed } = headers
  outgoing.writeHead(status, { ...passed, 'content-length': body.length })
  outgoing.end(body)
}

function cut(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  const type = headers['content-type'] ?? 'application/json'
  outgoing.writeHead(status, { 'content-type': type, 'content-length': body.length })
  outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy())
}

function end(outgoing: ServerResponse): null {
  outgoing.destroy()
  return null
}

/** Progress that is lost is followed by more; a state is what must not be. */
function hasState(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'state' in body
}

function gateway(outgoing: ServerResponse, status: number): null {
  const retry = status === 429 ? { 'retry-after': String(RETRY_AFTER_S) } : {}
  outgoing.writeHead(status, { 'content-type': 'text/html', ...retry })
  outgoing.end('<html><body>The gateway has a bad day.</body></html>')
  return null
}

function swallow(outgoing: ServerResponse, { path, body }: Received): null {
  const shown = JSON.stringify({ kf_id: path.split('/').at(-1), ...(parse(body) as object) })
  outgoing.writeHead(200, { 'content-type': 'application/json' })
  outgoing.end(shown)
  return null
}

function parse(body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return text.slice(0, 200)
  }
}
