import { expect, test } from 'vitest'

import { byteText, shareText } from './amounts.ts'

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [394_407_813_203_540, '394.4 TB'],
  [4e15, '4.0 PB'],
  [4e19, '40000.0 PB'],
])('%i bytes are %s', (bytes, text) => {
  expect(byteText(bytes)).toBe(text)
})

test.each([
  [0, 10, '0 %'],
  [0, 0, '0 %'],
  [1, 3, '33.3 %'],
  [10, 10, '100 %'],
  [1, 100_000, '< 0.1 %'],
  [99_999, 100_000, '> 99.9 %'],
])('%i of %i is %s', (part, whole, text) => {
  expect(shareText(part, whole)).toBe(text)
})
