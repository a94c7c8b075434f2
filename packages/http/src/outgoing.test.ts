import type { LookupAddress } from 'node:dns'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { kindOfAddress, networkOf } from './address-kind.ts'
import { request } from './client.ts'
import type { TransportError } from './errors.ts'
import { AddressRefused, createOutgoing, type Resolve } from './outgoing.ts'

describe('the kind of an address (CR-30)', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['169.254.169.254', 'cloud metadata'],
    ['100.100.100.200', 'cloud metadata'],
    ['192.0.0.192', 'cloud metadata'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['no address', 'reserved'],
    // One inside of another.
    ['::ffff:169.254.169.254', 'cloud metadata'],
    ['::ffff:a9fe:a9fe', 'cloud metadata'],
    ['::169.254.169.254', 'cloud metadata'],
    ['::ffff:0:169.254.169.254', 'cloud metadata'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::a9fe:a9fe', 'cloud metadata'],
    ['64:ff9b:1::169.254.1.1', 'link-local'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['2002:a9fe:a9fe::1', 'cloud metadata'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:0808:0808::', 'public'],
    ['2001:0:a9fe:a9fe::1', 'cloud metadata'],
    ['2001:0:808:808:0:0:5601:5601', 'cloud metadata'], // turned round: 169.254.169.254
    ['2001:db8::5efe:169.254.1.1', 'link-local'],
  ])('%s is %s', (address, kind) => expect(kindOfAddress(address)).toBe(kind))

  test('callers are counted by address, over IPv6 by network', () => {
    expect(networkOf('10.0.0.1')).toBe('10.0.0.1')
    expect(networkOf('::ffff:10.0.0.1')).toBe('10.0.0.1')
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8::ffff:1'))
    expect(networkOf('2001:db8::1')).not.toBe(networkOf('2001:db8:0:1::1'))
  })
})

describe('requests to addresses of others (CR-30)', () => {
  let server: Server
  let port: number
  let asked: string[]
  let connections: number

  beforeEach(async () => {
    asked = []
    connections = 0
    server = createServer((incoming, response) => {
      asked.push(`${incoming.method} ${incoming.url}`)
      if (incoming.url === '/away') return response.writeHead(302, { location: '/elsewhere' }).end()
      if (incoming.url === '/silent') return undefined
      if (incoming.url === '/upgrade')
        return response.writeHead(101, { connection: 'upgrade', upgrade: 'x' }).end()
      if (incoming.url === '/endless') return endless(response)
      return response.setHeader('retry-after', '7').end(JSON.stringify(incoming.headers))
    })
    server.on('connection', () => connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  function endless(response: import('node:http').ServerResponse): void {
    response.on('error', () => undefined)
    const more = () => {
      while (response.write('x'.repeat(65_536))) if (response.destroyed) return
      response.once('drain', more)
    }
    more()
  }

  const resolving =
    (...addresses: string[]): Resolve =>
    (_, __, done) =>
      done(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      )

  const call = (url: string, rules: 'allow' | 'refuse' = 'allow', resolve?: Resolve) =>
    request(url, { timeoutMs: 2000, outgoing: createOutgoing({ privateAddresses: rules }, resolve) })
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: unknown) => error as TransportError,
    )

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:a9fe:a9fe]',
    'http://0xa9.0xfea9fe',
    'http://2852039166',
    'http://0251.0376.0251.0376',
    'http://0/',
    'http://[::]:1',
    'http://255.255.255.255',
    'http://[ff02::1]',
    'http://[64:ff9b::a9fe:a9fe]',
    'ftp://127.0.0.1',
    'http://user:secret@127.0.0.1',
  ])('%s is never called, and the message says no more than that', async (url) => {
    const error = await failure(call(url))
    expect(error).toMatchObject({ mayHaveArrived: false, cause: expect.any(AddressRefused) })
    expect(error?.message).toBe(`GET ${url}: the address is not called`)
    expect(error?.cause).toMatchObject({ message: expect.stringMatching(/is not called: ./) })
  })

  test.each(['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:7f00:1]', '[::1]', '127.1'])(
    'this machine as %s only where private addresses are allowed',
    async (host) => {
      expect(await failure(call(`http://${host}:${port}/`, 'refuse'))).toMatchObject({
        cause: expect.any(AddressRefused),
      })
      expect(connections).toBe(0)
    },
  )

  test('a name is looked at by its addresses, all of them', async () => {
    const url = `http://service.example:${port}/x`
    expect((await call(url, 'allow', resolving('127.0.0.1'))).status).toBe(200)
    for (const addresses of [['169.254.169.254'], ['127.0.0.1', 'fe80::1'], ['::ffff:169.254.1.1'], []]) {
      const error = await failure(call(url, 'allow', resolving(...addresses)))
      expect(error).toMatchObject({ mayHaveArrived: false, cause: expect.any(AddressRefused) })
      expect(error?.message).toBe(`GET ${url}: the address is not called`)
    }
    expect(await failure(call(url, 'refuse', resolving('127.0.0.1')))).toMatchObject({
      cause: { message: '127.0.0.1, which is the address of service.example, is not called: loopback' },
    })
    expect(asked).toEqual(['GET /x'])
  })

  test('a name that leads elsewhere at the second connection is refused then (rebinding)', async () => {
    const answers = ['127.0.0.1', '169.254.169.254']
    const resolve: Resolve = (...args) => resolving(answers.shift()!)(...args)
    const outgoing = createOutgoing({ privateAddresses: 'allow' }, resolve)
    const url = `http://service.example:${port}/`
    expect((await request(url, { timeoutMs: 2000, outgoing })).status).toBe(200)
    server.closeAllConnections()
    const { freeSockets } = outgoing.agents['http:']
    await vi.waitUntil(() => Object.keys(freeSockets).length === 0)
    expect(await failure(request(url, { timeoutMs: 2000, outgoing }))).toMatchObject({
      cause: expect.any(AddressRefused),
    })
    expect(connections).toBe(1)
  })

  test('gives what every request gives, and asks for nothing compressed', async () => {
    const url = `http://127.0.0.1:${port}`
    const outgoing = createOutgoing({ privateAddresses: 'allow' })
    const answer = await request(url, { method: 'POST', body: { a: 'ü' }, timeoutMs: 2000, outgoing })
    expect(answer).toMatchObject({ status: 200, retryAfter: '7' })
    expect(answer.json).toMatchObject({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      'content-length': '10',
    })
    expect((await call(`${url}/away`)).status).toBe(302)
    expect(asked).toEqual(['POST /', 'GET /away'])
  })

  test('no answer in time, a connection that is cut, an endless answer, another protocol', async () => {
    const url = `http://127.0.0.1:${port}`
    const outgoing = createOutgoing({ privateAddresses: 'allow' })
    expect(await failure(request(`${url}/silent`, { timeoutMs: 100, outgoing }))).toMatchObject({
      mayHaveArrived: true,
      message: `GET ${url}/silent: no answer within 100 ms`,
    })
    const cut = failure(request(`${url}/silent`, { timeoutMs: 5000, outgoing }))
    await new Promise<void>((resolve) => {
      const look = () => (asked.length >= 2 ? resolve() : setTimeout(look, 5))
      look()
    })
    server.closeAllConnections()
    expect(await cut).toMatchObject({ mayHaveArrived: true })
    expect((await failure(call(`${url}/endless`)))?.message).toContain('longer than 4194304 bytes')
    expect(await failure(call(`${url}/upgrade`))).toMatchObject({ mayHaveArrived: true })
  })

  test('nobody there: it never arrived', async () => {
    const url = `http://127.0.0.1:${port}/`
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(await failure(call(url))).toMatchObject({
      mayHaveArrived: false,
      message: `GET ${url}: connection refused`,
    })
    const unknown: Resolve = (_, __, done) =>
      done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
    expect(await failure(call('http://nowhere.example/', 'allow', unknown))).toMatchObject({
      mayHaveArrived: false,
      message: 'GET http://nowhere.example/: ENOTFOUND',
    })
  })

  test('no proxy of the environment comes in between', async () => {
    const before = { ...process.env }
    Object.assign(process.env, {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: 'http://127.0.0.1:1',
      http_proxy: 'http://127.0.0.1:1',
    })
    try {
      expect((await call(`http://127.0.0.1:${port}/direct`)).status).toBe(200)
    } finally {
      for (const name of ['NODE_USE_ENV_PROXY', 'HTTP_PROXY', 'http_proxy']) {
        if (before[name] === undefined) delete process.env[name]
        else process.env[name] = before[name]
      }
    }
  })
})
