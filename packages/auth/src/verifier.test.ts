import { exportJWK, exportSPKI, importJWK, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose'
import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuthError } from './errors.ts'
import { sign, signingKey, startTestIssuer, type TestIssuer } from './testing/index.ts'
import { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts'

const AUDIENCE = 'https://coordinator.test'
const ADA = { kind: 'user', id: 'auth0|1', role: 'ADMIN' } as const
const MINUTE = 60_000

const firstKey = await signingKey()
let issuer: TestIssuer
let verifier: Verifier
let time: number

beforeEach(async () => {
  issuer = await startTestIssuer('RS256', firstKey)
  time = Date.parse('2030-01-01T00:00:00Z')
  issuer.now = () => time
  issuer.lifeSeconds = 30 * 24 * 3600
  verifier = verifierOf({})
})
afterEach(() => issuer[Symbol.asyncDispose]())

function verifierOf(options: Partial<VerifierOptions>): Verifier {
  return createVerifier({
    jwksUrl: issuer.jwksUrl,
    issuer: issuer.issuer,
    audience: AUDIENCE,
    now: () => time,
    ...options,
  })
}

/** The code of the refusal; 'accepted' where there is none. A message that shows part of the token fails the test. */
async function outcome(token: string, by = verifier): Promise<string> {
  try {
    await by.verify(token)
    return 'accepted'
  } catch (error) {
    expectNoToken(error, token)
    return (error as AuthError).code ?? `no AuthError: ${String(error)}`
  }
}

/** What a logger would print: message, stack, own properties, causes. */
function printed(error: unknown): string {
  const own = Object.entries(error as object).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const { message, stack, cause } = error as Error
  return [message, stack, ...own, cause === undefined ? '' : printed(cause)].join('\n')
}

function expectNoToken(error: unknown, token: string): void {
  const text = printed(error)
  for (const part of token.split('.').filter((part) => part.length > 8)) expect(text).not.toContain(part)
  expect(text).not.toContain('auth0|1')
}

const good = (claims: object = {}) => issuer.token(ADA, AUDIENCE, claims)
const seconds = () => Math.floor(time / 1000)

describe('a good token', () => {
  test('says who calls', async () => {
    expect(await verifier.verify(await good())).toMatchObject({ kind: 'user', id: 'auth0|1', role: 'ADMIN' })
  })

  test('of a machine is ADMIN only for a listed client', async () => {
    const token = await issuer.token({ kind: 'machine', client: 'abc' }, AUDIENCE)
    expect(await verifier.verify(token)).toEqual({ kind: 'machine', client: 'abc', isAdmin: false })
    const listing = verifierOf({ adminClients: ['abc'] })
    expect(await listing.verify(token)).toEqual({ kind: 'machine', client: 'abc', isAdmin: true })
  })

  test('may be ES256', async () => {
    await using other = await startTestIssuer('ES256')
    other.now = () => time
    const by = verifierOf({ jwksUrl: other.jwksUrl, issuer: other.issuer })
    expect(await outcome(await other.token(ADA, AUDIENCE), by)).toBe('accepted')
  })

  test.each(['', '/', '//'])(
    'has an issuer with or without a slash; the setting ends in "%s"',
    async (end) => {
      const by = verifierOf({ issuer: issuer.issuer + end })
      expect(await outcome(await good({ iss: issuer.issuer }), by)).toBe('accepted')
      expect(await outcome(await good({ iss: `${issuer.issuer}/` }), by)).toBe('accepted')
    },
  )

  test('may have several audiences', async () => {
    expect(await outcome(await good({ aud: ['https://other.test', AUDIENCE] }))).toBe('accepted')
  })
})

describe('claims', () => {
  test.each([
    ['another issuer', { iss: 'https://evil.test/' }, 'TOKEN_INVALID'],
    ['a longer issuer', { iss: 'ISSUER/x' }, 'TOKEN_INVALID'],
    ['no issuer', { iss: undefined }, 'TOKEN_INVALID'],
    ['an issuer of another type', { iss: ['ISSUER'] }, 'TOKEN_INVALID'],
    ['another audience', { aud: 'https://task-service.test' }, 'TOKEN_INVALID'],
    ['other audiences', { aud: ['https://a.test', 'https://b.test'] }, 'TOKEN_INVALID'],
    ['an audience that only begins so', { aud: `${AUDIENCE}.evil` }, 'TOKEN_INVALID'],
    ['an audience with a slash', { aud: `${AUDIENCE}/` }, 'TOKEN_INVALID'],
    ['no audience', { aud: undefined }, 'TOKEN_INVALID'],
    ['an empty list of audiences', { aud: [] }, 'TOKEN_INVALID'],
    ['an audience of another type', { aud: { 0: AUDIENCE } }, 'TOKEN_INVALID'],
    ['no end', { exp: undefined }, 'TOKEN_INVALID'],
    ['an end as text', { exp: '4102444800' }, 'TOKEN_INVALID'],
    ['an end that is null', { exp: null }, 'TOKEN_INVALID'],
    ['a beginning as text', { nbf: '0' }, 'TOKEN_INVALID'],
    ['no sub', { sub: undefined }, 'TOKEN_INCOMPLETE'],
    ['a sub of another type', { sub: 7 }, 'TOKEN_INCOMPLETE'],
    ['no roles', { 'https://kidsfirstdrc.org/roles': undefined }, 'TOKEN_INCOMPLETE'],
    ['no groups', { 'https://kidsfirstdrc.org/groups': undefined }, 'TOKEN_INCOMPLETE'],
  ])('%s', async (_, claims: object, code) => {
    const real = JSON.parse(JSON.stringify(claims).replaceAll('ISSUER', issuer.issuer)) as object
    expect(await outcome(await good({ ...claims, ...real }))).toBe(code)
  })

  test.each([
    ['ended 29 s ago', { exp: -29 }, 'accepted'],
    ['ended 31 s ago', { exp: -31 }, 'TOKEN_EXPIRED'],
    ['begins in 29 s', { nbf: 29 }, 'accepted'],
    ['begins in 31 s', { nbf: 31 }, 'TOKEN_INVALID'],
  ])('%s: %s', async (_, offsets, code) => {
    const claims = Object.fromEntries(Object.entries(offsets).map(([name, s]) => [name, seconds() + s]))
    expect(await outcome(await good(claims))).toBe(code)
  })

  test('the clock is the injected one', async () => {
    issuer.lifeSeconds = 60
    const token = await good()
    expect(await outcome(token)).toBe('accepted')
    time += 2 * MINUTE
    expect(await outcome(token)).toBe('TOKEN_EXPIRED')
  })
})

describe('forged tokens', () => {
  const claims = () => ({
    iss: issuer.issuer,
    aud: AUDIENCE,
    sub: 'auth0|1',
    exp: seconds() + 60,
    gty: 'client-credentials',
  })
  const refused = async (token: string) => expect(await outcome(token)).toBe('TOKEN_INVALID')

  test('alg none, in every spelling', async () => {
    const [, body] = (await good()).split('.')
    await refused(new UnsecuredJWT(claims()).encode())
    for (const alg of ['none', 'None', 'NONE', ''])
      await refused(`${part({ alg, kid: issuer.key.kid })}.${body}.`)
    await refused(`${part({ kid: issuer.key.kid })}.${body}.`)
  })

  test('HS256 with the public key as the secret', async () => {
    const pem = await exportSPKI((await importJWK(issuer.key.publicJwk, 'RS256')) as CryptoKey)
    for (const secret of [
      pem,
      pem.trim(),
      JSON.stringify(issuer.key.publicJwk),
      issuer.key.publicJwk.n ?? '',
    ])
      await refused(
        await new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: issuer.key.kid })
          .sign(createSecretKey(Buffer.from(secret))),
      )
  })

  test('a good algorithm that is not on the list, with a key that would do for it', async () => {
    const { alg: _, ...anyAlgorithm } = issuer.key.publicJwk
    const by = verifierOf({ send: async () => answer(200, { keys: [anyAlgorithm] }) })
    const signed = async (alg: string) => {
      const key = await importJWK(await exportJWK(issuer.key.privateKey), alg)
      return new SignJWT(claims()).setProtectedHeader({ alg, kid: issuer.key.kid }).sign(key)
    }
    expect(await outcome(await signed('RS256'), by)).toBe('accepted')
    for (const alg of ['RS384', 'RS512', 'PS256'])
      expect(await outcome(await signed(alg), by)).toBe('TOKEN_INVALID')
  })

  test('another key under a known kid', async () => {
    const evil = await signingKey('RS256', issuer.key.kid)
    await refused(await sign(evil, claims()))
    await refused(await sign(await signingKey('ES256', issuer.key.kid), claims()))
  })

  test('the key of the token itself, or one at an address that it names', async () => {
    const evil = await signingKey('RS256')
    const lures = {
      jwk: evil.publicJwk,
      jku: `${issuer.issuer}/elsewhere`,
      x5u: `${issuer.issuer}/elsewhere`,
    }
    await refused(await sign(evil, claims(), lures))
    await refused(await sign(evil, claims(), { ...lures, kid: issuer.key.kid }))
    expect(issuer.count.elsewhere).toBe(0)
  })

  test('changed claims, a cut signature, one too many parts, a signature of another token', async () => {
    const [header, body, signature] = (await good()).split('.') as [string, string, string]
    const other = (await good({ sub: 'x' })).split('.')[2]
    await refused(`${header}.${part({ ...claims(), sub: 'root' })}.${signature}`)
    await refused(`${header}.${body}.${signature.slice(0, -4)}`)
    await refused(`${header}.${body}.`)
    await refused(`${header}.${body}.${other}`)
    await refused(`${header}.${body}.${signature}.x`)
  })

  test.each([
    ['absent', undefined],
    ['empty', ''],
    ['a number', 7],
    ['null', null],
    ['a list', ['x']],
    ['huge', 'k'.repeat(1000)],
  ])('a kid that is %s fetches nothing', async (_, kid) => {
    await refused(await sign(issuer.key, claims(), { kid }))
    expect(issuer.count.keys).toBe(0)
  })

  test.each([
    '../../etc/passwd',
    'http://127.0.0.1/jwks.json',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    '\0',
    'ключ',
  ])('a kid %j is just an unknown one', async (kid) => {
    await refused(await sign(issuer.key, claims(), { kid }))
    expect(issuer.count).toMatchObject({ keys: 1, elsewhere: 0 })
  })

  test.each(['null', 'a.b.c', '..', '.', 'ä.ö.ü', '😀', 'a', ' ', `${'a'.repeat(100)}.b.c`])(
    'no token: %j',
    refused,
  )

  test('nothing at all', async () => expect(await outcome('')).toBe('TOKEN_MISSING'))

  test('a genuine token of 9 KiB is refused unread', async () => {
    await refused(await good({ padding: 'p'.repeat(9 * 1024) }))
    expect(issuer.count.keys).toBe(0)
  })

  test('a claims set that is no object', async () => {
    for (const body of [[1], 'text', null, 7]) {
      const header = part({ alg: 'RS256', kid: issuer.key.kid })
      const key = await crypto.subtle.sign(
        'RSASSA-PKCS1-v1_5',
        issuer.key.privateKey,
        Buffer.from(`${header}.${part(body)}`),
      )
      await refused(`${header}.${part(body)}.${Buffer.from(key).toString('base64url')}`)
    }
  })

  test('an extension that must be understood', async () => {
    const header = part({ alg: 'RS256', kid: issuer.key.kid, crit: ['exotic'], exotic: 1 })
    const input = `${header}.${part(claims())}`
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', issuer.key.privateKey, Buffer.from(input))
    await refused(`${input}.${Buffer.from(signature).toString('base64url')}`)
  })
})

/** What `send` answers in place of a server. */
const answer = (status: number, json: unknown) => ({ status, text: '', retryAfter: null, json })

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

describe('the key set', () => {
  const unknown = async (kid = crypto.randomUUID()) => sign(issuer.key, { iss: issuer.issuer }, { kid })

  test('is fetched once for many calls', async () => {
    const token = await good()
    await Promise.all(Array.from({ length: 20 }, () => outcome(token)))
    await outcome(token)
    expect(issuer.count.keys).toBe(1)
  })

  test('100 unknown kids at once are one fetch', async () => {
    await outcome(await good())
    const tokens = await Promise.all(Array.from({ length: 100 }, () => unknown()))
    const outcomes = await Promise.all(tokens.map((token) => outcome(token)))
    expect(new Set(outcomes)).toEqual(new Set(['TOKEN_INVALID']))
    expect(issuer.count.keys).toBe(2)
  })

  test('100 unknown kids at the very beginning are one fetch too', async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => unknown()))
    await Promise.all(tokens.map((token) => outcome(token)))
    expect(issuer.count.keys).toBe(1)
  })

  test('is fetched for unknown kids at most once a minute', async () => {
    await outcome(await good())
    for (let i = 0; i < 5; i += 1) await outcome(await unknown())
    expect(issuer.count.keys).toBe(2)
    time += MINUTE
    for (let i = 0; i < 5; i += 1) await outcome(await unknown())
    expect(issuer.count.keys).toBe(3)
  })

  test('follows a rotation at once, for all who come at the same time', async () => {
    const old = await good()
    expect(await outcome(old)).toBe('accepted')
    await issuer.rotate()
    const tokens = await Promise.all(Array.from({ length: 50 }, () => good()))
    const outcomes = await Promise.all(tokens.map((token) => outcome(token)))
    expect(new Set(outcomes)).toEqual(new Set(['accepted']))
    expect(await outcome(old)).toBe('TOKEN_INVALID')
    expect(issuer.count.keys).toBe(2)
  })

  test('forgets a key that the issuer took back, after ten minutes', async () => {
    const old = await good()
    await outcome(old)
    await issuer.rotate()
    time += 9 * MINUTE
    expect(await outcome(old)).toBe('accepted')
    time += MINUTE
    expect(await outcome(old)).toBe('TOKEN_INVALID')
  })

  test.each(['error', 'html', 'redirect', 'refusing', 'cut'] as const)(
    'keeps the last good keys while the endpoint says "%s", for days, and comes back',
    async (behaviour) => {
      const token = await good()
      await outcome(token)
      issuer.keys(behaviour)
      for (let hour = 0; hour < 48; hour += 1) {
        time += 60 * MINUTE
        expect(await outcome(token)).toBe('accepted')
        expect(await outcome(token)).toBe('accepted')
      }
      expect(issuer.count.keys).toBe(1 + 48)
      await issuer.rotate()
      issuer.keys('good')
      time += 60 * MINUTE
      expect(await outcome(token)).toBe('TOKEN_INVALID')
      expect(await outcome(await good())).toBe('accepted')
    },
  )

  test('while it is away, an unknown key is a trouble of ours, and known ones work', async () => {
    const token = await good()
    await outcome(token)
    issuer.keys('error')
    expect(await outcome(await unknown())).toBe('KEYS_UNAVAILABLE')
    expect(await outcome(token)).toBe('accepted')
    expect(issuer.count.keys).toBe(2)
  })

  test.each(['error', 'html', 'redirect', 'refusing', 'cut'] as const)(
    'that was never had is KEYS_UNAVAILABLE: "%s", tried once a second',
    async (behaviour) => {
      issuer.keys(behaviour)
      const token = await good()
      for (let i = 0; i < 5; i += 1) expect(await outcome(token)).toBe('KEYS_UNAVAILABLE')
      expect(issuer.count).toMatchObject({ keys: 1, elsewhere: 0 })
      time += 1000
      expect(await outcome(token)).toBe('KEYS_UNAVAILABLE')
      expect(issuer.count.keys).toBe(2)
      issuer.keys('good')
      time += 1000
      expect(await outcome(token)).toBe('accepted')
    },
  )

  test('at an address where nobody listens', async () => {
    const by = verifierOf({ jwksUrl: 'http://127.0.0.1:1/jwks.json' })
    const failure = await by.verify(await good()).catch((error: unknown) => error as AuthError)
    expect(failure).toMatchObject({
      code: 'KEYS_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1') as string,
    })
  })

  test('that is slow gives up in time, and holds up no token of a known key', async () => {
    const by = verifierOf({ timeoutMs: 50 })
    issuer.keys('hanging')
    expect(await outcome(await good(), by)).toBe('KEYS_UNAVAILABLE')
    issuer.keys('good')
    const token = await good()
    expect(await outcome(token)).toBe('accepted')
    issuer.keys('hanging')
    const stranger = outcome(await unknown())
    await issuer.arrived('keys', 3)
    expect(await outcome(token)).toBe('accepted')
    issuer.keys('good')
    expect(await stranger).toBe('TOKEN_INVALID')
  })

  test.each([
    ['no key at all', { keys: [] }],
    ['a list', []],
    ['keys that are none', { keys: ['x', null] }],
    ['nothing', null],
    ['another word', { key: [] }],
  ])('with %s is no key set', async (_, json) => {
    const send = async () => answer(200, json)
    expect(await outcome(await good(), verifierOf({ send }))).toBe('KEYS_UNAVAILABLE')
  })

  test.each([201, 203, 302, 404, 500])('with status %d is none, whatever its body', async (status) => {
    const send = async () => answer(status, { keys: [issuer.key.publicJwk] })
    expect(await outcome(await good(), verifierOf({ send }))).toBe('KEYS_UNAVAILABLE')
  })

  test('with a broken, short, private or doubled key is a trouble of ours', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    const { kid, publicJwk } = issuer.key
    const secret = { ...(await exportJWK(issuer.key.privateKey)), kid, alg: 'RS256' }
    const sets = [
      [{ kty: 'RSA', kid, alg: 'RS256' }],
      [{ ...short, kid, alg: 'RS256' }],
      [secret],
      [publicJwk, publicJwk],
    ]
    for (const keys of sets) {
      const send = async () => answer(200, { keys })
      expect(await outcome(await good(), verifierOf({ send }))).toBe('KEYS_UNAVAILABLE')
    }
  })

  test('has keys for encryption, which check nothing', async () => {
    const json = { keys: [{ ...issuer.key.publicJwk, use: 'enc' }] }
    const send = async () => answer(200, json)
    expect(await outcome(await good(), verifierOf({ send }))).toBe('TOKEN_INVALID')
  })
})
