import { describe, expect, test } from 'vitest'
import { detailFields } from './details.model.ts'

const lines = (detail: unknown) => detailFields(detail).map(({ name, text }) => `${name}: ${text}`)
const only = (text: string) => detailFields({ name: text })[0]

describe('what was asked for, field by field (CR-44)', () => {
  test.each([
    [null, []],
    [undefined, []],
    [{ method: 'DELETE' }, ['method: DELETE']],
    [
      { method: 'POST', body: { name: 'June', is_major: true } },
      ['method: POST', 'name: June', 'is_major: true'],
    ],
    [{ method: 'PATCH', body: {} }, ['method: PATCH']],
    [{ method: 'POST', body: 'text' }, ['method: POST', 'body: text']],
    [{ created: ['SD_1', 'SD_2'], removed: [] }, ['created: SD_1, SD_2', 'removed: []']],
    [{ tooLong: 70_123 }, ['not kept: 70,123 characters']],
    ['a text', ['asked for: a text']],
    [['a', 1], ['asked for: a, 1']],
  ])('%j', (detail, expected) => expect(lines(detail)).toEqual(expected))

  test.each([
    [{ silence: '20m', total: null }, 'silence: 20m, total: null'],
    [{ one: { two: ['a', 'b'] } }, 'one: {two: [a, b]}'],
    [{ one: { two: { three: { four: 4 } } } }, 'one: {two: {three: {"four":4}}}'],
    [{}, '{}'],
    ['', '""'],
    [' \n', '" \\n"'],
    [0, '0'],
    [false, 'false'],
  ])('a value such as %j is %s', (value, text) => expect(only(value as never)?.text).toBe(text))
})

describe('a long text', () => {
  test('is cut, and there as a whole besides', () => {
    const text = 'word '.repeat(25).trimEnd()
    expect(only(text)).toEqual({ name: 'name', text, head: `${'word '.repeat(24).trimEnd()} …` })
    expect(only('x'.repeat(120))?.head).toBe(null)
  })

  test('of several lines is one line until somebody opens it', () => {
    expect(only('first\n\nsecond\n')).toMatchObject({ text: 'first\n\nsecond\n', head: 'first second …' })
    expect(only('one line\n')?.head).toBe(null)
  })

  test('is not cut in the middle of a character', () =>
    expect(only('😀'.repeat(121))?.head).toBe(`${'😀'.repeat(120)} …`))
})
