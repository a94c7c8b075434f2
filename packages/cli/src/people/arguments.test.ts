import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { oneOf } from '../options.ts'
import { address, duration, idOf, idsOf, limit, textOrFile } from './arguments.ts'

test('ids of one kind, and nothing that a path would not hold', () => {
  expect(idOf('RE')('RE_ABCD1234')).toBe('RE_ABCD1234')
  for (const wrong of ['', 'RE_1', 'TA_ABCD1234', 'RE_ABCD12345', 'RE_../../x', 'RE_ABCD 234', 're_ABCD1234'])
    expect(() => idOf('RE')(wrong)).toThrow('It must be the id of a release: RE_ and 8 letters or digits.')
  expect(idsOf('SD')('SD_00000002', ['SD_00000001'])).toEqual(['SD_00000001', 'SD_00000002'])
})

test('durations as everywhere', () => {
  expect([duration('30m'), duration('1.5h'), duration('0')]).toEqual([1_800_000, 5_400_000, 0])
  for (const wrong of ['', '30', 'soon', '-1s']) expect(() => duration(wrong)).toThrow('30s, 10m or 1h')
})

test('limits', () => {
  expect([limit('1'), limit('1000')]).toEqual([1, 1000])
  for (const wrong of ['0', '1001', 'x', '1.5']) expect(() => limit(wrong)).toThrow('1 to 1000')
})

test('addresses, without a slash at the end', () => {
  expect(address('http://host:1/a/')).toBe('http://host:1/a')
  for (const wrong of ['host', 'ftp://host']) expect(() => address(wrong)).toThrow('http:// or https://')
})

test('words', () => {
  expect(oneOf(['a', 'b'])('b')).toBe('b')
  expect(() => oneOf(['a', 'b'])('constructor')).toThrow('one of a, b')
})

test('a text, or a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arguments-'))
  writeFileSync(join(folder, 'text'), 'From a file\n')
  expect([textOrFile('plain'), textOrFile(`@${folder}/text`)]).toEqual(['plain', 'From a file'])
  expect(() => textOrFile(`@${folder}/none`)).toThrow('none cannot be read (ENOENT)')
  rmSync(folder, { recursive: true })
})
