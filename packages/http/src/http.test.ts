import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp, type App } from './app.ts'
import { request } from './client.ts'
import { TransportError } from './errors.ts'
import { sendEventStream, type StreamedEvent } from './event-stream.ts'
import { listen } from './listen.ts'
import { createLogger } from './logger.ts'
import { portHolder } from './port-holder.ts'

const HERE = { host: '127.0.0.1', port: 0, auth: null } as const

let app: App
const servers: (Server | ReturnType<typeof createTcpServer>)[] = []

beforeEach(async () => {
  app = await createApp({ title: 'test', version: '1', logger: createLogger('test', 'silent') })
})
afterEach(async () => {
  await app.close()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

/** The address of a server that treats every connection as `handle` does. */
async function tcp(handle: (socket: import('node:net').Socket) => void): Promise<string> {
  const server = createTcpServer(handle)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const failure = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => error as TransportError,
  )

describe('request', () => {
  test('gives status, text, JSON where it is some, and Retry-After', async () => {
    app.get('/json', async (_, reply) => reply.header('retry-after', '7').status(429).send({ a: 1 }))
    app.get('/text', async () => 'plain')
    const url = await listen(app, HERE)
    expect(await request(`${url}/json`, { timeoutMs: 1000 })).toEqual({
      status: 429,
      text: '{"a":1}',
      json: { a: 1 },
      retryAfter: '7',
    })
    expect((await request(`${url}/text`, { timeoutMs: 1000 })).json).toBeUndefined()
  })

  test('does not follow redirects', async () => {
    app.get('/away', async (_, reply) => reply.redirect('/elsewhere'))
    const url = await listen(app, HERE)
    expect((await request(`${url}/away`, { timeoutMs: 1000 })).status).toBe(302)
  })

  test('a refused connection never arrived', async () => {
    const url = await tcp(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const error = await failure(request(`${url}/x`, { timeoutMs: 1000 }))
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ mayHaveArrived: false, message: `GET ${url}/x: connection refused` })
  })

  test('a connection that is cut, and an answer that never comes, may have arrived', async () => {
    const cut = await tcp((socket) => socket.once('data', () => socket.destroy()))
    expect(await failure(request(cut, { timeoutMs: 5000 }))).toMatchObject({ mayHaveArrived: true })
    const silent = await tcp((socket) => void socket.on('error', () => undefined).resume())
    const error = await failure(request(silent, { method: 'POST', body: {}, timeoutMs: 50 }))
    expect(error).toMatchObject({ mayHaveArrived: true, message: `POST ${silent}: no answer within 50 ms` })
  })

  test('an answer in the middle of which the connection ends is no answer', async () => {
    const half = await tcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"state":"run')),
    )
    expect(await failure(request(half, { timeoutMs: 5000 }))).toMatchObject({ mayHaveArrived: true })
  })

  test('an endless answer is given up, not kept', async () => {
    const server = createServer((_, response) => {
      const more = () => {
        while (response.write('x'.repeat(65_536))) if (response.destroyed) return
        response.once('drain', more)
      }
      response.on('error', () => undefined)
      more()
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const error = await failure(
      request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { timeoutMs: 20_000 }),
    )
    expect(error?.message).toContain('longer than 4194304 bytes')
  })
})

describe('listen', () => {
  test('a public address needs both AUTH=off and AUTH_OFF_PUBLIC=yes', async () => {
    const everywhere = { ...HERE, host: '0.0.0.0' }
    const refused = { code: 'ADDRESS_REFUSED' }
    await expect(listen(app, everywhere)).rejects.toMatchObject(refused)
    await expect(listen(app, { ...everywhere, auth: 'off' })).rejects.toMatchObject(refused)
    await expect(listen(app, { ...everywhere, authOffPublic: 'yes' })).rejects.toMatchObject(refused)
    const url = await listen(app, { ...everywhere, auth: 'off', authOffPublic: 'yes' })
    expect(url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
  })

  test('a busy port is refused with the pid that holds it', async () => {
    const port = Number(new URL(await tcp(() => undefined)).port)
    await expect(listen(app, { ...HERE, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `Port ${port} is in use by process ${process.pid}: stop it, or set another port`,
    })
  })

  test('an address that is not ours is refused in one line', async () => {
    await expect(
      listen(app, { host: '127.0.0.1', port: 1, auth: null }).then(
        () => null,
        (error: unknown) => error,
      ),
    ).resolves.toSatisfy(
      // As root port 1 is free to take; everybody else is refused.
      (error: unknown) => error === null || (error as { code: string }).code === 'LISTEN_FAILED',
    )
  })

  test('nobody holds a free port', () => expect(portHolder(1)).toBeNull())
})

describe('event stream', () => {
  async function read(url: string, lastEventId: string | null, wanted: number): Promise<string> {
    const abort = new AbortController()
    const response = await fetch(url, {
      signal: abort.signal,
      headers: lastEventId ? { 'last-event-id': lastEventId } : {},
    })
    let text = ''
    for await (const chunk of response.body!) {
      text += new TextDecoder().decode(chunk)
      if (text.split('\n\n').length > wanted) break
    }
    abort.abort()
    return text
  }

  test('sends what is there, then what comes, resumes after an id, and ends with its source', async () => {
    const events: StreamedEvent[] = [1, 2].map((id) => ({ id, data: { n: id } }))
    const stop = new AbortController()
    app.get('/events', async (incoming, reply) =>
      sendEventStream(incoming, reply, {
        read: async (after) => events.filter((event) => event.id > after),
        signal: stop.signal,
        intervalMs: 5,
      }),
    )
    const url = `${await listen(app, HERE)}/events`
    expect(await read(url, null, 2)).toBe('id: 1\ndata: {"n":1}\n\nid: 2\ndata: {"n":2}\n\n')
    const later = read(url, '2', 1)
    events.push({ id: 3, data: { n: 3 } })
    expect(await later).toBe('id: 3\ndata: {"n":3}\n\n')
    const ending = fetch(url, { headers: { 'last-event-id': '3' } }).then((response) => response.text())
    stop.abort()
    expect(await ending).toBe('')
  })
})

test('the OpenAPI description is served', async () => {
  const response = await app.inject('/openapi.json')
  expect(response.json()).toMatchObject({ openapi: '3.1.0', info: { title: 'test', version: '1' } })
})

test('what the router refuses is answered by the same error handler as everything else', async () => {
  app.setErrorHandler((error: Error, _, reply) => reply.status(400).send({ said: error.message }))
  app.get('/things/:id', async () => 'here')
  for (const url of ['/things/%E0%A4%A', `/things/${'x'.repeat(500)}`]) {
    const response = await app.inject(url)
    expect([response.statusCode, Object.keys(response.json())]).toEqual([400, ['said']])
  }
})
