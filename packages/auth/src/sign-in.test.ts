import { readSettings, SettingsError, type Environment } from '@release-task/settings'
import { expect, test } from 'vitest'
import { COORDINATOR_AUTH_SETTINGS } from './settings.ts'
import { SIGN_IN_SETTINGS, signInOf, tokenOrigins } from './sign-in.ts'

const TABLE = { ...COORDINATOR_AUTH_SETTINGS, ...SIGN_IN_SETTINGS }
const read = (env: Environment) => signInOf(readSettings(TABLE, env))

const ON = { AUTH: 'on', AUTH_ISSUER: 'https://issuer.test', AUTH_AUDIENCE: 'https://coordinator.test' }
const OIDC = {
  DASHBOARD_CLIENT_ID: 'page',
  DASHBOARD_AUTHORIZE_URL: 'https://login.test/authorize/',
  DASHBOARD_TOKEN_URL: 'https://login.test:8443/token/?tenant=a',
}

test('nothing set: who is not checked has no way, nor has who is', () => {
  expect(read({})).toEqual({ auth: 'off', ways: [] })
  expect(read({ AUTH: 'off' })).toEqual({ auth: 'off', ways: [] })
  expect(read(ON)).toEqual({ auth: 'on', ways: [] })
})

test('an issuer with its endpoints as they are written, slashes and all (CR-48)', () => {
  const way = {
    kind: 'oidc',
    authorization_endpoint: 'https://login.test/authorize/',
    token_endpoint: 'https://login.test:8443/token/?tenant=a',
    client_id: 'page',
    audience: 'https://coordinator.test',
    scope: 'openid profile',
  }
  expect(read({ ...ON, ...OIDC })).toEqual({ auth: 'on', ways: [way] })
  expect(read({ ...ON, ...OIDC, DASHBOARD_SCOPE: 'openid groups' }).ways).toEqual([
    { ...way, scope: 'openid groups' },
  ])
  expect(read({ AUTH: 'off', ...OIDC })).toEqual({ auth: 'off', ways: [] })
})

test.each(Object.keys(OIDC))('without %s the others are refused, and it is named', (name) => {
  const half = { ...ON, ...OIDC, [name]: '' }
  expect(() => read(half)).toThrow(SettingsError)
  expect(() => read(half)).toThrow(new RegExp(`the page also needs ${name}$`))
})

test('one of them alone names the two others', () =>
  expect(() => read({ ...ON, DASHBOARD_CLIENT_ID: 'page' })).toThrow(
    'the page also needs DASHBOARD_AUTHORIZE_URL and DASHBOARD_TOKEN_URL',
  ))

test('an address that is none is refused by its name', () =>
  expect(() => read({ ...ON, ...OIDC, DASHBOARD_TOKEN_URL: 'login.test/token' })).toThrow(
    'DASHBOARD_TOKEN_URL=login.test/token is not an http:// or https:// address',
  ))

test('the issuer of dev, on this machine alone', () => {
  const url = 'http://127.0.0.1:5002/token'
  expect(read({ ...ON, DASHBOARD_DEV_TOKEN_URL: url }).ways).toEqual([
    { kind: 'local', token_url: url, roles: ['viewer', 'developer', 'admin'] },
  ])
  for (const other of ['https://issuer.test/token', 'http://127.0.0.1.evil.test/', 'http://10.0.0.1/token'])
    expect(() => read({ ...ON, DASHBOARD_DEV_TOKEN_URL: other })).toThrow('is not on this machine')
})

test('where tokens come from: each origin once', () => {
  const both = read({ ...ON, ...OIDC, DASHBOARD_DEV_TOKEN_URL: 'http://localhost:5002/token' })
  expect(tokenOrigins(both)).toEqual(['http://localhost:5002', 'https://login.test:8443'])
  expect(tokenOrigins(read({}))).toEqual([])
})
