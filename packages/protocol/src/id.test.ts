import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isId, newId, type IdPrefix } from './id.ts'

const PREFIXES: IdPrefix[] = ['TA', 'RE', 'TS', 'SD', 'EV', 'RN']

describe('newId (ID-1 to ID-3)', () => {
  test.each(PREFIXES)('%s: eleven characters of Crockford base 32, and isId knows it', (prefix) => {
    fc.assert(
      fc.property(fc.noShrink(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (random) => {
        const id = newId(prefix, () => random)
        expect(id).toMatch(new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{8}$`))
        expect(isId(prefix, id)).toBe(true)
      }),
    )
  })

  test('the smallest and the largest number, and every character of the alphabet', () => {
    expect(newId('RE', () => 0)).toBe('RE_00000000')
    expect(newId('RE', () => 1 - Number.EPSILON / 2)).toBe('RE_ZZZZZZZZ')
    let next = 0
    const ids = Array.from({ length: 4 }, () => newId('TA', () => next++ / 32).slice(3))
    expect(ids.join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ')
  })
})

describe('isId (ID-4): a text, eleven long, with its prefix, and nothing else', () => {
  test.each([
    ['TA', 'TA_3G4W5C2X', true],
    ['TA', 'TA_iloUILO ', true],
    ['RE', 'RE_äöü/../x', true],
    ['TA', 'RE_3G4W5C2X', false],
    ['TA', 'ta_3G4W5C2X', false],
    ['TA', 'TA-3G4W5C2X', false],
    ['TA', 'TA_3G4W5C2', false],
    ['TA', 'TA_3G4W5C2XY', false],
    ['TA', '', false],
    ['TA', null, false],
    ['TA', undefined, false],
    ['TA', 11, false],
    ['TA', ['TA_3G4W5C2X'], false],
    ['TA', { length: 11, startsWith: () => true }, false],
  ] as const)('%s %j → %s', (prefix, value, expected) => {
    expect(isId(prefix, value)).toBe(expected)
  })
})
