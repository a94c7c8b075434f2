import { request } from 'node:http'

export interface RawRequest {
  readonly method: string
  /** Sent as it is: no client in between makes it nicer. */
  readonly path: string
  readonly authorization?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface RawAnswer {
  readonly status: number
  readonly text: string
  /** Of a JSON body; else undefined. */
  readonly body: any
  readonly contentType: string
}

/** Of all others node would send a body of unknown length, where there is none. */
const READS = ['GET', 'HEAD', 'OPTIONS']

/** A request as an attacker writes it: any path, and a header as often as wanted. */
export function rawRequest(base: string, wanted: RawRequest): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(base)
  const sent = textOf(wanted.body)
  const headers = [
    ['host', host],
    ['connection', 'close'],
    ...(wanted.authorization ?? []).map((line) => ['authorization', line]),
    ...(wanted.body === undefined ? [] : [['content-type', 'application/json']]),
    ...(READS.includes(wanted.method) ? [] : [['content-length', String(Buffer.byteLength(sent))]]),
    ...Object.entries(wanted.headers ?? {}),
  ]
  const options = { hostname, port, method: wanted.method, path: wanted.path, headers: headers.flat() }
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const contentType = response.headers['content-type'] ?? ''
        const body = contentType.includes('application/json') && text !== '' ? JSON.parse(text) : undefined
        resolve({ status: response.statusCode ?? 0, text, body, contentType })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}

function textOf(body: unknown): string {
  if (body === undefined) return ''
  return typeof body === 'string' ? body : JSON.stringify(body)
}
