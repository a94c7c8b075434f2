/** Every error of this package; docs/errors.md lists the same codes, and a test compares them. */
export const AUTH_ERRORS = {
  TOKEN_MISSING: 'A call that needs a token came without one.',
  TOKEN_INVALID:
    'The token is not accepted: malformed, unsigned, signed by an unknown key, for somebody else, or not valid yet.',
  TOKEN_EXPIRED: 'The token was good and has expired; its holder needs a new one.',
  TOKEN_INCOMPLETE: 'The token is genuine, but lacks a claim without which nobody can be told from it.',
  KEYS_UNAVAILABLE:
    'The keys that tokens are checked with cannot be read; a trouble of this side or of the issuer, not of the caller.',
  TOKEN_ENDPOINT_UNAVAILABLE:
    'The issuer did not give a token: not reached, overloaded, or an unusable answer.',
  TOKEN_ENDPOINT_REFUSED: 'The issuer refused a token: wrong client, secret, or audience.',
  ISSUER_KEY_UNREADABLE: 'The file with the key of the local issuer cannot be read, or holds no usable key.',
} as const
export type AuthErrorCode = keyof typeof AUTH_ERRORS

/**
 * A failure of authentication. Neither its message nor its cause ever holds a token, its claims or a secret: the
 * errors of the token library carry the claims that they read, and are therefore never kept as causes.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode

  constructor(code: AuthErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
