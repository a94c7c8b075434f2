import { expect, test } from 'vitest'
import { Rates } from './rate.ts'

test('time left is told from the third look on, and begins anew with another attempt', () => {
  const rates = new Rates()
  rates.see('a', 0, 0)
  rates.see('a', 10, 1000)
  expect(rates.leftMs('a')).toBeNull()
  rates.see('a', 20, 2000)
  expect(rates.leftMs('a')).toBe(8000)
  rates.see('a', 5, 3000)
  expect(rates.leftMs('a')).toBeNull()
})
