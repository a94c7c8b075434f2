import { request, TransportError, type Answer, type RequestOptions } from '@release-task/http/client'
import type { Tokens } from './credentials.ts'
import { CommandError } from './errors.ts'
import { refusalOf, unreachable, type Asked } from './refusal.ts'

const TIMEOUT_MS = 20 * 1000 // 20 s: a registration makes the coordinator ask somebody else, for up to 15 s

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly body?: object
  readonly timeoutMs?: number
  /** What to type for a look at what is there, for the words of an error. */
  readonly look?: string
  readonly signal?: AbortSignal
}

/** One side that is asked: the coordinator, or a task service. */
export interface Side {
  readonly url: string
  /** Null: calls go out without a token. */
  readonly tokens: Tokens | null
  /** @throws CommandError that says why there is no good answer, and what to do next */
  ask<T>(path: string, question?: Question): Promise<T>
}

export function sideOf(name: string, url: string, tokens: Tokens | null): Side {
  async function ask<T>(path: string, question: Question = {}): Promise<T> {
    const { method = 'GET', look = 'release-task --help' } = question
    const asked: Asked = { method, side: name, url, path, look, hasToken: tokens !== null }
    const answer = await sent(await senderFor(tokens), `${url}${path}`, question, asked)
    if (answer.status < 200 || answer.status >= 300) throw refusalOf(answer, asked)
    if (typeof answer.json === 'object' && answer.json !== null) return answer.json as T
    throw new CommandError(
      'ANSWER_UNREADABLE',
      `${url}${path} answered ${answer.status} and no JSON: that is no ${name}`,
      name === 'coordinator' ? '--coordinator URL, or COORDINATOR_API' : 'release-task services list',
    )
  }
  return { url, tokens, ask }
}

/** Only what can get another token needs the rules of when it does, which come with all of @release-task/auth. */
async function senderFor(tokens: Tokens | null): Promise<typeof request> {
  if (tokens === null) return request
  if (!tokens.isGiven) return (await import('@release-task/auth')).authorized(tokens, request)
  const headers = { authorization: `Bearer ${await tokens.token()}` }
  return (url, options) => request(url, { ...options, headers })
}

async function sent(send: typeof request, url: string, question: Question, asked: Asked): Promise<Answer> {
  const { body, timeoutMs = TIMEOUT_MS, signal } = question
  const options: RequestOptions = {
    method: question.method ?? 'GET',
    timeoutMs,
    ...(body ? { body } : {}),
    ...(signal ? { signal } : {}),
  }
  try {
    return await send(url, options)
  } catch (error) {
    if (error instanceof TransportError) throw unreachable(error, asked)
    throw error
  }
}

/** A query of those parts that are set, with its `?`. */
export function query(parts: { readonly [name: string]: string | number | undefined }): string {
  const set = Object.entries(parts).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`
}
