import type { Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import type { HttpErrorCode } from './errors.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** The body of a refusal, in the shape of the side that answers (CR-14, SV-14). */
export type ErrorBody = (code: HttpErrorCode, message: string) => object

export interface Refusal {
  readonly status: number
  readonly code: HttpErrorCode
  readonly message: string
}

/** What node says of a request that never became one. */
const UNREADABLE: { readonly [code: string]: Refusal } = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'REQUEST_TOO_SLOW',
    message: 'The request took too long to arrive',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'HEAD_TOO_LARGE',
    message: 'The address and the headers of the request are too large together: 16 KiB are the most',
  },
}

/** The refusal for what node could not read; null where nobody is left who could be told. */
export function refusalOf(error: NodeJS.ErrnoException): Refusal | null {
  if (error.code === 'ECONNRESET') return null
  const known = UNREADABLE[error.code ?? '']
  if (known) return known
  return { status: 400, code: 'REQUEST_UNREADABLE', message: `This is no HTTP request: ${error.message}` }
}

const LINGER_MS = 500
const answered = new WeakSet<Socket>()

/**
 * Answers on a connection that has no request, and ends it. What still arrives is thrown away for a moment: to end at
 * once would cost the caller the answer.
 */
export function refuseConnection(socket: Socket, refusal: Refusal, errorBody: ErrorBody): void {
  if (answered.has(socket) || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  answered.add(socket)
  socket.end(rawAnswer(refusal, errorBody))
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

/** A second answer in the middle of another would be taken for a part of it. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: current } = socket as { _httpMessage?: { readonly headersSent: boolean } | null }
  return current?.headersSent ?? false
}

function rawAnswer({ status, code, message }: Refusal, errorBody: ErrorBody): string {
  const body = JSON.stringify(errorBody(code, message))
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...SECURITY_HEADERS,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n')
}
