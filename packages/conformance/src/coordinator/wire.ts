import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { fieldOf, parsed } from '../told.ts'

export interface ReceivedAction {
  /** By `performance.now()`. */
  readonly at: number
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
  readonly action: string
  readonly task: string
  readonly release: string
  /** null: not yet. */
  answeredAt: number | null
}

export interface Reply {
  readonly status: number
  /** Text is sent as it is, and is no JSON. */
  readonly body: object | string
}
/** null: as a good service does. `cut`: the connection ends without an answer. */
export type Handler = (asked: ReceivedAction) => Reply | 'cut' | null | Promise<Reply | 'cut' | null>

export function receivedAction(headers: IncomingHttpHeaders, text: string, at: number): ReceivedAction {
  const body = parsed(text)
  const word = (name: string) => String(fieldOf(body, name))
  const [action, task, release] = [word('action'), word('task_id'), word('release_id')]
  return { at, headers, body, action, task, release, answeredAt: null }
}

export function send(response: ServerResponse, reply: Reply | 'cut'): void {
  if (reply === 'cut') return void response.destroy()
  const isText = typeof reply.body === 'string'
  response.writeHead(reply.status, { 'content-type': isText ? 'text/plain' : 'application/json' })
  response.end(isText ? reply.body : JSON.stringify(reply.body))
}
