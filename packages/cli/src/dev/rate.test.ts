import { expect, test } from 'vitest'
import { Rates } from './rate.ts'

test('time left is told once there is progress to compare, and begins anew with another attempt', () => {
  const rates = new Rates()
  rates.see('a', 0, 0)
  rates.see('a', 10, 1000)
  expect(rates.leftMs('a')).toBeNull()
  rates.see('a', 20, 2000)
  expect(rates.leftMs('a')).toBe(8000)
  rates.see('a', 5, 3000)
  expect(rates.leftMs('a')).toBeNull()
})

test('a rate per second comes from counts in the words, also where a count begins anew', () => {
  const rates = new Rates()
  const words = (count: string) => `SD_1 participants: ${count} of 60,000 rows`
  rates.seeMessage('a', words('1,000'), 0)
  expect(rates.perSecond('a', words('1,000'))).toBeNull()
  rates.seeMessage('a', words('9,500'), 100)
  expect(rates.perSecond('a', words('9,500'))).toBe('85,000 rows/s')
  rates.seeMessage('a', words('8,500'), 200)
  expect(rates.perSecond('a', words('8,500'))).toBe('85,000 rows/s')
  rates.seeMessage('b', 'verifying a file', 0)
  expect(rates.perSecond('b', 'verifying a file')).toBeNull()
})
