import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestIssuer } from '@release-task/auth/testing'
import { readSettings } from '@release-task/settings'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tokensFor, type Wish } from './credentials.ts'
import { COMMAND_SETTINGS } from './settings.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'credentials-'))
})
afterEach(() => rmSync(data, { recursive: true }))

const wish = (environment: Record<string, string>, more: Partial<Wish> = {}): Wish => ({
  settings: readSettings(COMMAND_SETTINGS, environment),
  receiver: 'coordinator',
  token: undefined,
  data,
  coordinator: 'http://127.0.0.1:5001',
  role: 'viewer',
  ...more,
})
const token = (...args: Parameters<typeof wish>) => tokensFor(wish(...args))?.token() ?? null

const claims = (jwt: string | null) =>
  JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString())

test('one that is given comes first', async () => {
  expect(await token({ RELEASE_TASK_TOKEN: 'b' }, { token: 'a' })).toBe('a')
  expect(await token({ RELEASE_TASK_TOKEN: 'b', AUTH_CLIENT_ID: 'c' })).toBe('b')
})

test('the token of one side is never taken for the other', async () => {
  const both = { RELEASE_TASK_TOKEN: 'b', RELEASE_TASK_SERVICE_TOKEN: 's' }
  expect(await token(both, { receiver: 'task' })).toBe('s')
  expect(await token({ RELEASE_TASK_TOKEN: 'b' }, { receiver: 'task' })).toBeNull()
})

test('client credentials, with the audience of the side that is called', async () => {
  await using issuer = await startTestIssuer()
  const environment = {
    AUTH_ISSUER: issuer.issuer,
    AUTH_CLIENT_ID: 'ci',
    AUTH_CLIENT_SECRET: 'secret',
    AUTH_TOKEN_AUDIENCE: 'the-coordinator',
    AUTH_AUDIENCE: 'the-service',
  }
  expect(claims(await token(environment)).aud).toBe('the-coordinator')
  expect(claims(await token(environment, { receiver: 'task' })).aud).toBe('the-service')
})

test('client credentials that are set by half are said, all at once', () =>
  expect(() => tokensFor(wish({ AUTH_CLIENT_ID: 'ci' }))).toThrow(
    'AUTH_CLIENT_ID also needs AUTH_CLIENT_SECRET and AUTH_TOKEN_AUDIENCE and AUTH_TOKEN_URL or AUTH_ISSUER',
  ))

test('of the issuer of dev, with the role that suffices, for its own coordinator alone', async () => {
  expect(await token({})).toBeNull()
  const note = { issuer: 'http://127.0.0.1:5002', coordinator: 'http://127.0.0.1:5001' }
  mkdirSync(join(data, 'issuer'))
  writeFileSync(join(data, 'issuer', 'issuer.json'), JSON.stringify(note))
  const roles = async (...args: Parameters<typeof token>) =>
    claims(await token(...args))['https://kidsfirstdrc.org/roles']
  expect(await roles({}, { role: 'admin' })).toEqual(['ADMIN'])
  expect(await roles({}, { coordinator: 'http://localhost:5001' })).toEqual(['USER'])
  expect(claims(await token({}, { receiver: 'task' })).aud).toBe('release-task-service')
  expect(await token({}, { coordinator: 'https://elsewhere.test' })).toBeNull()
})
