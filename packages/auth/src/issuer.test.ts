import { exportJWK, generateKeyPair } from 'jose'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openIssuer, type Issuer } from './issuer.ts'
import { createVerifier, type Verifier } from './verifier.ts'

const CLIENTS = [
  { id: 'coordinator', secret: 'c-secret', audiences: ['services'] },
  { id: 'task', secret: 't-secret', audiences: ['coordinator'] },
]
const ASK = {
  grant_type: 'client_credentials',
  client_id: 'task',
  client_secret: 't-secret',
  audience: 'coordinator',
}

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'issuer-'))
  folder = join(root, 'data', 'auth')
})
afterEach(() => rm(root, { recursive: true }))

const open = (issuer = 'http://issuer.test') => openIssuer({ folder, issuer, clients: CLIENTS })

/** A verifier for `audience` that reads the keys of this issuer over HTTP. */
async function served(make: (address: string) => Promise<Issuer>, audience: string) {
  let issuer: Issuer | null = null
  const server = createServer((_, response) => response.end(JSON.stringify(issuer?.jwks())))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  issuer = await make(address)
  const verifier: Verifier = createVerifier({ jwksUrl: address, issuer: address, audience })
  return {
    issuer,
    verifier,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  }
}

describe('the key', () => {
  test('is kept, for its owner alone', async () => {
    const first = (await open()).jwks()
    expect((await open()).jwks()).toEqual(first)
    expect(await readdir(folder)).toEqual(['issuer-key.json'])
    expect((await stat(join(folder, 'issuer-key.json'))).mode & 0o777).toBe(0o600)
  })

  test('is one for all who start together', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => open()))
    expect(new Set(all.map((issuer) => issuer.jwks().keys[0]?.kid)).size).toBe(1)
    expect(await readdir(folder)).toEqual(['issuer-key.json'])
  })

  test('is shown without its secret half', async () => {
    const { keys } = (await open()).jwks()
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'e', 'kid', 'kty', 'n', 'use']])
  })

  test('that is broken is refused, not replaced, and not quoted', async () => {
    await open()
    const file = join(folder, 'issuer-key.json')
    const whole = await readFile(file, 'utf8')
    const { publicKey } = await generateKeyPair('RS256', { extractable: true })
    for (const text of [
      '',
      '{',
      '{}',
      'null',
      whole.slice(0, 40),
      JSON.stringify(await exportJWK(publicKey)),
    ]) {
      await writeFile(file, text)
      const error = await open().catch((error: unknown) => error as Error & { code: string })
      expect(error).toMatchObject({ code: 'ISSUER_KEY_UNREADABLE' })
      expect((error as Error).cause).toBeUndefined()
      expect(await readFile(file, 'utf8')).toBe(text)
    }
  })
})

describe('token', () => {
  test('is what a verifier takes', async () => {
    await using world = await served((address) => open(address), 'coordinator')
    const { status, body } = await world.issuer.token(ASK)
    expect({ status, body }).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3600 } })
    const { access_token: token } = body as { access_token: string }
    expect(await world.verifier.verify(token)).toEqual({ kind: 'machine', client: 'task', isAdmin: false })
  })

  test.each([
    ['another secret', { ...ASK, client_secret: 'c-secret' }, 401],
    ['no secret', { ...ASK, client_secret: undefined }, 401],
    ['a secret of another type', { ...ASK, client_secret: ['t-secret'] }, 401],
    ['an unknown client', { ...ASK, client_id: 'evil' }, 401],
    ['an unknown client and an empty secret', { ...ASK, client_id: 'evil', client_secret: '' }, 401],
    ['the audience of another client', { ...ASK, audience: 'services' }, 403],
    ['no audience', { ...ASK, audience: undefined }, 403],
    ['another grant', { ...ASK, grant_type: 'password' }, 400],
    ['no object', 'x', 400],
    ['nothing', null, 400],
    ['undefined', undefined, 400],
  ])('%s', async (_, body, status) => {
    const answer = await (await open()).token(body)
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.body)).not.toMatch(/access_token|secret/)
  })
})

test('issue gives a token for a person', async () => {
  await using world = await served((address) => open(address), 'coordinator')
  const ada = { kind: 'user', id: 'dev|ada', name: 'Ada', role: 'DEV', studies: ['SD_1'] } as const
  const token = await world.issuer.issue({ ...ada, audience: 'coordinator' })
  expect(await world.verifier.verify(token)).toEqual(ada)
  const elsewhere = await world.issuer.issue({ ...ada, audience: 'services' })
  await expect(world.verifier.verify(elsewhere)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
})

test('its tokens end', async () => {
  await using world = await served(
    (issuer) => openIssuer({ folder, issuer, clients: [], now: () => Date.now() - 3_700_000 }),
    'coordinator',
  )
  const token = await world.issuer.issue({ kind: 'machine', client: 'x', audience: 'coordinator' })
  await expect(world.verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
})
