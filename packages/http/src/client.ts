import { TransportError } from './errors.ts'

const MAX_ANSWER_BYTES = 4 * 1024 * 1024 // 4 MiB

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** From the first byte out to the last byte in. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly retryAfter: string | null
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown
}

/** Failures in which no byte of the request was read by the other side. */
const NEVER_ARRIVED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * One HTTP request, never repeated and never redirected: who calls knows what may be repeated.
 * @throws TransportError for everything that is not a whole answer
 */
export async function request(url: string, options: RequestOptions): Promise<Answer> {
  const timeout = AbortSignal.timeout(options.timeoutMs)
  try {
    const response = await fetch(url, {
      method: options.method ?? 'GET',
      redirect: 'manual',
      signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
      headers: { accept: 'application/json', ...contentType(options.body), ...options.headers },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    })
    const text = await readText(response)
    return {
      status: response.status,
      text,
      retryAfter: response.headers.get('retry-after'),
      json: parse(text),
    }
  } catch (error) {
    throw transportError(url, options, error)
  }
}

function contentType(body: unknown): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' }
}

async function readText(response: Response): Promise<string> {
  if (!response.body) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function transportError(url: string, options: RequestOptions, error: unknown): TransportError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
  const why = timedOut ? `no answer within ${options.timeoutMs} ms` : describe(error, cause)
  const arrived = !NEVER_ARRIVED.has(cause?.code ?? '')
  return new TransportError(`${options.method ?? 'GET'} ${url}: ${why}`, arrived, error)
}

function describe(error: unknown, cause: { code?: string; message?: string } | undefined): string {
  if (cause?.code === 'ECONNREFUSED') return 'connection refused'
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error))
}
