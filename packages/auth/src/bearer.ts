/** Longer ones are refused unread: far above what an issuer writes, far below what costs time to parse. */
export const MAX_TOKEN_LENGTH = 8 * 1024 // 8 KiB, of one byte each

const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The token of an `Authorization` header; null where there is not exactly one (AU-3). Whether it is worth anything
 * is for the verifier to say.
 */
export function bearerToken(header: string | readonly string[] | undefined): string | null {
  if (typeof header !== 'string' || header.length > MAX_TOKEN_LENGTH + 'Bearer '.length) return null
  return BEARER.exec(header)?.[1] ?? null
}
