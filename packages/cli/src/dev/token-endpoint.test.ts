import { request as httpRequest } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVerifier } from '@release-task/auth'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issueToken, startIssuer, type LocalIssuer } from './local-issuer.ts'
import { AUDIENCES } from './role-token.ts'

const COORDINATOR = 'http://127.0.0.1:5991'
const ASK = { grant_type: 'client_credentials', role: 'admin' }

let folder: string
let issuer: LocalIssuer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'issuer-'))
  issuer = await startIssuer(folder, 0, [])
  issuer.note(COORDINATOR)
})
afterEach(async () => {
  await issuer.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Said {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: any
}

function ask(body: unknown, headers: Record<string, string> = {}, method = 'POST'): Promise<Said> {
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const all = { 'content-type': 'application/json', ...headers }
    const sent = httpRequest(`${issuer.url}/token`, { method, headers: all, agent: false }, (answer) => {
      let got = ''
      answer.on('data', (chunk: Buffer) => (got += chunk.toString()))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: got && JSON.parse(got) }),
      )
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? text : undefined)
  })
}

const verifier = () =>
  createVerifier({
    issuer: issuer.url,
    jwksUrl: `${issuer.url}/.well-known/jwks.json`,
    audience: AUDIENCES.coordinator,
  })

test('a token for each role, the same as `release-task token` prints (CR-48)', async () => {
  for (const [role, name] of [
    ['viewer', 'USER'],
    ['developer', 'DEV'],
    ['admin', 'ADMIN'],
  ] as const) {
    const { status, body, headers } = await ask({ ...ASK, role })
    expect([status, body]).toEqual([
      200,
      { token_type: 'Bearer', access_token: expect.any(String), expires_in: 3600 },
    ])
    expect(headers['cache-control']).toBe('no-store')
    const caller = await verifier().verify(body.access_token)
    expect(caller).toMatchObject({ kind: 'user', id: `dev-${name.toLowerCase()}`, role: name })
    expect(await verifier().verify(await issueToken(folder, { role, receiver: 'coordinator' }))).toEqual(
      caller,
    )
  }
})

test.each([
  [{ ...ASK, role: 'king' }, 'invalid_request'],
  [{ ...ASK, role: 'constructor' }, 'invalid_request'],
  [{ ...ASK, role: ['admin'] }, 'invalid_request'],
  [{ grant_type: 'client_credentials' }, 'invalid_request'],
  [{ role: 'admin' }, 'unsupported_grant_type'],
  [{ ...ASK, grant_type: 'password' }, 'unsupported_grant_type'],
  [null, 'unsupported_grant_type'],
  ['admin', 'unsupported_grant_type'],
  [[ASK], 'unsupported_grant_type'],
])('%j is 400', async (body, error) => {
  const answer = await ask(body)
  expect([answer.status, answer.body]).toEqual([400, { error, error_description: expect.any(String) }])
})

test('the page may ask under both names of this machine, and read the answer', async () => {
  for (const origin of [COORDINATOR, 'http://localhost:5991']) {
    const asked = { origin, 'access-control-request-method': 'POST' }
    const preflight = await ask(null, asked, 'OPTIONS')
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, origin])
    const { status, headers } = await ask(ASK, { origin })
    expect([status, headers['access-control-allow-origin'], headers['vary']]).toEqual([200, origin, 'Origin'])
  }
})

test.each([
  'https://evil.test',
  'http://127.0.0.1:5992',
  'https://127.0.0.1:5991',
  'null',
  'http://localhost',
])('a page of %s may not', async (origin) => {
  const preflight = await ask(null, { origin, 'access-control-request-method': 'POST' }, 'OPTIONS')
  expect(preflight.headers).not.toHaveProperty('access-control-allow-origin')
  const { status, headers, body } = await ask(ASK, { origin })
  expect([status, body.error]).toEqual([403, 'access_denied'])
  expect(headers).not.toHaveProperty('access-control-allow-origin')
})

test('a name that was made to lead here is not ours; a form is no JSON', async () => {
  for (const host of ['evil.test', 'evil.test:5002', '127.0.0.1.evil.test', 'localhost.evil.test:1'])
    expect((await ask(ASK, { host })).status).toBe(403)
  expect((await ask(ASK, { host: 'localhost:1' })).status).toBe(200)
  expect((await ask(ASK, { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
  expect((await ask(ASK, { 'content-type': 'text/plain' })).status).toBeGreaterThanOrEqual(400)
})

test('the coordinator of dev is told where; a task service is not', () => {
  expect(issuer.environmentOf(null)).toMatchObject({ DASHBOARD_DEV_TOKEN_URL: `${issuer.url}/token` })
  expect(issuer.environmentOf('a')).not.toHaveProperty('DASHBOARD_DEV_TOKEN_URL')
})
