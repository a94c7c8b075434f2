import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp, type App } from './app.ts'
import { isDeeperThan } from './body-depth.ts'
import { listen } from './listen.ts'
import { createLogger } from './logger.ts'
import { RateLimit } from './rate-limit.ts'

const ORIGIN = 'https://board.example'
let app: App

async function open(rateLimit = 0): Promise<App> {
  const made = await createApp({
    title: 'test',
    version: '1',
    logger: createLogger('test', 'silent'),
    rateLimit,
    corsOrigins: [ORIGIN],
    errorBody: (code, said) => ({ said, code }),
  })
  made.get('/things', async () => ({ things: [] }))
  made.get('/varied', async (_, reply) => reply.header('vary', 'Accept').send({}))
  made.get('/livez', async () => ({ status: 'ok' }))
  made.get<{ Params: { id: string } }>('/things/:id', async (request) => ({ id: request.params.id }))
  made.post('/things', async () => ({ taken: true }))
  return made
}

beforeEach(async () => {
  app = await open()
})
afterEach(() => app.close())

describe('how often one address may ask (SV-30, CR-50)', () => {
  test('five seconds’ worth at once, then as many as it says', () => {
    const limit = new RateLimit(2)
    const taken = (now: number) => limit.take('10.0.0.1', now).retryAfterS
    for (let count = 0; count < 10; count++) expect(taken(0)).toBeNull()
    expect(taken(0)).toBe(1)
    expect([taken(500), taken(500)]).toEqual([null, 1])
    expect([taken(1500), taken(1500), taken(1500)]).toEqual([null, null, 1])
    // However long it was quiet, no more than that.
    for (let count = 0; count < 10; count++) expect(taken(1_000_000)).toBeNull()
    expect(taken(1_000_000)).toBe(1)
  })

  test('one does not use up what another may, and a network is one', () => {
    const limit = new RateLimit(1)
    for (let count = 0; count < 5; count++) limit.take('2001:db8::1', 0)
    expect(limit.take('2001:db8::2', 0).retryAfterS).toBe(1)
    expect(limit.take('2001:db8:1::2', 0).retryAfterS).toBeNull()
  })

  test('the log hears of it once a minute', () => {
    const limit = new RateLimit(1)
    const empty = (now: number) => {
      for (let count = 0; count < 5; count++) expect(limit.take('10.0.0.1', now).isNews).toBe(false)
    }
    empty(0)
    const news = (now: number) => limit.take('10.0.0.1', now).isNews
    expect([news(0), news(1)]).toEqual([true, false])
    empty(59_999)
    expect([news(59_999), news(60_000), news(60_001)]).toEqual([false, true, false])
  })

  test('so many addresses are remembered and no more, those that ask longest', () => {
    const limit = new RateLimit(1, 3)
    for (let count = 0; count < 6; count++) limit.take('10.0.0.1', 0)
    for (const address of ['10.0.0.2', '10.0.0.3']) limit.take(address, 0)
    expect(limit.take('10.0.0.1', 0).retryAfterS).toBe(1)
    for (let last = 4; last < 100; last++) {
      limit.take(`10.0.0.${last}`, 0)
      expect(limit.take('10.0.0.1', 0).retryAfterS).toBe(1)
    }
    expect(limit.size).toBe(3)
  })

  test('429 with Retry-After and the body of the side; never for health', async () => {
    await app.close()
    app = await open(1)
    for (let count = 0; count < 5; count++) expect((await app.inject('/things')).statusCode).toBe(200)
    const refused = await app.inject({ url: '/things', headers: { origin: ORIGIN } })
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(refused.json()).toEqual({
      said: expect.stringContaining('Too many requests'),
      code: 'TOO_MANY_REQUESTS',
    })
    expect(refused.headers['access-control-allow-origin']).toBe(ORIGIN)
    expect((await app.inject('/livez?x')).statusCode).toBe(200)
    expect((await app.inject('/nothing')).statusCode).toBe(429)
  })
})

describe('bodies and addresses', () => {
  const post = (payload: string) =>
    app.inject({ method: 'POST', url: '/things', payload, headers: { 'content-type': 'application/json' } })
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

  test('50 levels and no more, however many there are', async () => {
    expect((await post(nested(50))).statusCode).toBe(200)
    for (const depth of [51, 1000, 500_000]) {
      const refused = await post(nested(depth))
      expect([refused.statusCode, refused.json()]).toEqual([
        400,
        { said: 'The body is nested deeper than 50 levels', code: 'INPUT_INVALID' },
      ])
    }
    expect([isDeeperThan(5, 0), isDeeperThan({}, 0), isDeeperThan({ a: [1] }, 2)]).toEqual([
      false,
      true,
      false,
    ])
  })

  test('an address of more than 8,192 characters is 414', async () => {
    expect((await app.inject(`/things?x=${'y'.repeat(8000)}`)).statusCode).toBe(200)
    const refused = await app.inject(`/things?x=${'y'.repeat(8200)}`)
    expect([refused.statusCode, refused.json().code]).toEqual([414, 'ADDRESS_TOO_LONG'])
  })

  test('a NUL in an address is another character by the time that anybody reads it', async () => {
    expect((await app.inject('/things/a%00b')).json()).toEqual({ id: 'a\ufffdb' })
    expect((await app.inject('/things/a%2500b')).json()).toEqual({ id: 'a%00b' })
  })
})

describe('headers of answers (CR-51, CR-52)', () => {
  const SECURE = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  }

  test.each(['/things', '/nothing', '/things/%E0%A4%A', '/openapi.json'])('%s', async (url) => {
    const { headers } = await app.inject(url)
    expect(headers).toMatchObject(SECURE)
    expect(headers).not.toHaveProperty('server')
  })

  test('a listed origin may read, no other; the answer varies by it', async () => {
    const by = async (origin?: string, url = '/things') =>
      (await app.inject({ url, headers: origin ? { origin } : {} })).headers
    expect(await by(ORIGIN)).toMatchObject({ 'access-control-allow-origin': ORIGIN, vary: 'Origin' })
    for (const other of [
      undefined,
      'https://evil.example',
      'null',
      `${ORIGIN}.evil`,
      'http://board.example',
    ]) {
      const headers = await by(other)
      expect(headers).not.toHaveProperty('access-control-allow-origin')
      expect(headers).toMatchObject({ vary: 'Origin' })
    }
    expect(await by(ORIGIN)).not.toHaveProperty('access-control-allow-credentials')
    expect((await by(ORIGIN, '/varied'))['vary']).toBe('Accept, Origin')
  })

  test('a preflight of a listed origin is 204 with what may be sent', async () => {
    const ask = (origin: string) =>
      app.inject({
        method: 'OPTIONS',
        url: '/things',
        headers: { origin, 'access-control-request-method': 'PATCH' },
      })
    const allowed = await ask(ORIGIN)
    expect(allowed.statusCode).toBe(204)
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': 'authorization, content-type, last-event-id',
    })
    expect((await ask('https://evil.example')).headers).not.toHaveProperty('access-control-allow-methods')
  })
})

describe('what node would answer by itself', () => {
  async function say(text: string): Promise<{ status: number; head: string; body: any }> {
    const url = new URL(await listen(app, { host: '127.0.0.1', port: 0, auth: null }))
    const received = await new Promise<string>((resolve) => {
      let out = ''
      const socket = connect(Number(url.port), '127.0.0.1', () => socket.end(text))
      socket.on('data', (chunk) => (out += chunk.toString()))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(out))
    })
    const [head = '', body = ''] = received.split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), head, body: JSON.parse(body) }
  }

  test.each([
    ['no HTTP', 'GARBAGE\r\n\r\n', 400, 'REQUEST_UNREADABLE'],
    ['no Host', 'GET /things HTTP/1.1\r\n\r\n', 400, 'REQUEST_UNREADABLE'],
    ['large headers', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(17_000)}\r\n\r\n`, 431, 'HEAD_TOO_LARGE'],
    ['an endless address', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'HEAD_TOO_LARGE'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'REQUEST_UNREADABLE'],
    ['expectations', 'GET /things HTTP/1.1\r\nhost: x\r\nexpect: much\r\n\r\n', 417, 'REQUEST_UNREADABLE'],
    [
      'nonsense in chunks',
      'POST /things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
      'REQUEST_UNREADABLE',
    ],
  ])('%s has the body of the side', async (_, text, status, code) => {
    const answer = await say(text)
    expect(answer).toMatchObject({ status, body: { said: expect.any(String), code } })
    expect(answer.head).toMatch(/x-content-type-options: nosniff/i)
  })

  test('who sends slowly is not waited for, and connections are counted', async () => {
    await listen(app, { host: '127.0.0.1', port: 0, auth: null })
    const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections } = app.server
    expect({ headersTimeout, requestTimeout, keepAliveTimeout, maxConnections }).toEqual({
      headersTimeout: 15_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 72_000,
      maxConnections: 2000,
    })
  })
})
