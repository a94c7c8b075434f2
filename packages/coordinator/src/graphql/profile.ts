import { bearerToken, type Caller } from '@release-task/auth'
import type { FastifyRequest } from '@release-task/http'

/** A person, as far as their token tells: we keep no users. All times are epoch milliseconds. */
export interface Profile {
  readonly key: string
  readonly username: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  readonly picture: string
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly issuedAt: number
}

const MOST_TEXT = 2048

/** @param caller whom the guard knows by the token of this request; a token that was not verified is not read */
export function profileOf(caller: Caller, request: FastifyRequest): Profile | null {
  if (caller.kind !== 'user') return null
  const claims = claimsOf(bearerToken(request.headers.authorization) ?? '')
  const text = (name: string) => {
    const value = claims[name]
    return typeof value === 'string' && value.length <= MOST_TEXT ? value : ''
  }
  const issued = claims['iat']
  return {
    key: caller.id,
    username: caller.name,
    email: text('email'),
    firstName: text('given_name'),
    lastName: text('family_name'),
    picture: text('picture'),
    roles: [caller.role],
    groups: caller.studies,
    issuedAt: typeof issued === 'number' && Number.isSafeInteger(issued) ? issued * 1000 : 0,
  }
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return JSON.parse(payload) as Readonly<Record<string, unknown>>
}
