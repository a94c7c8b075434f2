import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { sideOf } from './asking.ts'
import { createEventParser, readEvents, type Place, type StreamEvent } from './event-stream.ts'
import { wordOf } from './looks.ts'

describe('createEventParser', () => {
  const STREAM =
    'retry: 2000\nid: 4\n\n: still here\n\nid: 5\ndata: {"a":1}\n\nid: 6\r\ndata: x\r\ndata: y\r\n\r\n'
  const EVENTS = [
    { id: '4', data: null },
    { id: '5', data: '{"a":1}' },
    { id: '6', data: 'x\ny' },
  ]

  test('the same events however the pieces are cut', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parse = createEventParser()
      const found: StreamEvent[] = []
      for (let at = 0; at < STREAM.length; at += size) found.push(...parse(STREAM.slice(at, at + size)))
      expect(found).toEqual(EVENTS)
    }
  })

  test('what is not whole is none yet', () => expect(createEventParser()('id: 5\ndata: {"a"')).toEqual([]))
})

test('wordOf: warnings and errors, nothing else', () => {
  const event = (data: unknown) => ({ id: '1', data: typeof data === 'string' ? data : JSON.stringify(data) })
  const told = { event_type: 'warning', message: 'late', created_at: '2030' }
  expect(wordOf(event(told))).toEqual({ at: '2030', type: 'warning', message: 'late' })
  expect(wordOf(event({ ...told, event_type: 'info' }))).toBeNull()
  expect(wordOf(event('no json'))).toBeNull()
  expect(wordOf({ id: '1', data: null })).toBeNull()
})

let close = () => {}
afterEach(() => close())

async function serving(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => void server.close()
  return sideOf('coordinator', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, null)
}

test('readEvents resumes where the connection before ended', async () => {
  const asked: unknown[] = []
  let id = 10
  const side = await serving((request, response) => {
    asked.push(request.headers['last-event-id'])
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`id: ${id++}\ndata: {}\n\n`)
  })
  const place: Place = { lastId: null }
  const seen: unknown[] = []
  const { signal } = new AbortController()
  const read = () => readEvents(side, '/', { place, told: (event) => seen.push(event.id), signal })
  await read()
  await read()
  expect([asked, seen]).toEqual([
    [undefined, '10'],
    ['10', '11'],
  ])
})

test.each([
  ['503', 503, 'application/json'],
  ['a page', 200, 'text/html'],
])('%s is no stream', async (_, status, type) => {
  const side = await serving((_request, response) =>
    response.writeHead(status, { 'content-type': type }).end('x'),
  )
  const read = readEvents(side, '/', {
    place: { lastId: null },
    told: () => expect.unreachable(),
    signal: new AbortController().signal,
  })
  await expect(read).rejects.toThrow('no stream')
})
