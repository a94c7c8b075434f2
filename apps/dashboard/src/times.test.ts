import { expect, test } from 'vitest'
import { clockOrDateText, lengthText, relativeText } from './times.ts'

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [999, '< 1 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [86_400_000, '24 h'],
  [160_000_000, '44 h 26 min'],
  [172_800_000, '2 d'],
  [273_600_000, '3 d 4 h'],
])('%i ms is %s', (ms, text) => expect(lengthText(ms)).toBe(text))

test.each([
  [1000, 'just now'],
  [12_000, '12 s ago'],
  [-12_000, 'in 12 s'],
  [-1000, 'in a moment'],
  [3_700_000, '1 h ago'],
  [100_000_000, '27 h ago'],
  [200_000_000, '2 d ago'],
])('%i ms back is "%s"', (back, text) => expect(relativeText(1_000_000_000 - back, 1_000_000_000)).toBe(text))

test('the date is told where it is not today', () => {
  const now = new Date(2026, 4, 6, 12, 0, 0).getTime()
  expect(clockOrDateText(now - 1000, now)).toBe('11:59:59')
  expect(clockOrDateText(now - 86_400_000, now)).toBe('05 May 2026, 12:00:00')
})
