import { expect, test } from 'vitest'
import { firstHindrance, roleHindrance, oldHindrance } from './permissions.ts'

const me = (subject: string | null, roles: string[], permissions: string[]) => ({
  subject,
  roles,
  permissions,
})

test('who may is not hindered', () =>
  expect(roleHindrance(me('a', ['admin'], ['release.publish']), 'release.publish')).toBeNull())

test('who is not signed in is told to, who is learns which role is missing', () => {
  expect(roleHindrance(me(null, [], []), 'release.publish')).toBe('Needs the role admin: sign in first.')
  expect(roleHindrance(me('a', ['developer'], ['release.create']), 'note.write')).toBe(
    'Needs the role admin; yours is developer.',
  )
  expect(roleHindrance(me('a', [], []), 'study.sync')).toBe(
    'Needs the role developer or admin; yours is none.',
  )
})

test('before it is known nothing is allowed', () =>
  expect(roleHindrance(undefined, 'release.cancel')).not.toBeNull())

test('the first reason counts', () => {
  expect(firstHindrance(null, 'b', 'c')).toBe('b')
  expect(firstHindrance(null, null)).toBeNull()
})

test('on an old page nothing is offered', () => {
  expect(oldHindrance(true)).toContain('may be old')
  expect(oldHindrance(false)).toBeNull()
})
