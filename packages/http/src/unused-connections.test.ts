import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp, type App } from './app.ts'
import { listen } from './listen.ts'
import { createLogger } from './logger.ts'

let app: App
let port: number
let sockets: Socket[]

beforeEach(async () => {
  sockets = []
  app = await createApp({ title: 'test', version: '1', logger: createLogger('test', 'silent') })
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await app.close()
})

/** The caller's end and ours. */
async function open(): Promise<readonly [Socket, Socket]> {
  const accepted = once(app.server, 'connection') as Promise<[Socket]>
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  const [[ours]] = await Promise.all([accepted, once(socket, 'connect')])
  return [socket, ours]
}

const start = async () => {
  port = Number(new URL(await listen(app, { host: '127.0.0.1', port: 0, auth: null })).port)
}

test('a connection that nothing was asked on does not hold up the end', async () => {
  await start()
  const [unused] = await open()
  const closed = once(unused, 'close')
  await app.close()
  await closed
})

test('nor does one on which half of a request has arrived', async () => {
  await start()
  const [half, ours] = await open()
  half.write('GET / HT')
  while (ours.bytesRead === 0) await new Promise((resolve) => setImmediate(resolve))
  await app.close()
})

test('nor one that was asked on before, and waits for the next request', async () => {
  app.get('/', async () => 'x')
  await start()
  const [kept] = await open()
  kept.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(kept, 'data')
  await app.close()
})

test('what was asked is answered first', async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<string>()
  app.get('/', () => {
    asked.resolve()
    return answer.promise
  })
  await start()
  const [working] = await open()
  let text = ''
  working.on('data', (chunk: Buffer) => (text += chunk.toString()))
  working.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await asked.promise
  const closing = app.close()
  answer.resolve('the answer')
  await closing
  if (!working.closed) await once(working, 'close')
  expect(text).toContain('the answer')
})
