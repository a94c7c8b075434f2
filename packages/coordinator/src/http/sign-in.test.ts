import { PERMISSIONS } from '@release-task/auth'
import { attacks } from '@release-task/auth/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { Fixture } from '../coordinator.fixture.ts'
import { AuthFixture, CALLERS, OWN, SENT_OUT, type CallerName } from './auth.fixture.ts'

const OIDC = {
  DASHBOARD_CLIENT_ID: 'page',
  DASHBOARD_AUTHORIZE_URL: 'https://login.test/authorize',
  DASHBOARD_TOKEN_URL: 'https://login.test/token',
}

let auth: AuthFixture | null = null
afterEach(async () => {
  await auth?.close()
  auth = null
})

describe('GET /sign-in (CR-48)', () => {
  test('nothing checks who calls: there is no way, and none is needed', async () => {
    const fixture = await Fixture.start({ env: OIDC })
    try {
      const { code, body, headers } = await fixture.call('GET', '/sign-in')
      expect([code, body]).toEqual([200, { auth: 'off', ways: [] }])
      expect(headers['cache-control']).toBe('no-store')
      expect((await fixture.call('POST', '/sign-in', {})).code).toBe(405)
    } finally {
      await fixture.close()
    }
  })

  test('the issuer of the settings, and that of dev; told to everybody', async () => {
    const dev = 'http://127.0.0.1:5002/token'
    auth = await AuthFixture.start({ ...OIDC, AUTH_READS: 'required', DASHBOARD_DEV_TOKEN_URL: dev })
    const ask = (url: string) => auth!.coordinator.call('GET', url, undefined, { authorization: '' })
    const { code, body } = await ask('/sign-in')
    expect([code, body]).toEqual([
      200,
      {
        auth: 'on',
        ways: [
          { kind: 'local', token_url: dev, roles: ['viewer', 'developer', 'admin'] },
          {
            kind: 'oidc',
            authorization_endpoint: 'https://login.test/authorize',
            token_endpoint: 'https://login.test/token',
            client_id: 'page',
            audience: OWN,
            scope: 'openid profile',
          },
        ],
      },
    ])
    expect((await ask('/sign-in.json')).body).toEqual(body)
  })

  test('half of an issuer stops the start, and what is missing is named', () =>
    expect(() =>
      readConfig({ DASHBOARD_CLIENT_ID: 'page', DASHBOARD_TOKEN_URL: 'https://login.test/token' }),
    ).toThrow('the page also needs DASHBOARD_AUTHORIZE_URL'))
})

describe('GET /me (CR-49)', () => {
  const ALL = Object.keys(PERMISSIONS)
  const READER = ['probe', 'read']
  const CHECKER = ['release.check', 'task.report', 'task.check', 'service.check', 'action.send']
  const withoutMachines = ALL.filter((name) => name !== 'action.send')

  test('whom the token stands for and all that they may, for each kind of caller', async () => {
    auth = await AuthFixture.start()
    const expected: { readonly [caller in CallerName]: object } = {
      anonymous: { subject: null, roles: [], permissions: READER },
      USER: { subject: 'u-user', roles: ['viewer'], permissions: READER },
      DEV: {
        subject: 'u-dev',
        roles: ['developer'],
        permissions: [...READER, 'release.create', 'service.write', 'study.sync'],
      },
      ADMIN: { subject: 'u-admin', roles: ['admin'], permissions: withoutMachines },
      machine: { subject: 'a-service', roles: [], permissions: [...READER, ...CHECKER] },
      'admin machine': { subject: 'operator', roles: ['admin'], permissions: ALL },
    }
    for (const name of Object.keys(CALLERS) as CallerName[]) {
      const { code, body } = await auth.coordinator.call('GET', '/me', undefined, await auth.headersOf(name))
      expect([name, code, body]).toEqual([name, 200, expected[name]])
    }
  })

  test('a developer without studies may release none', async () => {
    auth = await AuthFixture.start()
    const token = await auth.issuer.token({ kind: 'user', id: 'd', role: 'DEV', studies: [] }, OWN)
    const { body } = await auth.coordinator.call('GET', '/me', undefined, {
      authorization: `Bearer ${token}`,
    })
    expect(body.permissions).not.toContain('release.create')
  })

  test('a token that is not good is nobody, as on every read (AU-3)', async () => {
    auth = await AuthFixture.start({ AUTH_READS: 'required' })
    const lines = await attacks(auth.issuer, OWN, SENT_OUT)
    for (const { name, lines: authorization } of lines.filter((one) => one.lines.length === 1)) {
      const headers = { authorization: authorization[0] ?? '' }
      const { code, body } = await auth.coordinator.call('GET', '/me', undefined, headers)
      expect([name, code, body]).toEqual([name, 200, { subject: null, roles: [], permissions: ['probe'] }])
    }
  })

  test('nothing checks who calls: everybody may do everything', async () => {
    const fixture = await Fixture.start()
    try {
      const { body } = await fixture.call('GET', '/me', undefined, { authorization: 'Bearer x' })
      expect(body).toEqual({ subject: null, roles: [], permissions: ALL })
    } finally {
      await fixture.close()
    }
  })
})
