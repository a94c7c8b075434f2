import { bearerToken } from './bearer.ts'
import { ANONYMOUS, type Caller } from './caller.ts'
import { AuthError } from './errors.ts'
import type { Verifier } from './verifier.ts'

export interface Identity {
  readonly caller: Caller
  /** Why the caller is anonymous; null for one who is known. For the log: the caller learns only that it is 403. */
  readonly problem: AuthError | null
}

/**
 * Who sent a request, from its `Authorization` header. A missing or bad token makes the caller anonymous and never
 * fails: what that means is for the policy to say, on GET and on writes alike (AU-3).
 */
export async function identify(
  header: string | readonly string[] | undefined,
  verifier: Verifier,
): Promise<Identity> {
  if (header === undefined || header === '')
    return anonymous(new AuthError('TOKEN_MISSING', 'There is no token'))
  const token = bearerToken(header)
  if (token === null)
    return anonymous(new AuthError('TOKEN_INVALID', 'The Authorization header is not one bearer token'))
  try {
    return { caller: await verifier.verify(token), problem: null }
  } catch (error) {
    if (error instanceof AuthError) return anonymous(error)
    throw error
  }
}

function anonymous(problem: AuthError): Identity {
  return { caller: ANONYMOUS, problem }
}
