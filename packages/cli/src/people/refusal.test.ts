import { AuthError } from '@release-task/auth'
import { TransportError } from '@release-task/http'
import { describe, expect, test } from 'vitest'
import { COMMAND_ERRORS, errorText } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { reasonOf, refusalOf, unreachable, type Asked } from './refusal.ts'

const asked: Asked = {
  method: 'POST',
  side: 'coordinator',
  url: 'http://host:1',
  path: '/releases',
  look: 'release-task releases list',
  hasToken: true,
}
const answer = (status: number, json: unknown, text = JSON.stringify(json)) => ({
  status,
  json,
  text,
  retryAfter: null,
})

describe('refusalOf', () => {
  test.each([
    [400, 'REFUSED', 1],
    [409, 'REFUSED', 1],
    [404, 'NOT_FOUND', 1],
    [401, 'NOT_PERMITTED', 5],
    [403, 'NOT_PERMITTED', 5],
    [429, 'NOT_REACHABLE', 4],
    [500, 'OUTCOME_UNKNOWN', 4],
    [502, 'OUTCOME_UNKNOWN', 4],
    [503, 'NOT_REACHABLE', 4],
  ])('%d is %s and ends with %d', (status, code, exitCode) =>
    expect(refusalOf(answer(status, { detail: 'No.' }), asked)).toMatchObject({ code, exitCode }),
  )

  test('a read that failed has done nothing, a write that 503 answers has where that is said', () => {
    expect(refusalOf(answer(502, {}), { ...asked, method: 'GET' }).code).toBe('NOT_REACHABLE')
    const detail = 'It is not known whether this was stored: look before you ask again.'
    expect(refusalOf(answer(503, { detail }), asked).code).toBe('OUTCOME_UNKNOWN')
  })

  test('says what was refused', () =>
    expect(refusalOf(answer(409, { detail: 'It is published.' }), asked).message).toBe(
      'The coordinator refused: It is published (409)',
    ))

  test('tells the way to a token only where none was sent', () => {
    expect(refusalOf(answer(403, {}), asked).next).not.toContain('RELEASE_TASK_TOKEN')
    expect(refusalOf(answer(403, {}), { ...asked, hasToken: false }).next).toContain('RELEASE_TASK_TOKEN')
  })

  test('shows what is no JSON, and not all of it', () =>
    expect(refusalOf(answer(500, undefined, 'x'.repeat(1000)), asked).message.length).toBeLessThan(300))
})

test.each([
  [{ detail: 'Not found.' }, 'Not found.'],
  [{ message: 'Cannot retry TA_1', code: 'PERSON_NOT_NEEDED' }, 'Cannot retry TA_1'],
  [
    { studies: ['Invalid pk "SD_1" - object does not exist.'] },
    'studies: Invalid pk "SD_1" - object does not exist.',
  ],
  [{ tags: { 0: ['Too long.'] } }, 'tags: 0: Too long.'],
  [{ non_field_errors: ['Invalid data.'] }, 'Invalid data.'],
  [{}, null],
  [undefined, null],
])('reasonOf %j', (json, said) => expect(reasonOf(json)).toBe(said))

describe('unreachable', () => {
  const lost = new TransportError('POST http://host:1/releases: connection reset', true, null)

  test('a write whose answer was lost may have been done; a read was not', () => {
    expect(unreachable(lost, asked)).toMatchObject({ code: 'OUTCOME_UNKNOWN', exitCode: 4 })
    expect(unreachable(new TransportError('POST x: refused', false, null), asked).code).toBe('NOT_REACHABLE')
    expect(unreachable(lost, { ...asked, method: 'GET' }).message).toBe(
      'The coordinator at http://host:1 cannot be reached: connection reset',
    )
  })

  test('says in words what the system has a code for', () => {
    const missing = new TransportError('GET http://host:1/x: ENOTFOUND', false, null)
    expect(unreachable(missing, asked).message).toBe(
      'The coordinator at http://host:1 cannot be reached: no such host',
    )
  })

  test('a token that is refused is not permitted, an issuer that is away is not reached', () => {
    const by = (code: 'TOKEN_ENDPOINT_REFUSED' | 'TOKEN_ENDPOINT_UNAVAILABLE') =>
      unreachable(new TransportError('x', false, new AuthError(code, 'No token')), asked).exitCode
    expect([by('TOKEN_ENDPOINT_REFUSED'), by('TOKEN_ENDPOINT_UNAVAILABLE')]).toEqual([5, 4])
  })
})

test('an error is one line, or one object', () => {
  const error = { message: 'It\nis \u001B[31maway', code: 'NOT_REACHABLE', next: 'wait' } as const
  expect(errorText(error, false)).toBe('It is away. Next: wait')
  expect(JSON.parse(errorText(error, true))).toEqual({ error })
})

test('every error ends with a code that is there', () => {
  for (const { exit } of Object.values(COMMAND_ERRORS)) expect(EXIT[exit]).toBeGreaterThan(0)
})
