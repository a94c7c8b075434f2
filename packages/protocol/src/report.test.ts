import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseProgress, parseServiceState } from './report.ts'

describe('parseProgress (RC-13)', () => {
  test.each([
    [0, 0],
    [37, 37],
    [37.9, 37],
    [-0.5, 0],
    [-3, 0],
    [101, 100],
    [1e300, 100],
    ['50', 50],
    ['50%', 50],
    [' 50 % ', 50],
    ['37.5%', 37],
    ['+7', 7],
    ['-5%', 0],
    ['250%', 100],
    ['007', 7],
    [null, null],
    [undefined, null],
    [true, null],
    [[50], null],
    [{ valueOf: () => 50 }, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [50n, null],
    ['', null],
    ['  ', null],
    ['%', null],
    ['half', null],
    ['50 percent', null],
    ['0x10', null],
    ['1e2', null],
    ['Infinity', null],
    ['50%%', null],
    ['1.2.3', null],
  ])('%s → %s', (value, expected) => {
    expect(parseProgress(value)).toBe(expected)
  })

  test('whatever comes, it is an integer from 0 to 100 or null', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true }), (value) => {
        const progress = parseProgress(value)
        if (progress === null) return
        expect(Number.isInteger(progress)).toBe(true)
        expect(Object.is(progress, -0)).toBe(false)
        expect(progress >= 0 && progress <= 100).toBe(true)
      }),
    )
  })
})

describe('parseServiceState (RC-13, RC-23)', () => {
  test.each([
    ['waiting', 'waiting'],
    ['initialized', 'initialized'],
    ['running', 'running'],
    ['staged', 'staged'],
    ['publishing', 'publishing'],
    ['published', 'published'],
    ['rejected', 'rejected'],
    ['failed', 'failed'],
    ['canceled', 'canceled'],
    ['pending', 'initialized'],
    ['cancelled', 'canceled'],
    ['cancelling', 'canceled'],
    // A word of releases only.
    ['canceling', null],
    ['Staged', null],
    ['staged ', null],
    ['', null],
    ['toString', null],
    ['__proto__', null],
    ['constructor', null],
    [null, null],
    [undefined, null],
    [1, null],
    [['staged'], null],
    [{ toString: () => 'staged' }, null],
  ])('%j → %s', (word, expected) => {
    expect(parseServiceState(word)).toBe(expected)
  })
})
