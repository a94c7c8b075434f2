import { createHmac, createPublicKey } from 'node:crypto'
import { claimsFor, type UserSubject } from '../token-claims.ts'
import { sign, signingKey } from './signing-key.ts'
import type { TestIssuer } from './test-issuer.ts'

/** The `Authorization` lines of a request that must be taken for nobody's. */
export interface Attack {
  readonly name: string
  readonly lines: readonly string[]
}

const ADMIN: UserSubject = { kind: 'user', id: 'mallory', role: 'ADMIN', studies: [] }
const BEYOND_LEEWAY = 31 // s
/** The tokens of a table are used for a while. */
const FAR = 10 * 60 // s

/**
 * Everything that is not a token for this side, each as near to a good one as can be (AU-3, AU-5, AU-9).
 * @param audience of the side that is attacked
 * @param sentOut audience of the token that this side itself sends to others
 */
export async function attacks(issuer: TestIssuer, audience: string, sentOut: string): Promise<Attack[]> {
  const now = Math.floor(issuer.now() / 1000)
  const good = await issuer.token(ADMIN, audience)
  const token = (claims: object, to = audience) => issuer.token(ADMIN, to, claims)
  const claims = { ...claimsFor(ADMIN), iss: `${issuer.issuer}/`, aud: audience, iat: now, exp: now + 600 }
  const stranger = await signingKey('RS256', issuer.key.kid)
  const machine = await issuer.token({ kind: 'machine', client: 'other' }, audience, { gty: undefined })
  const bearer = (name: string, value: string): Attack => ({ name, lines: [`Bearer ${value}`] })
  return [
    { name: 'no token', lines: [] },
    { name: 'an empty header', lines: [''] },
    { name: 'Bearer without a token', lines: ['Bearer '] },
    { name: 'not Bearer', lines: [`Basic ${good}`] },
    { name: 'the token alone', lines: [good] },
    { name: 'two tokens in one header', lines: [`Bearer ${good}, Bearer ${good}`] },
    { name: 'two headers, both good', lines: [`Bearer ${good}`, `Bearer ${good}`] },
    { name: 'two headers, the first good', lines: [`Bearer ${good}`, 'Bearer x'] },
    { name: 'two headers, the last good', lines: ['Bearer x', `Bearer ${good}`] },
    bearer('not signed: alg none', `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`),
    bearer('not signed, with the kid', unsigned(issuer, claims)),
    ...['pem', 'json'].map((form) =>
      bearer(`HS256 with the public key as secret (${form})`, hmacSigned(issuer, claims, form)),
    ),
    bearer('another key with a known kid', await sign(stranger, claims)),
    bearer('an unknown kid', await sign({ ...issuer.key, kid: 'unknown' }, claims)),
    bearer('no kid', await sign(issuer.key, claims, { kid: undefined })),
    bearer('expired', await token({ exp: now - BEYOND_LEEWAY })),
    bearer('without an end', await token({ exp: undefined })),
    bearer('not valid yet', await token({ nbf: now + FAR })),
    bearer('another issuer', await token({ iss: 'https://other.example/' })),
    bearer('no issuer', await token({ iss: undefined })),
    bearer('another audience', await token({}, 'somebody-else')),
    bearer('no audience', await token({ aud: undefined })),
    bearer('the token that this side sends out', await token({}, sentOut)),
    bearer('a machine token without gty', machine),
    bearer('a user token without roles', await token({ 'https://kidsfirstdrc.org/roles': undefined })),
    bearer('tampered claims', tampered(good, { ...claims, sub: 'somebody-else' })),
    bearer('cut off', good.slice(0, -4)),
    bearer('more than 8 KiB', await token({ padding: 'x'.repeat(8 * 1024) })),
  ]
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

function unsigned({ key }: TestIssuer, claims: object): string {
  return `${encoded({ alg: 'none', kid: key.kid, typ: 'JWT' })}.${encoded(claims)}.`
}

function hmacSigned({ key }: TestIssuer, claims: object, form: string): string {
  const publicKey = createPublicKey({ key: key.publicJwk as object, format: 'jwk' } as never)
  const secret =
    form === 'pem' ? publicKey.export({ type: 'spki', format: 'pem' }) : JSON.stringify(key.publicJwk)
  const content = `${encoded({ alg: 'HS256', kid: key.kid, typ: 'JWT' })}.${encoded(claims)}`
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`
}

function tampered(good: string, claims: object): string {
  const [header, , signature] = good.split('.')
  return `${header}.${encoded(claims)}.${signature}`
}
