import { readSettings, SettingsError, type Environment } from '@release-task/settings'
import { describe, expect, test } from 'vitest'
import { withAuth0Names } from './auth0-names.ts'
import { checkAuthSettings, type AuthPlan, type Side } from './check-settings.ts'
import { COORDINATOR_AUTH_SETTINGS } from './settings.ts'

const ON = { AUTH: 'on', AUTH_ISSUER: 'https://issuer.test/', AUTH_AUDIENCE: 'https://coordinator.test' }
const CLIENT = {
  AUTH_CLIENT_ID: 'abc',
  AUTH_CLIENT_SECRET: 'very-secret-value',
  AUTH_TOKEN_AUDIENCE: 'https://services.test',
}

function plan(env: Environment, host = '127.0.0.1', side: Side = 'coordinator'): AuthPlan {
  return checkAuthSettings(side, { ...readSettings(COORDINATOR_AUTH_SETTINGS, withAuth0Names(env)), host })
}

/** The problems as one text; empty where there are none. */
function problems(env: Environment, host?: string, side?: Side): string {
  try {
    plan(env, host, side)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError)
    expect((error as Error).message).not.toContain('very-secret-value')
    return (error as Error).message.replace('Cannot use the settings: ', '')
  }
}

test('nothing set: nothing is checked and nothing sent, on a local address', () => {
  expect(plan({})).toEqual({
    policy: { auth: 'off', reads: 'open' },
    verifier: null,
    tokens: null,
    legacyServices: [],
  })
})

test('everything follows from an issuer', () => {
  expect(
    plan({
      ...ON,
      ...CLIENT,
      AUTH_READS: 'required',
      AUTH_ADMIN_CLIENTS: 'a, b,',
      LEGACY_SERVICES: 'http://old/, https://older',
    }),
  ).toEqual({
    policy: { auth: 'on', reads: 'required' },
    verifier: {
      issuer: 'https://issuer.test',
      audience: 'https://coordinator.test',
      jwksUrl: 'https://issuer.test/.well-known/jwks.json',
      adminClients: ['a', 'b'],
    },
    tokens: {
      tokenUrl: 'https://issuer.test/oauth/token',
      clientId: 'abc',
      clientSecret: 'very-secret-value',
      audience: 'https://services.test',
    },
    legacyServices: ['http://old', 'https://older'],
  })
})

test('addresses of keys and tokens can be set by themselves', () => {
  const env = { ...ON, ...CLIENT, AUTH_JWKS_URL: 'http://keys/k', AUTH_TOKEN_URL: 'http://tokens/t' }
  expect(plan(env)).toMatchObject({
    verifier: { jwksUrl: 'http://keys/k' },
    tokens: { tokenUrl: 'http://tokens/t' },
  })
})

test('tokens are sent also where nobody is checked (AU-2)', () => {
  const env = { AUTH: 'off', ...CLIENT, AUTH_TOKEN_URL: 'http://tokens/t' }
  expect(plan(env)).toMatchObject({ verifier: null, tokens: { audience: 'https://services.test' } })
})

describe('an address that others reach', () => {
  const PUBLIC = [
    '0.0.0.0',
    '::',
    '192.168.1.4',
    'coordinator',
    '127.evil.test',
    'localhost.evil.test',
    'x.localhost',
    'fe80::1',
    '',
  ]
  test.each(PUBLIC)('%s', (host) => {
    expect(problems({}, host)).toMatch(
      /^HOST=.* is reachable from other machines: set AUTH=on, or AUTH=off with/,
    )
    expect(problems({ AUTH: 'off' }, host)).toMatch(
      /AUTH=off lets all of them do everything: set AUTH_OFF_PUBLIC=yes/,
    )
    expect(problems({ AUTH_OFF_PUBLIC: 'yes' }, host)).toMatch(/reachable/)
    expect(problems({ AUTH: 'off', AUTH_OFF_PUBLIC: 'yes' }, host)).toBe('')
    expect(problems(ON, host)).toBe('')
  })
  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('%s is not one', (host) => {
    expect(problems({}, host)).toBe('')
    expect(problems({ AUTH: 'off' }, host)).toBe('')
  })
})

test('AUTH=off checks nothing, and leaves the other settings for when it is on again', () => {
  expect(plan({ ...ON, AUTH: 'off', AUTH_READS: 'required', AUTH_ADMIN_CLIENTS: 'a' })).toMatchObject({
    policy: { auth: 'off' },
    verifier: null,
  })
})

describe('half a configuration', () => {
  test.each([
    [{ AUTH: 'on' }, 'AUTH=on needs AUTH_ISSUER and AUTH_AUDIENCE'],
    [{ ...ON, AUTH_AUDIENCE: '' }, 'AUTH=on needs AUTH_AUDIENCE'],
    [{ ...ON, AUTH_ISSUER: '' }, 'AUTH=on needs AUTH_ISSUER'],
    [
      { AUTH_ISSUER: 'https://i.test' },
      'AUTH_ISSUER set, but AUTH is neither on nor off: nothing would check who calls',
    ],
    [{ AUTH_JWKS_URL: 'https://i.test' }, 'AUTH_JWKS_URL set, but AUTH'],
    [{ AUTH_READS: 'required' }, 'AUTH_READS=required set, but AUTH'],
    [{ AUTH_ADMIN_CLIENTS: 'a', AUTH_AUDIENCE: 'b' }, 'AUTH_AUDIENCE, AUTH_ADMIN_CLIENTS set, but AUTH'],
    [
      { ...ON, AUTH_CLIENT_ID: 'abc' },
      'to send a token, this side also needs AUTH_CLIENT_SECRET and AUTH_TOKEN_AUDIENCE',
    ],
    [
      { ...ON, ...CLIENT, AUTH_CLIENT_SECRET: '' },
      'to send a token, this side also needs AUTH_CLIENT_SECRET',
    ],
    [{ ...ON, ...CLIENT, AUTH_CLIENT_ID: '' }, 'to send a token, this side also needs AUTH_CLIENT_ID'],
    [
      { ...ON, ...CLIENT, AUTH_TOKEN_AUDIENCE: '' },
      'to send a token, this side also needs AUTH_TOKEN_AUDIENCE',
    ],
    [{ AUTH: 'off', ...CLIENT }, 'to send a token, this side also needs AUTH_TOKEN_URL or AUTH_ISSUER'],
    [{ ...ON, AUTH_TOKEN_URL: 'https://t.test' }, 'to send a token, this side also needs AUTH_CLIENT_ID and'],
  ])('%j', (env, problem) => expect(problems(env)).toContain(problem))
})

test('the audience of what is sent is never that of this side', () => {
  const same = { ...ON, ...CLIENT, AUTH_TOKEN_AUDIENCE: ON.AUTH_AUDIENCE }
  expect(problems(same)).toContain(
    'AUTH_TOKEN_AUDIENCE is AUTH_AUDIENCE (https://coordinator.test): every task service',
  )
  expect(problems(same, '127.0.0.1', 'task-service')).toContain('the coordinator could use the token')
  expect(problems({ ...same, AUTH: 'off' })).toContain('AUTH_TOKEN_AUDIENCE is AUTH_AUDIENCE')
})

test('every problem is told at once', () => {
  const env = { AUTH_AUDIENCE: 'x', AUTH_TOKEN_AUDIENCE: 'x' }
  expect(problems(env, '0.0.0.0').split('; ')).toEqual([
    expect.stringMatching(/^HOST=0\.0\.0\.0/),
    expect.stringMatching(/^AUTH_AUDIENCE set/),
    expect.stringMatching(/^to send a token/),
    expect.stringMatching(/^AUTH_TOKEN_AUDIENCE is/),
    'give it an audience of its own',
  ])
})

test.each([
  [
    { LEGACY_SERVICES: 'http://a, b' },
    'LEGACY_SERVICES=http://a, b is not a list of http:// or https:// addresses',
  ],
  [{ AUTH: 'yes' }, 'AUTH=yes is not one of on, off'],
  [{ AUTH_OFF_PUBLIC: 'true' }, 'AUTH_OFF_PUBLIC=true is not one of yes'],
  [{ AUTH_ISSUER: 'issuer.test' }, 'AUTH_ISSUER=issuer.test is not an http'],
])('%j has a wrong form', (env, problem) => expect(() => plan(env)).toThrow(problem))

describe('the names of the original', () => {
  const OLD = {
    AUTH0_DOMAIN: 'https://old.test',
    AUTH0_JWKS: 'https://old.test/keys',
    AUTH0_AUD: 'https://services.test',
    AUTH0_CLIENT: 'old',
    AUTH0_SECRET: 'very-secret-value',
  }

  test('stand in for those that are not set', () => {
    expect(plan({ ...OLD, AUTH: 'on', AUTH_AUDIENCE: 'mine', AUTH_ISSUER: '' })).toMatchObject({
      verifier: { issuer: 'https://old.test', jwksUrl: 'https://old.test/keys', audience: 'mine' },
      tokens: {
        tokenUrl: 'https://old.test/oauth/token',
        clientId: 'old',
        clientSecret: 'very-secret-value',
        audience: 'https://services.test',
      },
    })
  })

  test('give way to ours', () => {
    expect(plan({ ...OLD, ...ON, ...CLIENT, AUTH_JWKS_URL: 'https://new.test/keys' })).toMatchObject({
      verifier: { issuer: 'https://issuer.test', jwksUrl: 'https://new.test/keys' },
      tokens: { clientId: 'abc', audience: 'https://services.test' },
    })
  })

  test('a domain without a scheme is reached over https', () => {
    expect(plan({ ...OLD, AUTH0_DOMAIN: 'old.test', AUTH: 'on', AUTH_AUDIENCE: 'mine' })).toMatchObject({
      verifier: { issuer: 'https://old.test' },
    })
  })

  test('are told, where they are all there is', () => {
    expect(problems(OLD)).toContain('AUTH_ISSUER, AUTH_JWKS_URL set, but AUTH is neither on nor off')
    expect(problems({ ...OLD, AUTH: 'on' })).toBe('AUTH=on needs AUTH_AUDIENCE')
  })
})
