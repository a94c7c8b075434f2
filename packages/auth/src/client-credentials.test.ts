import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { authorized } from './authorized.ts'
import { createTokenSource, type TokenSource, type TokenSourceOptions } from './client-credentials.ts'
import type { AuthError } from './errors.ts'
import { startTestIssuer, type TestIssuer } from './testing/index.ts'

const SECRET = 'very-secret-value'
const SECOND = 1000

let issuer: TestIssuer
let tokens: TokenSource
let time: number

beforeEach(async () => {
  issuer = await startTestIssuer('ES256')
  time = Date.parse('2030-01-01T00:00:00Z')
  tokens = source({})
})
afterEach(() => issuer[Symbol.asyncDispose]())

function source(options: Partial<TokenSourceOptions>): TokenSource {
  return createTokenSource({
    tokenUrl: issuer.tokenUrl,
    clientId: 'abc',
    clientSecret: SECRET,
    audience: 'https://service.test',
    now: () => time,
    ...options,
  })
}

/** The code of the failure; its text, stack and causes must not show the secret. */
async function failure(call: Promise<unknown>): Promise<string> {
  const error = (await call.then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => error,
  )) as AuthError
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    expect(`${one.message} ${one.stack} ${JSON.stringify(Object.entries(one))}`).not.toContain(SECRET)
  return error.code
}

/** A source whose token endpoint answers with this. */
const answering = (json: unknown, status = 200) =>
  source({ send: async () => ({ status, text: JSON.stringify(json), json, retryAfter: null }) })

describe('token', () => {
  test('is asked for as AU-4 says', async () => {
    await tokens.token()
    expect(issuer.asked).toEqual([
      {
        grant_type: 'client_credentials',
        client_id: 'abc',
        client_secret: SECRET,
        audience: 'https://service.test',
      },
    ])
  })

  test.each([
    [3600, 3540],
    [86_400, 86_340],
    [100, 90],
    [10, 9],
    [1, 0.9],
    [0, 0.9],
    [-5, 0.9],
  ])('of %d s is kept for %d s', async (life, kept) => {
    issuer.lifeSeconds = life
    const first = await tokens.token()
    time += kept * SECOND - 1
    expect(await tokens.token()).toBe(first)
    time += 1
    expect(await tokens.token()).not.toBe(first)
    expect(issuer.count.tokens).toBe(2)
  })

  test.each([
    ['a number as text', '600', 540],
    ['nothing', undefined, 270],
    ['null', null, 270],
    ['no number', 'soon', 270],
    ['a hundred years', 100 * 365 * 86_400, 86_340],
  ])('whose life is %s', async (_, expires_in, kept) => {
    let asked = 0
    const json = { access_token: 'a.b.c', expires_in }
    const by = source({ send: async () => ((asked += 1), { status: 200, text: '', json, retryAfter: null }) })
    await by.token()
    time += kept * SECOND - 1
    await by.token()
    expect(asked).toBe(1)
    time += 1
    await by.token()
    expect(asked).toBe(2)
  })

  test('is one request for all who wait', async () => {
    issuer.tokens('hanging')
    const waiting = Promise.all(Array.from({ length: 100 }, () => tokens.token()))
    await issuer.arrived('tokens', 1)
    issuer.tokens('good')
    expect(new Set(await waiting).size).toBe(1)
    expect(issuer.count.tokens).toBe(1)
  })

  test('that is still good is used while the endpoint is away, and not longer', async () => {
    issuer.lifeSeconds = 100
    const first = await tokens.token()
    issuer.tokens('error')
    time += 95 * SECOND
    expect(await tokens.token()).toBe(first)
    time += 5 * SECOND
    expect(await failure(tokens.token())).toBe('TOKEN_ENDPOINT_UNAVAILABLE')
  })
})

describe('an endpoint that fails', () => {
  test.each([
    ['error', 'TOKEN_ENDPOINT_UNAVAILABLE'],
    ['html', 'TOKEN_ENDPOINT_UNAVAILABLE'],
    ['redirect', 'TOKEN_ENDPOINT_UNAVAILABLE'],
    ['cut', 'TOKEN_ENDPOINT_UNAVAILABLE'],
    ['refusing', 'TOKEN_ENDPOINT_REFUSED'],
  ] as const)('with "%s" is tried once a second, and comes back', async (behaviour, code) => {
    issuer.tokens(behaviour)
    const together = Array.from({ length: 100 }, () => failure(tokens.token()))
    expect(new Set(await Promise.all(together))).toEqual(new Set([code]))
    time += SECOND - 1
    expect(await failure(tokens.token())).toBe(code)
    expect(issuer.count).toMatchObject({ tokens: 1, elsewhere: 0 })
    time += 1
    expect(await failure(tokens.token())).toBe(code)
    expect(issuer.count.tokens).toBe(2)
    issuer.tokens('good')
    time += SECOND
    expect(await failure(tokens.token())).toBe('none')
  })

  test('with 429 may be tried again', async () =>
    expect(await failure(answering({}, 429).token())).toBe('TOKEN_ENDPOINT_UNAVAILABLE'))

  test('by never answering', async () => {
    issuer.tokens('hanging')
    expect(await failure(source({ timeoutMs: 50 }).token())).toBe('TOKEN_ENDPOINT_UNAVAILABLE')
  })

  test('by not being there', async () => {
    const call = source({ tokenUrl: 'http://127.0.0.1:1/oauth/token' }).token()
    expect(await failure(call)).toBe('TOKEN_ENDPOINT_UNAVAILABLE')
  })

  test.each([
    [{}],
    [null],
    [[]],
    [{ access_token: 7 }],
    [{ access_token: '' }],
    [{ access_token: 'a b' }],
    [{ access_token: 'a\r\nX-Admin: yes' }],
    [{ access_token: 'ключ' }],
    [{ access_token: 'a'.repeat(9 * 1024) }],
  ])('with %j', async (json) =>
    expect(await failure(answering(json).token())).toBe('TOKEN_ENDPOINT_UNAVAILABLE'),
  )

  test('and repeats what it was sent, shows nothing of it', async () => {
    const by = answering({ error: `bad secret ${SECRET}` }, 401)
    expect(await failure(by.token())).toBe('TOKEN_ENDPOINT_REFUSED')
  })
})

describe('refresh', () => {
  test('replaces a refused token once, for all who were refused with it', async () => {
    const first = await tokens.token()
    const fresh = await Promise.all(Array.from({ length: 50 }, () => tokens.refresh(first)))
    expect(new Set(fresh).size).toBe(1)
    expect(fresh[0]).not.toBe(first)
    expect(issuer.count.tokens).toBe(2)
    expect(await tokens.token()).toBe(fresh[0])
  })

  test('of a token that was replaced already is free', async () => {
    const first = await tokens.token()
    const second = await tokens.refresh(first)
    time += 10 * SECOND
    expect(await tokens.refresh(first)).toBe(second)
    expect(issuer.count.tokens).toBe(2)
  })

  test('happens once a second: whoever refuses the new one too has another reason', async () => {
    const second = await tokens.refresh(await tokens.token())
    for (let i = 0; i < 10; i += 1) expect(await tokens.refresh(second)).toBe(second)
    expect(issuer.count.tokens).toBe(2)
    time += SECOND
    expect(await tokens.refresh(second)).not.toBe(second)
  })

  test('that fails leaves the token to the others', async () => {
    const first = await tokens.token()
    issuer.tokens('error')
    for (let i = 0; i < 5; i += 1)
      expect(await failure(tokens.refresh(first))).toBe('TOKEN_ENDPOINT_UNAVAILABLE')
    expect(issuer.count.tokens).toBe(2)
    expect(await tokens.token()).toBe(first)
  })
})

describe('authorized', () => {
  let server: Server
  let url: string
  const seen: { token: string; body: string; header: string | undefined }[] = []
  let refuse: (call: number, token: string) => number

  beforeEach(async () => {
    seen.length = 0
    refuse = () => 200
    server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      const token = request.headers.authorization ?? ''
      seen.push({ token, body, header: request.headers['x-own'] as string | undefined })
      response.writeHead(refuse(seen.length, token)).end('{"ok":1}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tasks/TA_1`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  const call = (headers: Record<string, string> = {}) =>
    authorized(tokens)(url, { method: 'PATCH', body: { state: 'staged' }, headers, timeoutMs: 5000 })

  test('sends the token with the request as it is', async () => {
    expect(await call({ 'x-own': 'a', Authorization: 'Bearer old' })).toMatchObject({
      status: 200,
      json: { ok: 1 },
    })
    expect(seen).toEqual([
      { token: `Bearer ${await tokens.token()}`, body: '{"state":"staged"}', header: 'a' },
    ])
  })

  test.each([401, 403])('on %d gets a new token once, and says the same again', async (status) => {
    refuse = (call) => (call === 1 ? status : 200)
    expect((await call({ 'x-own': 'a' })).status).toBe(200)
    expect(seen.map(({ body, header }) => [body, header])).toEqual([
      ['{"state":"staged"}', 'a'],
      ['{"state":"staged"}', 'a'],
    ])
    expect(seen[0]?.token).not.toBe(seen[1]?.token)
  })

  test('a second refusal is the answer', async () => {
    refuse = () => 403
    expect((await call()).status).toBe(403)
    expect(seen.length).toBe(2)
    expect(issuer.count.tokens).toBe(2)
  })

  test('the same token is not tried twice', async () => {
    refuse = () => 403
    await call()
    expect((await call()).status).toBe(403)
    expect(seen.length).toBe(3)
    expect(issuer.count.tokens).toBe(2)
  })

  test.each([200, 400, 404, 409, 429, 500, 503])('on %d nothing is repeated', async (status) => {
    refuse = () => status
    expect((await call()).status).toBe(status)
    expect(seen.length).toBe(1)
  })

  const noToken = expect.objectContaining({
    code: 'TRANSPORT',
    mayHaveArrived: false,
    cause: expect.objectContaining({ code: 'TOKEN_ENDPOINT_UNAVAILABLE' }),
  })

  test('without a token nothing is sent, and the failure says whose it is', async () => {
    issuer.tokens('error')
    await expect(call()).rejects.toEqual(noToken)
    expect(seen).toEqual([])
  })

  test('a refusal that may be the fault of an old token is not the answer while there is no new one', async () => {
    await tokens.token()
    issuer.tokens('error')
    refuse = () => 403
    await expect(call()).rejects.toEqual(noToken)
    expect(seen.length).toBe(1)
  })
})
