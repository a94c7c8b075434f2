import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { tellPage } from './page.ts'

const NEVER = new AbortController().signal

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** What is said of a coordinator that answers browsers so. */
async function saidOf(type: string): Promise<string[]> {
  server = createServer(({ headers }, response) => {
    const asked = headers.accept === 'text/html' ? type : 'text/plain'
    response.setHeader('content-type', asked).end('answer')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const lines: string[] = []
  await tellPage({ url, stop: NEVER, say: (line) => lines.push(line.replace(url, 'URL')) })
  return lines
}

test('a coordinator that has a page of its own', async () => {
  expect(await saidOf('text/html; charset=utf-8')).toEqual(['dashboard URL'])
})

test('one that has none, and one that is away: nothing is said', async () => {
  expect(await saidOf('application/json')).toEqual([])
  const lines: string[] = []
  await tellPage({ url: 'http://127.0.0.1:1', stop: NEVER, say: (line) => lines.push(line) })
  expect(lines).toEqual([])
})
