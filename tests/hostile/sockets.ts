import { connect } from 'node:net'
import * as fc from 'fast-check'
import type { HostileAnswer } from './side.ts'

const LINES = [
  'GET / HTTP/1.1',
  'GET /tasks HTTP/1.1',
  'GET /tasks HTTP/1.0',
  'GET /tasks',
  'GET  /tasks  HTTP/1.1',
  'GET /tasks HTTP/9.9',
  'GET http://evil.example/tasks HTTP/1.1',
  'GET //evil.example/tasks HTTP/1.1',
  'GET /tasks/../../etc/passwd HTTP/1.1',
  'GET /tasks/%00%0d%0a HTTP/1.1',
  'GET /tasks?limit=\u00ff HTTP/1.1',
  'GET tasks HTTP/1.1',
  'get /tasks HTTP/1.1',
  'POST /tasks HTTP/1.1',
  'PATCH /tasks/TA_NOTHERE0 HTTP/1.1',
  'DELETE /tasks HTTP/1.1',
  'BREW /tasks HTTP/1.1',
  'CONNECT 127.0.0.1:1 HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'TRACE /tasks HTTP/1.1',
  'PRI * HTTP/2.0',
  `GET /${'x'.repeat(9000)} HTTP/1.1`,
  `GET /${'%41'.repeat(6000)} HTTP/1.1`,
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', // how TLS begins
  '',
]

const HEADERS = [
  'host: 127.0.0.1',
  'host: 127.0.0.1',
  'host: a\r\nhost: b',
  'host:',
  'content-type: application/json',
  'content-length: 2',
  'content-length: 0',
  'content-length: -1',
  'content-length: 2, 3',
  'content-length: 99999999999999999999',
  'content-length: 0x2',
  'transfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: xchunked',
  'connection: close',
  'connection: upgrade\r\nupgrade: websocket',
  'expect: 100-continue',
  'expect: the worst',
  'x y: z',
  ': nothing',
  'no colon',
  ' folded',
  'x: \u0000',
  'x: \u0001\u007f',
  `x: ${'y'.repeat(20_000)}`,
  `x: ${'y'.repeat(100)}\r\n`.repeat(200).trimEnd(),
  'accept: text/event-stream;q=0',
]

const BODIES = [
  '',
  '{}',
  '{"action":"fly"}',
  '2\r\n{}\r\n0\r\n\r\n',
  'zz\r\n{}\r\n0\r\n\r\n',
  'ffffffffffffffffff\r\n{}',
  '-1\r\n{}\r\n',
  `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  '0\r\nx: y\r\n\r\n',
  '2\r\n{}',
  'GET / HTTP/1.1\r\n\r\n',
  '\u0000\u00ff\u00fe',
]

/** Bytes that are nearly HTTP. */
export const brokenHttp: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(...LINES),
    fc.array(fc.constantFrom(...HEADERS), { maxLength: 5 }),
    fc.constantFrom(...BODIES),
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
  )
  .map(([line, headers, body, end]) =>
    Buffer.from([line, ...headers, '', body].join('\r\n').replaceAll('\r\n', end), 'latin1'),
  )

const PATIENCE_MS = 5000

/** Sends bytes on a connection of their own, says that this is all, and takes what comes until the other side ends. */
export function exchangeBytes(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`the connection does not come to an end; received: ${received.slice(0, 200)}`))
    }, PATIENCE_MS)
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => (received += text))
    // What was refused may be cut off while the rest of it is still on its way.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received)
    })
  })
}

/** The first answer of what was received; null: none, and the connection was ended. */
export function firstAnswer(received: string): HostileAnswer | null {
  if (received === '') return null
  const [head = '', ...rest] = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n')
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim() ?? ''
  const body = Buffer.from(rest.join('\r\n\r\n'))
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0),
    type: header('content-type'),
    body: body.subarray(0, Number(header('content-length') || body.length)).toString(),
  }
}
