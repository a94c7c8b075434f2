import * as fc from 'fast-check'
import { openCoordinator } from './coordinator-side.ts'
import { hostileRequests, type HostileRequest } from './requests.ts'
import { dump, settled, type HostileAnswer, type OpenSide, type Side } from './side.ts'
import { brokenHttp, exchangeBytes, firstAnswer } from './sockets.ts'
import { openTaskService } from './task-service-side.ts'

export const SIDES: { readonly [name: string]: OpenSide } = {
  'task-service': openTaskService,
  coordinator: openCoordinator,
}

/** So many requests go to one running side; a batch is what a seed repeats. */
export const BATCH = 500
const SHARE_OF_SOCKETS = 0.1

export interface Batch {
  readonly requests: number
  /** How often each status was answered; 0: the connection was ended without an answer. */
  readonly statuses: ReadonlyMap<number, number>
  /** What broke a promise: the request and the answer, smallest first found. */
  readonly violations: readonly string[]
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

/** One batch against a side of its own, on an empty database. The same seed and count give the same requests. */
export async function hunt(open: OpenSide, seed: number, count: number, databaseUrl: string): Promise<Batch> {
  const side = await open(databaseUrl)
  const bySocket = Math.round(count * SHARE_OF_SOCKETS)
  const watch = new Watch(side)
  try {
    await watch.begin()
    const first = await check(
      hostileRequests(side.routes),
      (request) => watch.inject(request),
      seed,
      count - bySocket,
    )
    await side.app.listen({ host: '127.0.0.1', port: 0 })
    const second = await check(brokenHttp, (bytes) => watch.send(bytes), seed, bySocket)
    return { requests: count, statuses: watch.statuses, violations: [...first, ...second] }
  } finally {
    await side.close()
  }
}

async function check<T>(
  requests: fc.Arbitrary<T>,
  one: (request: T) => Promise<void>,
  seed: number,
  numRuns: number,
): Promise<string[]> {
  const result = await fc.check(fc.asyncProperty(requests, one), { seed, numRuns })
  if (!result.failed) return []
  return [result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)]
}

/** Sends requests and holds every answer against the promises. */
class Watch {
  readonly statuses = new Map<number, number>()
  readonly #side: Side
  #stored = ''

  constructor(side: Side) {
    this.#side = side
  }

  async begin(): Promise<void> {
    this.#stored = await settled(this.#side.database)
  }

  async inject(request: HostileRequest): Promise<void> {
    const { payload, url, headers } = request
    const response = await this.#side.app.inject({
      method: request.method as Method,
      url,
      headers,
      ...(payload === undefined ? {} : { payload }),
    })
    const answer = {
      status: response.statusCode,
      type: response.headers['content-type'] ?? '',
      body: response.body,
    }
    await this.#judge(request, answer)
  }

  async send(bytes: Buffer): Promise<void> {
    const { port } = this.#side.app.server.address() as { port: number }
    const text = bytes.toString('latin1')
    const method = text.slice(0, text.search(/ |$/))
    const answer = firstAnswer(await exchangeBytes(port, bytes))
    const request = { method, url: text.split(' ')[1] ?? '', headers: {}, payload: bytes }
    await this.#judge(request, answer ?? { status: 0, type: '', body: '' })
  }

  async #judge(request: HostileRequest, answer: HostileAnswer): Promise<void> {
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1)
    const wrong = wrongWithAnswer(this.#side, request, answer) ?? (await this.#changed(request, answer))
    if (wrong !== null) throw new Error(`${wrong}\n  request: ${shown(request)}\n  answer: ${shown(answer)}`)
  }

  /** What is refused, and what only reads, changes nothing; what is accepted may, and is waited for. */
  async #changed(request: HostileRequest, answer: HostileAnswer): Promise<string | null> {
    const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(request.method)
    const mayChange =
      (answer.status >= 200 && answer.status < 300 && !isRead) || this.#side.keepsOf(request, answer)
    if (mayChange) {
      this.#stored = await settled(this.#side.database)
      return null
    }
    const before = this.#stored
    this.#stored = await dump(this.#side.database)
    if (before === this.#stored) return null
    return `a request that was refused has changed the database\n${difference(before, this.#stored)}`
  }
}

function wrongWithAnswer(
  side: Side,
  request: HostileRequest,
  { status, type, body }: HostileAnswer,
): string | null {
  if (status >= 500) return 'an error of ours'
  if (status !== 0 && status < 200) return 'no answer that means anything'
  if (status < 400 || request.method === 'HEAD') return null
  if (/\n\s+at .+:\d+:\d+|node_modules|node:internal/.test(body)) return 'a stack trace'
  if (!type.startsWith('application/json')) return `a refusal of the type "${type}"`
  try {
    return side.wrongWith(JSON.parse(body), request, status)
  } catch {
    return 'a refusal that is no JSON'
  }
}

const MOST_SHOWN = 600

function shown(value: object): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    const bytes = inner as { type?: string; data?: number[] } | null
    return bytes?.type === 'Buffer' && bytes.data ? Buffer.from(bytes.data).toString('latin1') : inner
  })
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}… (${text.length} characters)` : text
}

function difference(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const gone = old.filter((line) => !now.includes(line)).map((line) => `  - ${line}`)
  const come = now.filter((line) => !old.includes(line)).map((line) => `  + ${line}`)
  return [...gone, ...come].slice(0, 10).join('\n')
}
