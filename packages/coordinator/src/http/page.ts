import type { FastifyRequest } from '@release-task/http'
import type { Page, Window } from '../store.ts'

const DEFAULT_LIMIT = 10
const MOST = 1000

type Query = Readonly<Record<string, string | string[] | undefined>>

/** The first value of a query parameter; null where it is absent or empty. */
export function queryText(request: FastifyRequest, name: string): string | null {
  const value = (request.query as Query)[name]
  return (Array.isArray(value) ? value[0] : value) || null
}

function number(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null
}

/** `?limit` and `?offset`; garbage counts as absent (CR-10). */
export function windowOf(request: FastifyRequest): Window {
  const limit = number(queryText(request, 'limit')) || DEFAULT_LIMIT
  return { limit: Math.min(MOST, limit), offset: number(queryText(request, 'offset')) ?? 0 }
}

/** The page envelope: links keep the other parameters, and the first page has no offset (CR-11). */
export function envelope<T>(request: FastifyRequest, base: string, page: Page<T>, window: Window) {
  const { limit, offset } = window
  // Put together as text: `base` may have a path of its own, and a Host header may be no part of any address.
  const [path, query] = request.url.split('?', 2)
  const link = (to: number) => {
    const parameters = new URLSearchParams(query)
    parameters.set('limit', String(limit))
    if (to > 0) parameters.set('offset', String(to))
    else parameters.delete('offset')
    return `${base}${path}?${parameters.toString()}`
  }
  return {
    count: page.count,
    next: offset + limit < page.count ? link(offset + limit) : null,
    previous: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    results: page.results,
  }
}
