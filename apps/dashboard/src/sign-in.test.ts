import { describe, expect, test } from 'vitest'
import type { OidcWay } from './api-types.ts'
import {
  authorizationUrl,
  challengeOf,
  checkNonce,
  codeIn,
  describeGrantError,
  grantedIn,
  safeReturn,
} from './sign-in.ts'

const WAY: OidcWay = {
  kind: 'oidc',
  authorization_endpoint: 'https://id.example/authorize?tenant=a',
  token_endpoint: 'https://id.example/token',
  client_id: 'dash',
  audience: 'release-coordinator',
  scope: 'openid profile',
}
const GIVEN = { state: 's', nonce: 'n', challenge: 'c', redirectUri: 'https://here/signed-in' }

test('the challenge is that of RFC 7636, appendix B', async () =>
  expect(await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  ))

test('the authorization address keeps what it has and asks with PKCE', () => {
  const { searchParams } = new URL(authorizationUrl(WAY, GIVEN))
  expect(Object.fromEntries(searchParams)).toEqual({
    tenant: 'a',
    response_type: 'code',
    client_id: 'dash',
    redirect_uri: 'https://here/signed-in',
    scope: 'openid profile',
    state: 's',
    nonce: 'n',
    code_challenge: 'c',
    code_challenge_method: 'S256',
    audience: 'release-coordinator',
  })
  expect(authorizationUrl({ ...WAY, audience: null }, GIVEN)).not.toContain('audience')
})

describe('an answer of the provider', () => {
  const answer = (text: string) => codeIn(new URLSearchParams(text), { state: 's' })
  test('gives the code', () => expect(answer('state=s&code=42')).toBe('42'))
  test('with another state is refused, also with a code', () =>
    expect(() => answer('state=x&code=42')).toThrow('does not belong'))
  test('that refuses says why', () =>
    expect(() => answer('state=s&error=access_denied&error_description=No+access')).toThrow('No access'))
  test('without a code is refused', () => expect(() => answer('state=s')).toThrow('no code'))
})

test('an id token with another nonce is refused, none at all is not', () => {
  const idToken = (nonce: string) => `h.${btoa(JSON.stringify({ nonce }))}.s`
  expect(() => checkNonce(idToken('other'), 'n')).toThrow('another sign-in')
  expect(() => checkNonce(idToken('n'), 'n')).not.toThrow()
  expect(() => checkNonce(undefined, 'n')).not.toThrow()
})

test.each([
  ['/releases/RE_1?state=a', '/releases/RE_1?state=a'],
  ['//evil.example', '/releases'],
  ['/\\evil.example', '/releases'],
  ['https://evil.example', '/releases'],
  ['/signed-in?code=1', '/releases'],
])('after %s the person goes to %s', (given, expected) => expect(safeReturn(given, '')).toBe(expected))

test.each([
  ['/coordinator/releases/RE_1?state=a', '/coordinator/releases/RE_1?state=a'],
  ['/coordinator/signed-in?code=1', '/coordinator/releases'],
  ['/releases', '/coordinator/releases'],
  ['/coordinator-of-others/releases', '/coordinator/releases'],
])('below a path: after %s the person goes to %s', (given, expected) =>
  expect(safeReturn(given, '/coordinator')).toBe(expected),
)

test('what a token endpoint gives', () => {
  expect(grantedIn({ access_token: 'T', expires_in: 60 })).toEqual({ token: 'T', expiresInS: 60 })
  expect(() => grantedIn({})).toThrow('no token')
  expect(describeGrantError({ error: 'invalid_grant', error_description: 'used' })).toBe(
    'invalid_grant: used',
  )
  expect(describeGrantError({ detail: 'no such role' })).toBe('no such role')
})
