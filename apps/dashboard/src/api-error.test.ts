import { describe, expect, test } from 'vitest'
import { fieldsOf, refusalOf, serverMessage, silenceOf } from './api-error.ts'

describe('what the server said', () => {
  test.each([
    [{ detail: 'Not found.' }, 'Not found.'],
    [{ status: 'error', message: 'More than half' }, 'More than half'],
    [{ non_field_errors: ['Expected a dictionary.'] }, 'Expected a dictionary.'],
    [{ url: ['could not reach http://a: status 500'] }, 'url: could not reach http://a: status 500'],
    [{ tags: { 1: ['too long'] } }, 'tags: too long'],
    [{ deadlines: { accept: ['no duration'] } }, 'deadlines: accept: no duration'],
    [{}, null],
    [null, null],
    ['text', null],
  ])('%j: %s', (body, expected) => expect(serverMessage(body)).toBe(expected))
})

test('fields have their own words, general ones are none', () =>
  expect(fieldsOf({ name: ['a', 'b'], detail: 'c' })).toEqual({ name: 'a b' }))

test('a refusal without words still says what happened', () => {
  expect(refusalOf(500, null).message).toBe('The coordinator answered 500 and did not say why.')
  expect(refusalOf(403, {}).message).toContain('not allowed')
  expect(refusalOf(409, { detail: 'The release is staged.' })).toMatchObject({
    status: 409,
    isSilence: false,
  })
})

test('only a change that was not answered may have been made', () => {
  expect(silenceOf(true, true, 15).message).toContain('look before you try again')
  expect(silenceOf(true, false, 15).message).toBe('The coordinator did not answer within 15 s.')
  expect(silenceOf(false, false, 15)).toMatchObject({ kind: 'unreachable', isSilence: true })
})
