import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { request, TransportError, type Answer } from '@release-task/http'
import { backoffDelay, type Report } from '@release-task/protocol'
import type { Release, Study } from './author-types.ts'
import type { CoordinatorAccess } from './define.ts'
import { TaskServiceError } from './errors.ts'

const TIMEOUT_MS = 15 * 1000 // 15 s
const READ_TRIES = 4
const READ_BACKOFF = { firstMs: 250, maxMs: 4000 } // 0.25 s doubling to 4 s
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

type Send = typeof request

/** What this service asks of its coordinator. */
export interface CoordinatorClient {
  /** Where it is, and a token that it takes. @throws AuthError where none can be had now */
  access(): Promise<CoordinatorAccess>
  /** One try of `PATCH /tasks/:id`. @throws TransportError where no whole answer came */
  report(taskId: string, report: Report, signal: AbortSignal): Promise<Answer>
  /** One try of `GET /tasks/:id`. @throws TransportError where no whole answer came */
  task(taskId: string, signal: AbortSignal): Promise<Answer>
  /** `GET /releases/:id`, with a few tries. @throws TaskServiceError COORDINATOR_ANSWER */
  release(releaseId: string, signal: AbortSignal): Promise<Release>
  /** `GET /studies/:id`, with a few tries. @throws TaskServiceError COORDINATOR_ANSWER */
  study(studyId: string, signal: AbortSignal): Promise<Study>
}

/**
 * A client of the coordinator at `baseUrl`, which has no slash at the end.
 * @param send with this service's token, where it has one
 * @param token that token, for code that speaks to the coordinator by itself
 */
export function createCoordinatorClient(
  baseUrl: string,
  send: Send = request,
  token: () => Promise<string | null> = async () => null,
): CoordinatorClient {
  // An id may hold any character (ID-4), also such as would lead elsewhere.
  const url = (collection: string, id: string) =>
    `${baseUrl}/${collection}/${encodeURIComponent(id.toWellFormed())}`
  return {
    access: async () => ({ url: baseUrl, token: await token() }),
    report: (taskId, report, signal) =>
      send(url('tasks', taskId), {
        method: 'PATCH',
        headers: csrfHeaders(baseUrl),
        body: report,
        timeoutMs: TIMEOUT_MS,
        signal,
      }),
    task: (taskId, signal) => send(url('tasks', taskId), { timeoutMs: TIMEOUT_MS, signal }),
    release: async (id, signal) => (await readWithRetries(send, url('releases', id), signal)) as Release,
    study: async (id, signal) => (await readWithRetries(send, url('studies', id), signal)) as Study,
  }
}

/**
 * The original refuses every write that carries a token unless a cookie and a header agree on a value, which the
 * caller may choose itself; over https it also looks at the referrer (N-10). Harmless elsewhere.
 */
function csrfHeaders(baseUrl: string): Record<string, string> {
  const token = [...randomBytes(64)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
  const secure = new URL(baseUrl).protocol === 'https:'
  const referer: Record<string, string> = secure ? { referer: `${baseUrl}/` } : {}
  return { cookie: `csrftoken=${token}`, 'x-csrftoken': token, ...referer }
}

async function readWithRetries(send: Send, url: string, signal: AbortSignal): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted()
    const outcome = await send(url, { timeoutMs: TIMEOUT_MS, signal }).catch((error: unknown) => error)
    if (!(outcome instanceof Error) && isGood(outcome as Answer)) return (outcome as Answer).json
    if (tries === READ_TRIES || !mayPass(outcome)) throw readError(url, outcome)
    await sleep(backoffDelay(READ_BACKOFF, tries, Math.random()), undefined, { signal })
  }
}

const isGood = (answer: Answer) =>
  answer.status === 200 && typeof answer.json === 'object' && answer.json !== null

function mayPass(outcome: unknown): boolean {
  if (outcome instanceof TransportError) return true
  const status = (outcome as Answer).status
  return status === 429 || status >= 500
}

function readError(url: string, outcome: unknown): Error {
  if (outcome instanceof Error)
    return new TaskServiceError(
      'COORDINATOR_ANSWER',
      `Cannot read from the coordinator: ${outcome.message}`,
      outcome,
    )
  const { status, text } = outcome as Answer
  return new TaskServiceError('COORDINATOR_ANSWER', `GET ${url} answered ${status}: ${text.slice(0, 200)}`)
}
