import { describe, expect, test } from 'vitest'
import { aRelease, aTask, aWaiting } from './release.fixture.ts'
import { holdingUp, reasonLines, reasonOf, releaseSentence, waitingWords } from './sentences.ts'

describe('releaseSentence', () => {
  test('of one that waits', () =>
    expect(releaseSentence(aRelease())).toBe(
      'RE_00000001 "June" is running: it waits for the service to report staged (1 of 1 tasks), since 2030-01-01 10:00:00Z.',
    ))

  test('of one that is being stopped, and why', () =>
    expect(releaseSentence(aRelease({ state: 'canceling', reason: 'task TA_1 failed' }))).toMatch(
      /^RE_00000001 "June" is canceling because of this: task TA_1 failed: it waits/,
    ))

  test.each([
    [{ state: 'failed', reason: 'no room' }, 'RE_00000001 "June" is failed because of this: no room.'],
    [{ state: 'canceled', reason: null }, 'RE_00000001 "June" is canceled; it waits for nothing.'],
    [
      { state: 'published', reason: null, version: '1.2.3' },
      'RE_00000001 "June" is published, as version 1.2.3; it waits for nothing.',
    ],
  ])('of one that has ended: %j', (fields, sentence) =>
    expect(releaseSentence(aRelease({ ...fields, waiting_for: null }))).toBe(sentence),
  )
})

test('waitingWords tells tries and ends', () =>
  expect(
    waitingWords(
      aWaiting({
        what: 'waits for the service to answer start',
        attempt: 3,
        next_try: '2030-01-01T10:00:09.123Z',
        gives_up_at: '2030-01-01T10:30:00.000Z',
      }),
    ),
  ).toBe(
    'waits for the service to answer start, attempt 3, since 2030-01-01 10:00:00Z, next try 2030-01-01 10:00:09Z, gives up 2030-01-01 10:30:00Z',
  ))

test('holdingUp: those that are waited for, and those that ended the release', () => {
  const tasks = [
    aTask({ kf_id: 'TA_behind00' }),
    aTask({ kf_id: 'TA_done0000', state: 'staged', waiting_for: aWaiting({ whom: 'coordinator' }) }),
    aTask({ kf_id: 'TA_person00', waiting_for: aWaiting({ whom: 'person' }) }),
    aTask({ kf_id: 'TA_failed00', state: 'failed', waiting_for: null }),
    aTask({ kf_id: 'TA_refused0', state: 'rejected', waiting_for: null }),
    aTask({ kf_id: 'TA_canceled', state: 'canceled', waiting_for: null }),
  ]
  expect(holdingUp(aRelease({ tasks })).map((task) => task.kf_id)).toEqual([
    'TA_behind00',
    'TA_person00',
    'TA_failed00',
    'TA_refused0',
  ])
})

test('waitingWords tells an attempt once', () =>
  expect(waitingWords(aWaiting({ what: 'stage runs, attempt 2', attempt: 2 }))).toBe(
    'stage runs, attempt 2, since 2030-01-01 10:00:00Z',
  ))

describe('reasonLines', () => {
  const own =
    '  reference-task (TA_00000001) is running at 43%: it waits for the service to report staged, since 2030-01-01 10:00:00Z.'

  test('with the word of the service, whose error is the newer one', () => {
    const waiting_for = aWaiting({ whom: 'code', what: 'stage failed 2 times and is tried again' })
    const task = aTask({ last_error: 'old' })
    expect(reasonLines(reasonOf(task, { waiting_for, last_error: 'no room' }))).toEqual([
      own,
      '    its service says: stage failed 2 times and is tried again, since 2030-01-01 10:00:00Z',
      '    last error: no room',
    ])
  })

  test('with a service that is away', () =>
    expect(reasonLines(reasonOf(aTask({ last_error: 'old' }), { unreachable: 'It is away' }))).toEqual([
      own,
      '    It is away',
      '    last error: old',
    ]))

  test('without a word of it', () => expect(reasonLines(reasonOf(aTask(), null))).toEqual([own]))
})
