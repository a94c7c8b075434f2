import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { candidateVersion, publishedVersion } from './version.ts'

describe('version of a new release (RC-28)', () => {
  test.each([
    ['', '0.0.0'],
    ['0.0.0', '0.0.1'],
    ['0.0.9', '0.0.10'],
    ['1.2.3', '1.2.4'],
    ['10.20.99', '10.20.100'],
  ])('after "%s": %s', (latest, expected) => expect(candidateVersion(latest)).toBe(expected))
})

describe('version of a published release (RC-29)', () => {
  test.each([
    ['0.0.0', false, '0.1.0'],
    ['0.0.1', false, '0.1.0'],
    ['0.9.5', false, '0.10.0'],
    ['0.9.5', true, '1.0.0'],
    ['1.0.0', true, '2.0.0'],
    ['9.9.9', true, '10.0.0'],
  ])('after %s, major %s: %s', (latest, isMajor, expected) =>
    expect(publishedVersion(latest, isMajor)).toBe(expected),
  )
})

test('in whatever order releases are made and published, every version is higher than all before (F-11)', () => {
  const parts = (version: string) => version.split('.').map(Number)
  const isHigher = (one: string, other: string) => {
    const [a, b] = [parts(one), parts(other)]
    const at = a.findIndex((part, index) => part !== b[index])
    return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0)
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom('create', 'minor', 'major'), { maxLength: 40 }), (steps) => {
      let latest = candidateVersion('')
      for (const step of steps) {
        const next = step === 'create' ? candidateVersion(latest) : publishedVersion(latest, step === 'major')
        expect(isHigher(next, latest)).toBe(true)
        latest = next
      }
    }),
  )
})
