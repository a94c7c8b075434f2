import { describe, expect, test } from 'vitest'
import { formatBytes, parseBytes, roughBytes } from './bytes.ts'
import { settingsHelp, settingsMarkdown } from './describe.ts'
import { formatDuration, parseDuration } from './duration.ts'
import {
  bytes,
  choice,
  count,
  duration,
  httpUrl,
  origins,
  port,
  readSettings,
  SettingsError,
  text,
} from './setting.ts'

describe('durations', () => {
  test.each([
    ['0', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('%s', (written, ms) => expect(parseDuration(written)).toBe(ms))

  test.each(['', '30', 's', '-5s', '5 s', '1w', '5m30s', 'Infinity'])('"%s" is none', (written) =>
    expect(parseDuration(written)).toBeNull(),
  )

  test('are written in the largest unit that is exact, and read back', () => {
    for (const ms of [0, 1, 999, 1000, 90_000, 3_600_000, 86_400_000])
      expect(parseDuration(formatDuration(ms))).toBe(ms)
    expect(formatDuration(90_000)).toBe('90s')
  })
})

describe('bytes', () => {
  test.each([
    ['0', 0],
    ['7B', 7],
    ['2KB', 2000],
    ['500MB', 500_000_000],
    ['1.5GB', 1_500_000_000],
    ['2TB', 2_000_000_000_000],
  ])('%s', (written, size) => expect(parseBytes(written)).toBe(size))

  test.each(['', '30', 'GB', '-5GB', '5 GB', '1gb', '1GiB', '1GB500MB', '99999999TB'])(
    '"%s" is none',
    (written) => expect(parseBytes(written)).toBeNull(),
  )

  test('are written in the largest unit that is exact, and read back', () => {
    for (const size of [0, 1, 999, 1000, 1_264_000, 1_500_000, 3_000_000_000, 4_000_000_000_000])
      expect(parseBytes(formatBytes(size))).toBe(size)
    expect(formatBytes(1_500_000)).toBe('1500KB')
  })

  test('what was measured is rounded down, so that it never seems to be enough', () => {
    expect(roughBytes(999_999_999)).toBe('999.9MB')
    expect(roughBytes(1_264_000_000)).toBe('1.2GB')
    expect(roughBytes(0)).toBe('0')
  })
})

const TABLE = {
  port: port('PORT', '8282', 'Port.'),
  sync: choice(['full', 'normal'])('SYNC', 'full', 'How.'),
  wait: duration('WAIT', '30s', 'How long.'),
  many: count(1)('MANY', '4', 'How many.'),
  size: bytes('SIZE', '1GB', 'How big.'),
  url: httpUrl('URL', null, 'Where.'),
  name: text('NAME', 'x', 'Who.'),
} as const

test('defaults, and an empty value counts as not set', () => {
  expect(readSettings(TABLE, { PORT: '', URL: '' })).toEqual({
    port: 8282,
    sync: 'full',
    wait: 30_000,
    many: 4,
    size: 1_000_000_000,
    url: null,
    name: 'x',
  })
})

test('an address loses its slash at the end', () => {
  expect(readSettings(TABLE, { URL: 'http://host:1/a//' }).url).toBe('http://host:1/a')
})

test('origins are exact, and none stands for all of them', () => {
  const table = { origins: origins('ORIGINS', null, 'Who.') } as const
  const list = ['https://a.test', 'http://127.0.0.1:8080']
  expect(readSettings(table, { ORIGINS: list.join(', ') }).origins).toEqual(list)
  for (const wrong of [
    '*',
    'https://a.test/',
    'https://*.a.test/x',
    'a.test',
    'null',
    'ftp://a.test',
    'https://a.test,',
  ])
    expect(() => readSettings(table, { ORIGINS: wrong })).toThrow('a list of origins')
})

test('every wrong setting is named at once, with its value and the form that is expected', () => {
  const wrong = { PORT: '70000', SYNC: 'maybe', WAIT: 'soon', MANY: '0', SIZE: '1', URL: 'ftp://x' }
  expect(() => readSettings(TABLE, wrong)).toThrow(SettingsError)
  expect(() => readSettings(TABLE, wrong)).toThrow(
    'Cannot read the settings: PORT=70000 is not a port (0 to 65535); SYNC=maybe is not one of full, normal; WAIT=soon is not a duration such as 30s, 10m or 1h; MANY=0 is not a whole number from 1; SIZE=1 is not a size such as 500MB, 1GB or 0; URL=ftp://x is not an http:// or https:// address',
  )
})

test('help and Markdown name every setting with its default', () => {
  for (const described of [settingsHelp(TABLE), settingsMarkdown(TABLE)]) {
    for (const setting of Object.values(TABLE)) {
      expect(described).toContain(setting.name)
      expect(described).toContain(setting.default ?? 'not set')
    }
  }
})
