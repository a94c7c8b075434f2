import { expect, test } from 'vitest'
import type { WaitingFor } from './api-types.ts'
import { waitingSentence } from './waiting.ts'

/** With plain spaces; see the last test. */
const sentence = (...given: Parameters<typeof waitingSentence>) =>
  waitingSentence(...given).replaceAll('\u00a0', ' ')

const NOW = Date.parse('2026-01-01T12:00:00Z')
const WAITING: WaitingFor = {
  whom: 'service',
  what: 'waits for the service to report staged (1 of 2 tasks)',
  since: '2026-01-01T11:58:30Z',
  attempt: null,
  last_error: null,
  next_try: null,
  gives_up_at: null,
}

test('nothing', () => expect(sentence(null, NOW)).toBe('It has ended and waits for nothing.'))

test('one sentence, with how long', () =>
  expect(sentence(WAITING, NOW)).toBe(
    'Waits for the service to report staged (1 of 2 tasks), for 1 min 30 s.',
  ))

test('the first attempt is no news, later ones are, with the next try and the end', () => {
  const answer = {
    ...WAITING,
    what: 'waits for the service to answer start',
    next_try: '2026-01-01T12:00:08Z',
  }
  expect(sentence({ ...answer, attempt: 1 }, NOW)).toBe(
    'Waits for the service to answer start, for 1 min 30 s.',
  )
  const late = { ...answer, attempt: 3, last_error: 'status 503.', gives_up_at: '2026-01-01T14:00:00Z' }
  expect(sentence(late, NOW)).toBe(
    'Waits for the service to answer start, for 1 min 30 s; attempt 3; next try in 8 s; last error: status 503; gives up in 2 h.',
  )
})

test('no line ends between a number and its unit', () =>
  expect(waitingSentence(WAITING, NOW)).toContain('for 1\u00a0min 30\u00a0s'))
