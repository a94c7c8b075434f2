import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drawFate } from './fate.ts'
import type { HttpLine, Line } from './history.ts'
import { FaultProxy } from './proxy.ts'
import { Random } from './random.ts'

/** Chance that always comes to the same fate: its first number says that there is trouble, the second which. */
function fated(at: number): Random {
  const numbers = [0]
  return Object.assign(new Random(0), { next: () => numbers.shift() ?? at })
}

let server: Server
let proxy: FaultProxy
let received: string[]
let lines: Line[]
let ports: number[]
let random: Random

beforeEach(async () => {
  received = []
  lines = []
  server = createServer((incoming, outgoing) => {
    let body = ''
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()))
    incoming.on('end', () => {
      received.push(`${incoming.method} ${incoming.url} ${body}`)
      outgoing.setHeader('content-type', 'application/json')
      outgoing.end(JSON.stringify({ state: 'running', filler: 'x'.repeat(100) }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ports = [(server.address() as AddressInfo).port]
  proxy = new FaultProxy({
    link: 'to alpha',
    ports: () => ports,
    random: () => random,
    record: (line) => lines.push(line),
  })
  await proxy.start()
})

afterEach(async () => {
  await proxy.close()
  await new Promise((resolve) => server.close(resolve))
})

const http = () => lines.filter((line): line is HttpLine => line.type === 'http')

async function ask(method: 'POST' | 'PATCH' = 'POST'): Promise<number | 'broken'> {
  try {
    const response = await fetch(`${proxy.url}/tasks/TA_1`, { method, body: '{"state":"staged"}' })
    await response.json()
    return response.status
  } catch {
    return 'broken'
  }
}

test('without trouble everything passes, and is recorded with its answer', async () => {
  random = new Random(1)
  expect(await ask()).toBe(200)
  expect(received).toEqual(['POST /tasks/TA_1 {"state":"staged"}'])
  expect(lines.map(({ type }) => type)).toEqual(['request', 'http'])
  expect(http()[0]).toMatchObject({ fate: 'pass', status: 200, answer: { state: 'running' } })
})

test('a process that refuses the connection is passed over; without any the connection ends', async () => {
  random = new Random(1)
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const port = (gone.address() as AddressInfo).port
  await new Promise((resolve) => gone.close(resolve))
  ports = [port, ...ports]
  expect([await ask(), await ask()]).toEqual([200, 200])
  ports = [port]
  expect(await ask()).toBe('broken')
})

describe('in trouble', () => {
  /** What each fate is to the caller, and to the receiver. */
  const FATES = {
    drop: ['broken', 0],
    lose_answer: ['broken', 1],
    cut: ['broken', 1],
    delay: [200, 1],
    arrive_late: ['broken', 1],
    double: [200, 2],
    gateway: ['gateway', 0],
    swallow: [200, 0],
  } as const

  test.each(Object.entries(FATES))('%s', async (name, [caller, arrivals]) => {
    proxy.setTrouble(1)
    // Of all fates, the one that is looked for: the chance is a fraction of their weights.
    for (let at = 0; at < 1; at += 0.01) {
      if (drawFate(fated(at), 1, true).type !== name) continue
      random = fated(at)
      lines = []
      received = []
      const answered = await ask('PATCH')
      const fate = await settled()
      expect(fate.startsWith(name)).toBe(true)
      const isGateway = caller === 'gateway'
      // The gateway's page is no JSON.
      expect(answered).toBe(isGateway ? 'broken' : caller)
      expect(received.length).toBe(arrivals)
      return
    }
    throw new Error(`no chance comes to ${name}`)
  })

  /** The second arrival of a doubled request may come after its line. */
  async function settled(): Promise<string> {
    for (;;) {
      const [line] = http()
      if (line && (!line.fate.startsWith('double') || received.length === 2)) return line.fate
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
})
