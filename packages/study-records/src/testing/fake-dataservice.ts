import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { onTestFinished } from 'vitest'

export interface FakeDataservice {
  readonly url: string
  /** Path and query of every request, in order. */
  readonly requests: string[]
}

export interface FakeOptions {
  readonly rows: readonly object[]
  /** Total told on a page, where it is not the number of rows; `nth` counts requests from 1. */
  readonly total?: (nth: number) => number
  /** Answers in place of the page where it returns true. */
  readonly instead?: (response: ServerResponse, nth: number, request: IncomingMessage) => boolean
}

/**
 * A Data Service on a free port, with one list of rows for every collection. Its pages behave as the real one's:
 * `next` lacks `limit` and `visible`, and a full page has a `next` even where nothing follows.
 */
export async function fakeDataservice(options: FakeOptions): Promise<FakeDataservice> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    if (options.instead?.(response, requests.length, request)) return
    const page = pageOf(options, new URL(request.url ?? '', 'http://fake'), requests.length)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

function pageOf(options: FakeOptions, url: URL, nth: number): object {
  const limit = Number(url.searchParams.get('limit') ?? 100)
  const from = Number(url.searchParams.get('after') ?? 0)
  const results = options.rows.slice(from, from + limit)
  const study = url.searchParams.get('study_id')
  const next = `${url.pathname}?study_id=${study}&after=${from + limit}&after_uuid=7c9e6679-7425-40de-944b-e07fc1f90ae7`
  return {
    _status: { message: 'success', code: 200 },
    _links: { self: `${url.pathname}${url.search}`, ...(results.length === limit ? { next } : {}) },
    total: options.total?.(nth) ?? options.rows.length,
    limit,
    results,
  }
}
