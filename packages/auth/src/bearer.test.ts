import { expect, test } from 'vitest'
import { bearerToken, MAX_TOKEN_LENGTH } from './bearer.ts'

test.each([
  ['Bearer abc.def.ghi', 'abc.def.ghi'],
  ['bearer abc', 'abc'],
  ['BEARER abc', 'abc'],
  ['Bearer   abc', 'abc'],
  ['Bearer a-b_c~d+e/f==', 'a-b_c~d+e/f=='],
  ['Bearer null', 'null'],
  [`Bearer ${'a'.repeat(MAX_TOKEN_LENGTH)}`, 'a'.repeat(MAX_TOKEN_LENGTH)],
])('%s', (header, token) => expect(bearerToken(header)).toBe(token))

test.each([
  ['nothing', undefined],
  ['an empty header', ''],
  ['an empty token', 'Bearer '],
  ['the scheme alone', 'Bearer'],
  ['no scheme', 'abc.def.ghi'],
  ['another scheme', 'Basic YTpi'],
  ['a longer scheme', 'Bearerabc def'],
  ['something before', 'x Bearer abc'],
  ['two tokens', 'Bearer abc def'],
  ['two credentials', 'Bearer abc, Bearer def'],
  ['two headers', ['Bearer abc', 'Bearer def']],
  ['one header in a list', ['Bearer abc']],
  ['unicode', 'Bearer äöü'],
  ['an emoji', 'Bearer abc😀'],
  ['a line break', 'Bearer abc\nX-Admin: yes'],
  ['a line break at the end', 'Bearer abc\n'],
  ['a NUL', 'Bearer abc\0'],
  ['a tab', 'Bearer\tabc'],
  ['padding in the middle', 'Bearer a=b'],
  ['one byte more than allowed', `Bearer ${'a'.repeat(MAX_TOKEN_LENGTH + 1)}`],
  ['9 KiB', `Bearer ${'a'.repeat(9 * 1024)}`],
  ['a megabyte of spaces', `Bearer ${' '.repeat(1024 * 1024)}a`],
])('%s is no token', (_, header) => expect(bearerToken(header)).toBeNull())
