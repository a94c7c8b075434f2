import { errors, jwtVerify } from 'jose'
import { MAX_TOKEN_LENGTH } from './bearer.ts'
import { callerOf, missingClaim, type Caller, type Claims } from './caller.ts'
import { AuthError } from './errors.ts'
import { createKeySet, type KeySetOptions } from './key-set.ts'

export interface VerifierOptions extends Omit<KeySetOptions, 'url'> {
  readonly jwksUrl: string
  /** With or without a slash at the end: issuers differ in it, and settings lose it. */
  readonly issuer: string
  /** The audience of this side; a token for anybody else is refused. */
  readonly audience: string
  /** Clients whose machine tokens are ADMIN (AU-8). */
  readonly adminClients?: readonly string[]
}

export interface Verifier {
  /**
   * Who the token stands for; never anonymous.
   * @throws AuthError TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_INCOMPLETE, or KEYS_UNAVAILABLE where the
   *   token could not be judged
   */
  verify(token: string): Promise<Caller>
}

/** Never what the token itself asks for: `none`, or a public key used as a shared secret, would pass (AU-5). */
const ALGORITHMS = ['RS256', 'ES256']
const LEEWAY_SECONDS = 30

/** Checks tokens by AU-5: signature, algorithm, issuer, audience and times; who is meant is AU-6 and AU-8. */
export function createVerifier(options: VerifierOptions): Verifier {
  const keys = createKeySet({ ...options, url: options.jwksUrl })
  const now = options.now ?? Date.now
  const issuer = options.issuer.replace(/\/+$/, '')

  async function claimsOf(token: string): Promise<Claims> {
    const { payload } = await jwtVerify(token, (header) => keys.find(header), {
      algorithms: ALGORITHMS,
      issuer: [issuer, `${issuer}/`],
      audience: options.audience,
      requiredClaims: ['exp'],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(now()),
    })
    return payload
  }

  async function verify(token: string): Promise<Caller> {
    if (token === '') throw new AuthError('TOKEN_MISSING', 'There is no token')
    if (token.length > MAX_TOKEN_LENGTH) throw invalid(`it is longer than ${MAX_TOKEN_LENGTH} bytes`)
    const claims = await claimsOf(token).catch((error: unknown) => {
      throw refusal(error)
    })
    const caller = callerOf(claims, options.adminClients)
    if (caller.kind !== 'anonymous') return caller
    throw new AuthError('TOKEN_INCOMPLETE', `The token has no usable claim ${missingClaim(claims)}`)
  }

  return { verify }
}

function invalid(why: string): AuthError {
  return new AuthError('TOKEN_INVALID', `The token is not accepted: ${why}`)
}

/** Says why in words of our own: those of the library can repeat the token, and its errors carry the claims. */
function refusal(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  if (error instanceof errors.JWTExpired) return new AuthError('TOKEN_EXPIRED', 'The token has expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalid(`its claim ${error.claim} is missing or not as expected`)
  if (error instanceof errors.JOSEAlgNotAllowed)
    return invalid(`its algorithm is not one of ${ALGORITHMS.join(', ')}`)
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('its signature is wrong')
  if (error instanceof errors.JOSEError) return invalid('it is not a signed token')
  // Everything about the token was an error of the library's own; what is left is a key that is too short or broken.
  return new AuthError('KEYS_UNAVAILABLE', 'The key of the issuer for this token cannot be used')
}
