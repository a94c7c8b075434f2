import { expect, test } from 'vitest'

import { readRetention, RETENTION_SETTINGS } from './retention.ts'

test('without settings all that is published stays, and leftovers stay for thirty days', () => {
  const expected = { keepPublished: null, keepLeftovers: 30 * 24 * 60 * 60 * 1000 }
  expect(readRetention({})).toEqual(expected)
  expect(readRetention({ KEEP_PUBLISHED: '', KEEP_LEFTOVERS: '' })).toEqual(expected)
})

test('what is chosen is taken', () => {
  expect(readRetention({ KEEP_PUBLISHED: '3', KEEP_LEFTOVERS: '0' })).toEqual({
    keepPublished: 3,
    keepLeftovers: 0,
  })
})

test('every wrong setting is named', () => {
  expect(() => readRetention({ KEEP_PUBLISHED: '0', KEEP_LEFTOVERS: 'long' })).toThrow(
    'KEEP_PUBLISHED=0 is not a whole number from 1; KEEP_LEFTOVERS=long is not a duration',
  )
})

test('the table has a line for each', () => {
  expect(RETENTION_SETTINGS.map(({ name, default: text }) => [name, text])).toEqual([
    ['KEEP_PUBLISHED', 'not set'],
    ['KEEP_LEFTOVERS', '30d'],
  ])
})
