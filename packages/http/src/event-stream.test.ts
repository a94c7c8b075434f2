import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createApp, type App } from './app.ts'
import { readerGone, sendEventStream, type StreamSource } from './event-stream.ts'
import { listen } from './listen.ts'
import { createLogger } from './logger.ts'

let app: App
let stop: AbortController
let ended: PromiseWithResolvers<void>

beforeEach(async () => {
  app = await createApp({ title: 'test', version: '1', logger: createLogger('test', 'silent') })
  stop = new AbortController()
  ended = Promise.withResolvers()
})
afterEach(async () => {
  vi.useRealTimers()
  stop.abort()
  await app.close()
})

/** A stream of what `read` gives; `before` is awaited before it begins. */
async function serve(read: StreamSource['read'], before: () => Promise<void> = async () => undefined) {
  app.get('/events', async (request, reply) => {
    await before()
    await sendEventStream(request, reply, { read, signal: stop.signal, intervalMs: 5 })
    ended.resolve()
  })
  return new URL(await listen(app, { host: '127.0.0.1', port: 0, auth: null }))
}

async function connectTo({ port }: URL): Promise<Socket> {
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
  return socket
}

const never = () => new Promise<never>(() => undefined)

test('a reader learns at once that it is connected, long before there is an event (SV-18, CR-43)', async () => {
  const url = await serve(never)
  const response = await fetch(`${url.origin}/events`, { signal: AbortSignal.any([stop.signal]) })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  // Its connection is of no further use, and must not keep the server from ending.
  expect(response.headers.get('connection')).toBe('close')
})

test('where nothing comes, a reader hears something within 15 s (CR-43)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const socket = await connectTo(await serve(async () => []))
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  let passed = 0
  while (!text.includes(': still here\n\n') && passed < 60_000) {
    await vi.advanceTimersByTimeAsync(100)
    passed += 100
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(passed).toBeGreaterThan(10_000)
  // The longest that a coordinator waits for events comes on top.
  expect(passed).toBeLessThan(13_000)
  socket.destroy()
})

test('a reader that had gone before the stream began is not served for ever', async () => {
  const gone = Promise.withResolvers<void>()
  app.addHook('onRequest', async (request) => void request.raw.socket.once('close', () => gone.resolve()))
  let reads = 0
  const url = await serve(
    async () => {
      reads++
      return []
    },
    async () => {
      socket.destroy()
      await gone.promise
      // The answer hears of it after its socket.
      await new Promise((resolve) => setImmediate(resolve))
    },
  )
  const socket = await connectTo(url)
  await ended.promise
  expect(reads).toBe(0)
})

test('who asks after the end is told at once', async () => {
  const seen = Promise.withResolvers<boolean>()
  app.get('/late', async (request, reply) => {
    request.raw.socket.destroy()
    await once(reply.raw, 'close')
    seen.resolve(readerGone(reply).aborted)
    return reply.hijack()
  })
  const { port } = new URL(await listen(app, { host: '127.0.0.1', port: 0, auth: null }))
  const socket = connect(Number(port), '127.0.0.1', () =>
    socket.write('GET /late HTTP/1.1\r\nHost: x\r\n\r\n'),
  )
  socket.on('error', () => undefined)
  expect(await seen.promise).toBe(true)
})

test('a reader that takes nothing is cut off after a minute, whoever serves it; its server can end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let reads = 0
  const url = await serve(async (after) => {
    reads++
    return [{ id: after + 1, data: 'x'.repeat(1_000_000) }]
  })
  const cut = new AbortController()
  app.server.on('connection', (one: Socket) => one.once('close', () => cut.abort()))
  const socket = await connectTo(url)
  socket.pause()
  let last = -1
  for (let passed = 0; !cut.signal.aborted && passed < 200_000; passed += 1000) {
    await vi.advanceTimersByTimeAsync(1000)
    await new Promise((resolve) => setImmediate(resolve))
    last = reads
  }
  expect(cut.signal.aborted).toBe(true)
  expect(last).toBeLessThan(100)
  vi.useRealTimers()
  await app.close()
  socket.destroy()
})

test('a stream that ends with its server leaves no connection that holds it up', async () => {
  const url = await serve(async () => [])
  const response = await fetch(`${url.origin}/events`)
  stop.abort()
  await app.close()
  expect(await response.text()).toBe('')
})
