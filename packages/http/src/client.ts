import { checkedRequest, type Progress, type Sent } from './checked-request.ts'
import { TransportError } from './errors.ts'
import { AddressRefused, type Outgoing } from './outgoing.ts'

// Whoever asks needs no server: this module is an entry of the package, which loads none.
export { TransportError } from './errors.ts'

const MAX_ANSWER_BYTES = 4 * 1024 * 1024 // 4 MiB

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** From the first byte out to the last byte in. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Where somebody else than the operator chose the address (CR-30); without it, it is called whatever it is. */
  readonly outgoing?: Outgoing
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
 * @throws TransportError for everything that is not a whole answer; its cause is AddressRefused where the address was
 * not called
 */
export async function request(url: string, options: RequestOptions): Promise<Answer> {
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout
  const { outgoing } = options
  const progress = { isConnected: false }
  try {
    return outgoing
      ? await sendChecked(url, { ...requestParts(options), signal }, outgoing, progress)
      : await sendFreely(url, { ...requestParts(options), signal })
  } catch (error) {
    const arrived = outgoing ? progress.isConnected : !NEVER_ARRIVED.has(causeOf(error)?.code ?? '')
    throw transportError(url, options, { error, arrived, timedOut: timeout.aborted })
  }
}

async function sendFreely(url: string, sent: Sent): Promise<Answer> {
  const response = await fetch(url, { ...sent, redirect: 'manual' })
  const text = await readText(response.body)
  return answerOf(response.status, text, response.headers.get('retry-after'))
}

async function sendChecked(url: string, sent: Sent, outgoing: Outgoing, progress: Progress): Promise<Answer> {
  const response = await checkedRequest(url, sent, outgoing, progress)
  return answerOf(response.statusCode ?? 0, await readText(response), response.headers['retry-after'] ?? null)
}

function requestParts({ method = 'GET', headers, body }: RequestOptions) {
  return {
    method,
    headers: { accept: 'application/json', ...contentType(body), ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  }
}

function answerOf(status: number, text: string, retryAfter: string | null): Answer {
  return { status, text, retryAfter, json: parse(text) }
}

function contentType(body: unknown): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' }
}

async function readText(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body ?? []) {
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

interface Failure {
  readonly error: unknown
  readonly arrived: boolean
  readonly timedOut: boolean
}

function transportError(url: string, options: RequestOptions, { error, arrived, timedOut }: Failure) {
  const why = timedOut ? `no answer within ${options.timeoutMs} ms` : describe(error)
  return new TransportError(`${options.method ?? 'GET'} ${url}: ${why}`, arrived, error)
}

/** `fetch` hides what happened in a cause; node's own client says it itself. */
function causeOf(error: unknown): { readonly code?: string; readonly message?: string } | undefined {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  return cause ?? (error as { code?: string })
}

function describe(error: unknown): string {
  // Which address a name has, and why it is not called, is only for the log (CR-29).
  if (error instanceof AddressRefused) return 'the address is not called'
  const cause = causeOf(error)
  if (cause?.code === 'ECONNREFUSED') return 'connection refused'
  const code = typeof cause?.code === 'string' ? cause.code : undefined
  return code ?? cause?.message ?? (error instanceof Error ? error.message : String(error))
}
