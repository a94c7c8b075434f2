import type { Answer, TransportError } from '@release-task/http'
import { isAuthError } from './credentials.ts'
import { CommandError } from './errors.ts'

/** Who was asked what, for the words of an error. */
export interface Asked {
  readonly method: string
  /** `coordinator`, or `task service`. */
  readonly side: string
  /** Of the side, without the path. */
  readonly url: string
  readonly path: string
  /** What to type for a look at what is there. */
  readonly look: string
  /** Without a token the way to one is told. */
  readonly hasToken: boolean
}

/** How the coordinator begins where a write may have been stored, although it says 503. */
const UNKNOWN = 'It is not known'
const NEXT_WITHOUT_TOKEN =
  'set RELEASE_TASK_TOKEN (RELEASE_TASK_SERVICE_TOKEN for task services), or AUTH_CLIENT_ID and its settings, see --help'
const NEXT_WITH_TOKEN = 'docs/access.md says who may do what'

/** An answer that is no success, as the error of a command. */
export function refusalOf({ status, json, text }: Answer, asked: Asked): CommandError {
  const said = reasonOf(json) ?? (text.slice(0, 200) || `status ${status}`)
  const whole = `The ${asked.side} refused: ${withoutDot(said)} (${status})`
  if (status === 401 || status === 403)
    return new CommandError('NOT_PERMITTED', whole, asked.hasToken ? NEXT_WITH_TOKEN : NEXT_WITHOUT_TOKEN)
  if (status === 404)
    return new CommandError('NOT_FOUND', `The ${asked.side} at ${asked.url} has no ${asked.path}`, asked.look)
  const isLater = status === 408 || status === 429 || status >= 500
  if (!isLater) return new CommandError('REFUSED', whole, asked.look)
  const later = `The ${asked.side} at ${asked.url} cannot answer now: ${withoutDot(said)} (${status})`
  return mayHaveActed(status, said, asked)
    ? new CommandError('OUTCOME_UNKNOWN', `${later}; it may have been done`, asked.look)
    : new CommandError('NOT_REACHABLE', later, 'ask again shortly')
}

const WHY: { readonly [code: string]: string } = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  'bad port': 'no request may go to this port',
}

/** A request without a whole answer, as the error of a command. */
export function unreachable(error: TransportError, asked: Asked): CommandError {
  const { cause } = error
  if (isAuthError(cause) && cause.code === 'TOKEN_ENDPOINT_REFUSED')
    return new CommandError('NOT_PERMITTED', cause.message, NEXT_WITHOUT_TOKEN, error)
  if (isAuthError(cause))
    return new CommandError('NOT_REACHABLE', cause.message, 'look at AUTH_ISSUER and AUTH_TOKEN_URL', error)
  const code = error.message.replace(/^[A-Z]+ \S+: /, '')
  const why = WHY[code] ?? code
  if (error.mayHaveArrived && asked.method !== 'GET')
    return new CommandError(
      'OUTCOME_UNKNOWN',
      `The answer of the ${asked.side} at ${asked.url} was lost: ${why}; it may have been done`,
      asked.look,
      error,
    )
  return new CommandError(
    'NOT_REACHABLE',
    `The ${asked.side} at ${asked.url} cannot be reached: ${why}`,
    asked.side === 'coordinator' ? '--coordinator URL, or COORDINATOR_API' : 'release-task services list',
    error,
  )
}

/** 503 says that nothing was done, unless it says otherwise; a proxy that has lost an answer knows nothing of it. */
function mayHaveActed(status: number, said: string, { method }: Asked): boolean {
  if (method === 'GET' || status < 500) return false
  return status !== 503 || said.startsWith(UNKNOWN)
}

const withoutDot = (text: string): string => text.replace(/\.$/, '')

/** What an error body says (CR-14, SV-14), in one line; null where it says nothing. */
export function reasonOf(json: unknown): string | null {
  if (typeof json === 'string') return json
  if (Array.isArray(json)) return joined(json.map((one: unknown) => reasonOf(one)))
  if (typeof json !== 'object' || json === null) return null
  const { detail, message } = json as { detail?: unknown; message?: unknown }
  if (typeof detail === 'string') return detail
  if (typeof message === 'string') return message
  return joined(Object.entries(json).map(([field, said]) => fieldText(field, reasonOf(said))))
}

const fieldText = (field: string, said: string | null): string | null =>
  said === null ? null : field === 'non_field_errors' ? said : `${field}: ${said}`

function joined(parts: readonly (string | null)[]): string | null {
  const said = parts.filter((part) => part !== null)
  return said.length === 0 ? null : said.join(' ')
}
