import type { FastifyRequest } from '@release-task/http'
import { z } from 'zod'
import { Problem } from './problem.ts'

type Issue = { readonly input: unknown }

const missing = (otherwise: string) => (issue: Issue) => {
  if (issue.input === undefined) return 'This field is required.'
  return issue.input === null ? 'This field may not be null.' : otherwise
}

/** A text of 1 to `max` characters, in the words of the contract (CR-15). */
export function text(max: number) {
  return blankText(max).min(1, 'This field may not be blank.')
}

/** A text that may be empty. */
export function blankText(max: number) {
  return z
    .string({ error: missing('Not a valid string.') })
    .trim()
    .max(max, `Ensure this field has no more than ${max} characters.`)
    .superRefine((value, context) => {
      const message = unstorable(value)
      if (message) context.addIssue({ code: 'custom', message })
    })
}

/** What no database gives back as it came: PostgreSQL refuses a NUL, and half of a surrogate pair is lost (CR-15). */
function unstorable(value: string): string | null {
  if (value.includes('\0')) return 'Null characters are not allowed.'
  const half = /\p{Surrogate}/u.exec(value)?.[0]
  return half
    ? `Surrogate characters are not allowed: U+${half.charCodeAt(0).toString(16).toUpperCase()}.`
    : null
}

/**
 * The body of a request. A form says a list by repeating a field: one value alone is a list of one (CR-4).
 * @param lists the fields that are lists
 */
export function bodyOf({ headers, body }: FastifyRequest, lists: readonly string[] = []): unknown {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  if (!isForm || typeof body !== 'object' || body === null) return body
  const fields: Record<string, unknown> = { ...body }
  for (const name of lists) if (typeof fields[name] === 'string') fields[name] = [fields[name]]
  return fields
}

const TRUE = ['true', 'True', 'TRUE', 't', 'T', 'on', 'On', 'ON', '1', 1, true]
const FALSE = ['false', 'False', 'FALSE', 'f', 'F', 'off', 'Off', 'OFF', '0', 0, false]

/** true or false, also as forms send them. */
export const bool = z
  .unknown()
  .superRefine((value, context) => {
    if (![...TRUE, ...FALSE].includes(value as string))
      context.addIssue({ code: 'custom', message: missing('Must be a valid boolean.')({ input: value }) })
  })
  .transform((value) => TRUE.includes(value as string))
  .meta({ type: 'boolean' })

/** A whole number, also as forms send it; `"50%"` is none (RC-27). */
export const integer = z.unknown().transform((value, context) => {
  const number = typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value
  if (Number.isInteger(number)) return number as number
  context.addIssue({ code: 'custom', message: missing('A valid integer is required.')({ input: value }) })
  return z.NEVER
})

const TYPE_NAMES: { readonly [type: string]: string } = {
  string: 'str',
  number: 'int',
  boolean: 'bool',
  object: 'dict',
}

/** A list, in the words of the contract where it is none. */
export function list<T extends z.ZodType>(item: T, ifEmpty?: string) {
  const error = (issue: Issue) =>
    missing(`Expected a list of items but got type "${TYPE_NAMES[typeof issue.input] ?? 'object'}".`)(issue)
  const array = z.array(item, { error })
  return ifEmpty === undefined ? array : array.min(1, ifEmpty)
}

/**
 * The fields of a body.
 * @throws Problem 400 with the messages of every field
 */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  if (typeof (body ?? {}) !== 'object' || Array.isArray(body)) {
    const type = Array.isArray(body) ? 'list' : (TYPE_NAMES[typeof body] ?? typeof body)
    throw new Problem(400, { non_field_errors: [`Invalid data. Expected a dictionary, but got ${type}.`] })
  }
  const parsed = schema.safeParse(body ?? {})
  if (parsed.success) return parsed.data
  throw new Problem(400, messagesByField(parsed.error.issues))
}

/** `{field: [messages]}`, and `{field: {index: [messages]}}` for an element of a list (CR-14). */
function messagesByField(issues: readonly z.core.$ZodIssue[]): object {
  const fields: Record<string, any> = {}
  for (const { path, message } of issues) {
    const [field, index] = path.map(String)
    if (field === undefined) continue
    if (index === undefined) fields[field] = [...(fields[field] ?? []), message]
    else fields[field] = { ...fields[field], [index]: [...(fields[field]?.[index] ?? []), message] }
  }
  return fields
}
