import { ApiError, refusalOf, silenceOf } from './api-error.ts'

const TIMEOUT_MS = 15 * 1000 // 15 s

/** What the client is told and tells besides. */
export interface ApiOptions {
  /** What the paths of the coordinator begin with, where a proxy has put it under one. */
  readonly root?: string
  /** The token of who is signed in, or null. */
  readonly token: () => string | null
  /** A request with that token was refused. */
  readonly denied: (token: string, path: string) => void
  readonly fetch?: typeof fetch
}

/** Every request of the page goes through here. */
export interface Api {
  get<T>(path: string, signal?: AbortSignal): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
  delete<T>(path: string): Promise<T>
  /** Opens the event stream; answers once its headers are there. */
  stream(path: string, lastEventId: string | null, signal: AbortSignal): Promise<Response>
}

interface Question {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** The client. Every failure is an `ApiError`, except an abort by who asked. */
export function createApi(options: ApiOptions): Api {
  const ask = <T>(question: Question) => answerTo<T>(options, question)
  return {
    get: (path, signal) => ask({ method: 'GET', path, signal }),
    post: (path, body = {}) => ask({ method: 'POST', path, body }),
    patch: (path, body) => ask({ method: 'PATCH', path, body }),
    delete: (path) => ask({ method: 'DELETE', path }),
    stream: (path, lastEventId, signal) => openStream(options, { path, lastEventId, signal }),
  }
}

function headersOf(token: string | null, more: Record<string, string>): Record<string, string> {
  return { ...more, ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
}

async function answerTo<T>(options: ApiOptions, question: Question): Promise<T> {
  const token = options.token()
  const response = await send(options, question, token)
  const body = await bodyOf(response)
  if (response.ok) return body as T
  if (token !== null && (response.status === 401 || response.status === 403))
    options.denied(token, question.path)
  throw refusalOf(response.status, body)
}

async function send(options: ApiOptions, question: Question, token: string | null): Promise<Response> {
  const { method, path, body, signal } = question
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const more = body === undefined ? {} : { 'content-type': 'application/json' }
  try {
    return await (options.fetch ?? fetch)((options.root ?? '') + path, {
      method,
      headers: headersOf(token, { accept: 'application/json', ...more }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw silenceOf(timeout.aborted, method !== 'GET', TIMEOUT_MS / 1000)
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text().catch(() => {
    throw new ApiError('unreachable', 'The connection was lost in the middle of an answer.')
  })
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    if (!response.ok) return null
    throw new ApiError('unreadable', 'Something other than the coordinator answered: reload the page.')
  }
}

async function openStream(
  options: ApiOptions,
  { path, lastEventId, signal }: { path: string; lastEventId: string | null; signal: AbortSignal },
): Promise<Response> {
  const resume = lastEventId === null ? {} : { 'last-event-id': lastEventId }
  const headers = headersOf(options.token(), { accept: 'text/event-stream', ...resume })
  const url = (options.root ?? '') + path
  const response = await (options.fetch ?? fetch)(url, { headers, signal, cache: 'no-store' })
  const isStream = response.headers.get('content-type')?.includes('text/event-stream')
  if (response.ok && isStream) return response
  throw refusalOf(response.status, await response.json().catch(() => null))
}

/** A path with a query; parameters that are absent or empty are left out. Pure. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? path : `${path}?${text}`
}
