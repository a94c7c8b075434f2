import { describe, expect, test } from 'vitest'
import type { Caller } from './caller.ts'
import { createPolicy, PERMISSIONS, type Permission } from './policy.ts'

const user = (role: 'ADMIN' | 'DEV' | 'USER', studies: string[] = ['SD_1', 'SD_2']): Caller => ({
  kind: 'user',
  id: 'auth0|1',
  name: 'Ada',
  role,
  studies,
})
const machine = (isAdmin: boolean): Caller => ({ kind: 'machine', client: 'abc', isAdmin })

/** Columns of the matrix below, in this order. */
const CALLERS: readonly (readonly [string, Caller])[] = [
  ['anonymous', { kind: 'anonymous' }],
  ['USER', user('USER')],
  ['DEV', user('DEV')],
  ['ADMIN', user('ADMIN')],
  ['machine', machine(false)],
  ['admin machine', machine(true)],
]

/** Typed by hand from AU-7, AU-8, SV-13, SV-19, SV-21 and CR-37; the subject is a release over studies of the groups. */
const MATRIX: readonly (readonly [Permission, number, number, number, number, number, number])[] = [
  //                 anonymous USER DEV ADMIN machine admin machine
  ['probe', /*           */ 1, 1, 1, 1, 1, 1],
  ['read', /*            */ 1, 1, 1, 1, 1, 1],
  ['release.create', /*  */ 0, 0, 1, 1, 0, 1],
  ['release.edit', /*    */ 0, 0, 0, 1, 0, 1],
  ['release.cancel', /*  */ 0, 0, 0, 1, 0, 1],
  ['release.publish', /* */ 0, 0, 0, 1, 0, 1],
  ['release.check', /*   */ 0, 0, 0, 1, 1, 1],
  ['note.write', /*      */ 0, 0, 0, 1, 0, 1],
  ['task.report', /*     */ 0, 0, 0, 1, 1, 1],
  ['task.create', /*     */ 0, 0, 0, 1, 0, 1],
  ['task.check', /*      */ 0, 0, 0, 1, 1, 1],
  ['service.write', /*   */ 0, 0, 1, 1, 0, 1],
  ['service.check', /*   */ 0, 0, 0, 1, 1, 1],
  ['study.sync', /*      */ 0, 0, 1, 1, 0, 1],
  ['event.write', /*     */ 0, 0, 0, 1, 0, 1],
  ['audit.read', /*      */ 0, 0, 0, 1, 0, 1],
  ['action.send', /*     */ 0, 0, 0, 0, 1, 1],
  ['action.decide', /*   */ 0, 0, 0, 1, 0, 1],
]
const SUBJECT = { studies: ['SD_1', 'SD_2'] }
const OPEN = createPolicy({ auth: 'on', reads: 'open' })

test('the matrix has every permission once', () =>
  expect(MATRIX.map(([permission]) => permission)).toEqual(Object.keys(PERMISSIONS)))

describe.each(MATRIX)('%s', (permission, ...expected) => {
  test.each(CALLERS.map(([name, caller], column) => ({ name, caller, allowed: expected[column] === 1 })))(
    '$name: $allowed',
    ({ caller, allowed }) => expect(OPEN.may(caller, permission, SUBJECT)).toBe(allowed),
  )
})

describe('AUTH_READS=required', () => {
  const closed = createPolicy({ auth: 'on', reads: 'required' })
  test.each(CALLERS)('%s', (name, caller) => {
    expect(closed.may(caller, 'read')).toBe(name !== 'anonymous')
    expect(closed.may(caller, 'probe')).toBe(true)
  })
})

describe('a DEV releases studies of its groups only', () => {
  test.each([
    [['SD_1'], true],
    [['SD_2', 'SD_1'], true],
    [['SD_1', 'SD_3'], false],
    [['SD_3'], false],
    [[], false],
    [undefined, false],
  ])('%j: %s', (studies, allowed) =>
    expect(OPEN.may(user('DEV'), 'release.create', studies ? { studies } : {})).toBe(allowed),
  )

  test('without groups nothing, however it is asked', () => {
    expect(OPEN.may(user('DEV', []), 'release.create', { studies: ['SD_1'] })).toBe(false)
    expect(OPEN.may(user('DEV', []), 'release.create')).toBe(false)
  })

  test('ADMIN and a listed client release any', () => {
    expect(OPEN.may(user('ADMIN', []), 'release.create', { studies: ['SD_9'] })).toBe(true)
    expect(OPEN.may(machine(true), 'release.create', { studies: ['SD_9'] })).toBe(true)
  })
})

test('AUTH=off: everybody may what anybody may', () => {
  const off = createPolicy({ auth: 'off', reads: 'required' })
  const allowed = MATRIX.filter(([permission]) => off.may({ kind: 'anonymous' }, permission))
  expect(allowed).toEqual(MATRIX)
})

test('a refusal has the words of CR-14', () => {
  const anonymous: Caller = { kind: 'anonymous' }
  for (const [permission] of MATRIX)
    expect(OPEN.refusal(anonymous, permission)).toBe('Authentication credentials were not provided.')
  expect(OPEN.refusal(user('USER'), 'release.create')).toBe('Not allowed')
  expect(OPEN.refusal(user('DEV'), 'release.publish')).toBe('Not allowed')
  expect(OPEN.refusal(user('DEV'), 'task.report')).toBe('Must be an admin')
  expect(OPEN.refusal(user('DEV'), 'note.write')).toBe('Must be an admin')
  expect(OPEN.refusal(machine(false), 'service.write')).toBe('Must be a developer')
})
