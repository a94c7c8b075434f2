import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffDelay, backoffStep, retryAfterMs } from './backoff.ts'

const WORK = { firstMs: 1000, maxMs: 120_000 }

describe('backoffStep (WK-8): 1 s, then doubled up to 2 min', () => {
  test.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 8000],
    [5, 16_000],
    [6, 32_000],
    [7, 64_000],
    [8, 120_000],
    [9, 120_000],
    [100_000, 120_000],
    [0, 1000],
  ])('failure %i → %i ms', (failures, expected) => {
    expect(backoffStep(WORK, failures)).toBe(expected)
  })
})

test('backoffDelay is anything between 0 and the step (N-1)', () => {
  expect(backoffDelay(WORK, 3, 0)).toBe(0)
  expect(backoffDelay(WORK, 3, 0.5)).toBe(2000)
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), random, (failures, chance) => {
      const delay = backoffDelay(WORK, failures, chance)
      expect(Number.isInteger(delay)).toBe(true)
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThanOrEqual(backoffStep(WORK, failures))
    }),
  )
})

describe('retryAfterMs', () => {
  const now = Date.UTC(2030, 0, 1)
  test.each([
    ['0', 0],
    ['2', 2000],
    [' 2 ', 2000],
    ['1.5', 1500],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['99999999999999999999', 3_600_000],
    ['Tue, 01 Jan 2030 00:00:30 GMT', 30_000],
    ['Mon, 31 Dec 2029 23:59:59 GMT', 0],
    ['Tue, 01 Jan 2031 00:00:00 GMT', 3_600_000],
    [null, null],
    ['', null],
    ['  ', null],
    ['soon', null],
    ['-5', null],
    ['0x10', null],
    ['1e3', null],
    ['Infinity', null],
    ['NaN', null],
  ])('%j → %s', (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected)
  })
})
