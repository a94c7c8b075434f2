import { expect, test } from 'vitest'
import { backoffMs, connectionText, isOld } from './connection.ts'

test('the backoff grows, has a most, and is never nothing', () => {
  expect(backoffMs(0, 0)).toBe(250)
  expect(backoffMs(0, 1)).toBe(500)
  expect(backoffMs(3, 1)).toBe(4000)
  expect(backoffMs(50, 1)).toBe(10_000)
  expect(backoffMs(50, 0)).toBe(5000)
})

test('only a page that hears nothing is old', () => {
  expect(isOld({ kind: 'lost', since: 0 })).toBe(true)
  expect(isOld({ kind: 'refused', since: 0 })).toBe(true)
  expect(isOld({ kind: 'polling', since: 0 })).toBe(false)
  expect(isOld({ kind: 'live', since: 0 })).toBe(false)
  expect(isOld({ kind: 'connecting' })).toBe(false)
})

test('a lost connection says since when', () =>
  expect(connectionText({ kind: 'lost', since: 5 }, (ms) => `t${ms}`)).toBe('Lost since t5'))
