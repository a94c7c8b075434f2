import { describe, expect, test } from 'vitest'
import { actorOf, ANONYMOUS, authorOf, callerOf, type Caller } from './caller.ts'

const GROUPS = 'https://kidsfirstdrc.org/groups'
const ROLES = 'https://kidsfirstdrc.org/roles'
const USER = { sub: 'auth0|1', name: 'Ada', [GROUPS]: ['SD_00000001'], [ROLES]: ['DEV'] }
const MACHINE = { gty: 'client-credentials', azp: 'abc', sub: 'abc@clients' }

test('a user is who the claims say (AU-6)', () => {
  expect(callerOf(USER)).toEqual({
    kind: 'user',
    id: 'auth0|1',
    name: 'Ada',
    role: 'DEV',
    studies: ['SD_00000001'],
  })
})

describe('role (AU-6)', () => {
  test.each([
    [['ADMIN'], 'ADMIN'],
    [['DEV'], 'DEV'],
    [['USER'], 'USER'],
    [['USER', 'DEV', 'ADMIN'], 'ADMIN'],
    [['USER', 'DEV'], 'DEV'],
    [[], 'USER'],
    [['INVESTIGATOR'], 'USER'],
    [['admin'], 'USER'],
    [['ADMIN '], 'USER'],
    [[null, 7, { role: 'ADMIN' }, ['ADMIN']], 'USER'],
  ])('%j is %s', (roles, role) => expect(callerOf({ ...USER, [ROLES]: roles })).toMatchObject({ role }))
})

describe('a user token that lacks a claim, or has it in a wrong type, is nobody', () => {
  const wrong = [undefined, null, 0, 7, 'ADMIN', true, { 0: 'ADMIN', length: 1 }]
  test.each(wrong)('roles %j', (roles) => expect(callerOf({ ...USER, [ROLES]: roles })).toEqual(ANONYMOUS))
  test.each(wrong)('groups %j', (groups) =>
    expect(callerOf({ ...USER, [GROUPS]: groups })).toEqual(ANONYMOUS),
  )
  test.each([undefined, null, 0, 7, '', ' ', ['auth0|1'], 'a\nb', 'a\u202eb', 'x'.repeat(256)])(
    'sub %j',
    (sub) => expect(callerOf({ ...USER, sub })).toEqual(ANONYMOUS),
  )
})

test('of the groups only texts are studies', () => {
  const groups = ['SD_00000001', null, 7, ['SD_00000002'], 'SD_00000003']
  expect(callerOf({ ...USER, [GROUPS]: groups })).toMatchObject({ studies: ['SD_00000001', 'SD_00000003'] })
})

describe('name', () => {
  const { name: _, ...nameless } = USER
  test.each([
    [{}, 'auth0|1'],
    [{ email: 'a@b.c' }, 'a@b.c'],
    [{ nickname: 'ada', email: 'a@b.c' }, 'ada'],
    [{ name: 'Ada', nickname: 'ada' }, 'Ada'],
    [{ name: 7, nickname: null, email: ['x'] }, 'auth0|1'],
    [{ name: 'Ada\nmachine:abc' }, 'auth0|1'],
    [{ name: 'n'.repeat(200) }, 'n'.repeat(100)],
  ])('%j', (claims, name) => expect(callerOf({ ...nameless, ...claims })).toMatchObject({ name }))
})

describe('a machine', () => {
  test('is no ADMIN by itself, whatever roles it brings', () => {
    const expected = { kind: 'machine', client: 'abc', isAdmin: false }
    expect(callerOf(MACHINE)).toEqual(expected)
    expect(callerOf({ ...USER, ...MACHINE, [ROLES]: ['ADMIN'] })).toEqual(expected)
  })

  test('is ADMIN where its client is listed', () => {
    expect(callerOf(MACHINE, ['xyz', 'abc'])).toEqual({ kind: 'machine', client: 'abc', isAdmin: true })
    expect(callerOf(MACHINE, ['ABC', 'ab', 'abc@clients'])).toMatchObject({ isAdmin: false })
  })

  test.each([
    [{ azp: 'a', client_id: 'b', sub: 'c@clients' }, 'a'],
    [{ client_id: 'b', sub: 'c@clients' }, 'b'],
    [{ sub: 'c@clients' }, 'c'],
    [{ sub: 'c' }, 'c'],
    [{ azp: 7, client_id: null, sub: ['c'] }, ''],
    [{}, ''],
  ])('is named by %j', (claims, client) =>
    expect(callerOf({ gty: 'client-credentials', ...claims })).toMatchObject({ client }),
  )

  test('without a name is never ADMIN', () =>
    expect(callerOf({ gty: 'client-credentials' }, [''])).toMatchObject({ isAdmin: false }))

  test.each(['password', 'Client-Credentials', ['client-credentials'], null, 1, true])(
    'gty %j is none',
    (gty) => expect(callerOf({ ...USER, gty })).toMatchObject({ kind: 'user' }),
  )
})

test('the audit trail tells the kinds apart, whatever somebody is called', () => {
  const named = callerOf({ ...USER, sub: 'abc', name: 'machine:abc' })
  const all: Caller[] = [ANONYMOUS, named, callerOf(MACHINE)]
  expect(all.map(actorOf)).toEqual(['anonymous', 'user:abc', 'machine:abc'])
  expect(all.map(authorOf)).toEqual([null, 'machine:abc', 'abc'])
  expect(authorOf(callerOf({ gty: 'client-credentials' }))).toBeNull()
  expect(authorOf(callerOf({ gty: 'client-credentials', azp: 'c'.repeat(200) }))).toBe('c'.repeat(100))
})
