/** Why a request brought no usable answer. */
export type ApiErrorKind = 'refused' | 'unreachable' | 'timeout' | 'unreadable'

/** The one error of the client: what happened, in words for people, and what each field of a form did wrong. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorKind
  readonly status: number | null
  readonly fields: Readonly<Record<string, string>>

  constructor(kind: ApiErrorKind, message: string, more: { status?: number; body?: unknown } = {}) {
    super(message)
    this.kind = kind
    this.status = more.status ?? null
    this.fields = fieldsOf(more.body)
  }

  /** Whether the coordinator was not heard at all. */
  get isSilence(): boolean {
    return this.kind === 'unreachable' || this.kind === 'timeout'
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** All texts in a value of an error body, however deep: `["a"]`, `{"0": ["a"]}`. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isObject(value) ? Object.entries(value).flatMap(([key, one]) => named(key, textsIn(one))) : []
}

const named = (key: string, texts: readonly string[]) =>
  /^\d+$/.test(key) ? [...texts] : texts.map((text) => `${key}: ${text}`)

const GENERAL = new Set(['detail', 'message', 'status', 'non_field_errors', 'code'])

/** What an error body says of each field (CR-14). Pure. */
export function fieldsOf(body: unknown): Readonly<Record<string, string>> {
  if (!isObject(body)) return {}
  const entries = Object.entries(body).filter(([name]) => !GENERAL.has(name))
  return Object.fromEntries(entries.map(([name, value]) => [name, textsIn(value).join(' ')]))
}

/** What an error body says, in one text; null where it says nothing. Pure. */
export function serverMessage(body: unknown): string | null {
  if (!isObject(body)) return null
  for (const name of ['detail', 'message', 'non_field_errors']) {
    const texts = textsIn(body[name])
    if (texts.length > 0) return texts.join(' ')
  }
  const fields = Object.entries(fieldsOf(body)).map(([name, text]) => `${name}: ${text}`)
  return fields.length > 0 ? fields.join(' · ') : null
}

const ADVICE: { readonly [status: number]: string } = {
  403: 'You are not allowed to do this.',
  404: 'There is no such record any more.',
  409: 'Its state does not allow this now.',
  429: 'Too many requests; try again in a moment.',
}

/** The error for an answer that is not a success. Pure. */
export function refusalOf(status: number, body: unknown): ApiError {
  const fallback = ADVICE[status] ?? `The coordinator answered ${status} and did not say why.`
  return new ApiError('refused', serverMessage(body) ?? fallback, { status, body })
}

/** The error for a request that was not answered. A change may have been made all the same. Pure. */
export function silenceOf(isTimeout: boolean, isChange: boolean, seconds: number): ApiError {
  const what = isTimeout
    ? `The coordinator did not answer within ${seconds} s.`
    : 'The coordinator cannot be reached.'
  const next = isChange ? ' It is not known whether the change was made: look before you try again.' : ''
  return new ApiError(isTimeout ? 'timeout' : 'unreachable', what + next)
}
