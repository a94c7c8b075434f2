import { request, type RequestOptions } from '@release-task/http/client'

/** What came back for one request. Code 0: nothing that is an answer. */
export interface Told {
  readonly code: number
  readonly text: string
  /** undefined: not JSON. */
  readonly json: unknown
  readonly ms: number
  /** When it was there, by `performance.now()`. */
  readonly at: number
}

/** Nothing answers at the address that is to be checked. */
export class NobodyThere extends Error {
  override readonly name = 'NobodyThere'
}

/** One request, never repeated. Whatever happens is told, nothing is thrown. */
export function tell(url: string, options: RequestOptions): Promise<Told> {
  return timed(async () => {
    const { status: code, text, json } = await request(url, options)
    return { code, text, json }
  })
}

const TEXT_WITHIN_MS = 15_000

/** The same with a body that is no JSON, or half of one. */
export function tellText(url: string, body: string, headers: Record<string, string>): Promise<Told> {
  const signal = AbortSignal.timeout(TEXT_WITHIN_MS)
  return timed(async () => {
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    const text = await answer.text()
    return { code: answer.status, text, json: parsed(text) }
  })
}

async function timed(ask: () => Promise<Pick<Told, 'code' | 'text' | 'json'>>): Promise<Told> {
  const began = performance.now()
  const answer = await ask().catch((error: unknown) => ({ code: 0, text: messageOf(error), json: undefined }))
  const at = performance.now()
  return { ...answer, ms: Math.round(at - began), at }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** undefined: it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A field of a JSON object; undefined where there is none, or no object. */
export function fieldOf(json: unknown, name: string): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  return (json as { readonly [name: string]: unknown })[name]
}

export const isObject = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const MOST_CHARS = 200

/** For people: the code, and the beginning of the body. */
export function inWords({ code, text, json }: Told): string {
  const body = json === undefined ? text.replaceAll(/\s+/g, ' ').trim() : JSON.stringify(json)
  const excerpt = body.length > MOST_CHARS ? `${body.slice(0, MOST_CHARS)}…` : body
  if (code === 0) return `no answer: ${excerpt}`
  return excerpt === '' ? `${code} with an empty body` : `${code} ${excerpt}`
}
