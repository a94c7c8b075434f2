import { expect, test } from 'vitest'
import { offsetOf, only, parseSearch, stringifySearch } from './search-text.ts'

test('texts stay texts, and come back as they were', () => {
  const search = { name: '12 & more', author: 'true' }
  expect(parseSearch(stringifySearch(search))).toEqual(search)
})

test('empty parameters do not stay in the address', () => {
  expect(stringifySearch({ state: '', name: undefined })).toBe('')
  expect(parseSearch('?state=&name=a')).toEqual({ name: 'a' })
})

test('a page takes only what it knows', () =>
  expect(only({ state: 'staged', evil: 'x', name: '', offset: 3 }, ['state', 'name', 'offset'])).toEqual({
    state: 'staged',
  }))

test.each([
  [undefined, 0],
  ['40', 40],
  ['-1', 0],
  ['x', 0],
])('offset %s is %i', (text, offset) => expect(offsetOf(text)).toBe(offset))
