import { callerOn } from '@release-task/auth'
import type { App, FastifyRequest } from '@release-task/http'
import { GraphQLError } from 'graphql'

export interface RestAnswer {
  readonly status: number
  readonly body: unknown
}

/** Asks our own REST API on behalf of the caller. */
export type Rest = (method: 'POST' | 'PATCH' | 'DELETE', url: string, body?: object) => Promise<RestAnswer>

/**
 * A change over GraphQL is one over REST, asked within the process with the token and from the address of the caller:
 * the guard, the policy, the validation, the audit trail and the limit of requests are the same ones (GQ-6, F-50).
 */
export function createRest(app: App, request: FastifyRequest): Rest {
  // Of several tokens none counts; only one that counted may be passed on.
  const { authorization } = request.headers
  const isKnown = callerOn(request).kind !== 'anonymous' && authorization !== undefined
  return async (method, url, body) => {
    const answer = await app.inject({
      method,
      url,
      remoteAddress: request.ip,
      headers: { accept: 'application/json', ...(isKnown ? { authorization } : {}) },
      ...(body === undefined ? {} : { payload: body }),
    })
    return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
  }
}

/** What a change is refused with, in the words of the original GraphQL API. */
export interface Words {
  /** Who may not. */
  readonly forbidden: string
  /** What there is not. */
  readonly missing?: string
  /** What is wrong with one field, said otherwise than by its name and the message. */
  readonly field?: (field: string, message: string) => string | null
}

/**
 * The body of an answer that is a success.
 * @throws GraphQLError for any other
 */
export function bodyOf<T>({ status, body }: RestAnswer, words: Words): T {
  if (status < 300) return body as T
  if (status === 401 || status === 403) throw new GraphQLError(words.forbidden)
  if (status === 404 && words.missing) throw new GraphQLError(words.missing)
  throw new GraphQLError(problemText(body, words))
}

function problemText(body: unknown, { field }: Words): string {
  const fields = (body ?? {}) as Readonly<Record<string, unknown>>
  const whole = fields['detail'] ?? fields['message']
  if (typeof whole === 'string') return whole
  const lines = Object.entries(fields).map(([name, messages]) => {
    const message = textsOf(messages).join(' ')
    return field?.(name, message) ?? `${inOurWords(name)}: ${message}`
  })
  return lines.join('; ')
}

/** The messages of a field, or of each element of a list. */
function textsOf(messages: unknown): string[] {
  if (typeof messages === 'string') return [messages]
  return typeof messages === 'object' && messages !== null ? Object.values(messages).flatMap(textsOf) : []
}

function inOurWords(field: string): string {
  return field === 'is_major' ? 'isMajor' : field
}

/** The fields that are given; one that is null is not. */
export function given(input: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== null && value !== undefined),
  )
}
