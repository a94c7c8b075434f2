import { describe, expect, test } from 'vitest'
import { bytes, cut, span, summaryWords, wrap } from './text.ts'

describe('cut', () => {
  test('counts what is visible and keeps every color code, so that colors are closed', () => {
    const text = '\u001B[31mabcdef\u001B[39m!'
    expect(cut(text, 3)).toBe('\u001B[31mabc\u001B[39m')
    expect(cut(text, 7)).toBe(text)
  })
})

test.each([
  [0, '0.0 s'],
  [4240, '4.2 s'],
  [59_000, '59 s'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
])('span(%d)', (ms, words) => expect(span(ms)).toBe(words))

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [70_317_801, '70.3 MB'],
  [1e15, '1000.0 TB'],
])('bytes(%d)', (value, words) => expect(bytes(value)).toBe(words))

test('a summary in words leaves out what is no number and no text', () => {
  const summary = { rows: 100_000, bytes: 70_317_801, genomic_files: 3, note: 'ok', nested: { a: 1 } }
  expect(summaryWords(summary)).toBe('rows 100,000, 70.3 MB, genomic files 3, note ok')
})

test('wrap breaks at spaces, indents what follows, and never drops a word', () => {
  expect(wrap('one two three four', 9, '  ')).toEqual(['one two', '  three', '  four'])
  expect(wrap('averylongword', 5, '  ')).toEqual(['averylongword'])
  expect(wrap('  a: one two three', 8, '  ')).toEqual(['  a: one', '    two', '    three'])
  expect(wrap('same same same', 4, '')).toEqual(['same', 'same', 'same'])
  expect(wrap('a a a b', 3, '')).toEqual(['a a', 'a b'])
})
