import { request as httpRequest, type IncomingMessage, type RequestOptions as NodeOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { AddressRefused, type Outgoing } from './outgoing.ts'

export interface Sent {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly signal: AbortSignal
}

/** Whether the connection came about: only from then on may the other side have seen anything. */
export interface Progress {
  isConnected: boolean
}

const SENDERS = { 'http:': httpRequest, 'https:': httpsRequest } as const

/**
 * One request over connections that are checked (CR-30). Compressed answers are not asked for: a small one could
 * become a very large one.
 * @throws AddressRefused before anything is sent; else what node says of the connection
 */
export async function checkedRequest(
  url: string,
  sent: Sent,
  outgoing: Outgoing,
  progress: Progress,
): Promise<IncomingMessage> {
  const target = new URL(url)
  const protocol = target.protocol
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new AddressRefused(`${url} is not called: ${protocol} is neither http: nor https:`)
  if (target.username || target.password)
    throw new AddressRefused(`${target.host} is not called: its address holds a user name or a password`)
  outgoing.checkHost(target.hostname)
  return exchange(SENDERS[protocol], target, optionsOf(sent, outgoing.agents[protocol]), {
    body: sent.body,
    progress,
  })
}

function optionsOf({ method, headers, body, signal }: Sent, agent: NonNullable<NodeOptions['agent']>) {
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const own = { 'user-agent': 'release-task', 'accept-encoding': 'identity', ...length }
  return { method, signal, agent, headers: { ...own, ...headers } }
}

function exchange(
  send: typeof httpRequest,
  target: URL,
  options: NodeOptions,
  { body, progress }: { body: string | null; progress: Progress },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = send(target, options, resolve)
    outgoing.on('error', reject)
    // An answer that changes the protocol ends without any of the other events.
    outgoing.on('close', () => reject(new Error('the connection ended without an answer')))
    outgoing.on('socket', (socket) => watch(socket, target.protocol, progress))
    outgoing.end(body ?? undefined)
  })
}

function watch(socket: Socket, protocol: string, progress: Progress): void {
  const connected = () => {
    progress.isConnected = true
  }
  if (!socket.connecting && !socket.destroyed) connected()
  else socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', connected)
}
