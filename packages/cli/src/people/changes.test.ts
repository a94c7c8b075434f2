import { describe, expect, test } from 'vitest'
import { changeLine, changesBetween } from './changes.ts'
import { aRelease, aTask, aWaiting } from './release.fixture.ts'

const AT = '2030-01-01T10:00:05.000Z'
const lines = (
  ...looks: readonly [Parameters<typeof changesBetween>[0], Parameters<typeof changesBetween>[1]]
) => changesBetween(looks[0], looks[1], AT).map(changeLine)

describe('changesBetween', () => {
  test('the first look tells everything, the release first', () =>
    expect(lines(null, aRelease())).toEqual([
      '10:00:05Z RE_00000001 running',
      '10:00:05Z TA_00000001 reference-task running 43%: 1 of 2 rows',
    ]))

  test('nothing new is nothing told, also where a task only says something else', () =>
    expect(lines(aRelease(), aRelease({ tasks: [aTask({ progress: 49, message: '2 of 2 rows' })] }))).toEqual(
      [],
    ))

  test('each tenth of progress', () =>
    expect(lines(aRelease(), aRelease({ tasks: [aTask({ progress: 50 })] }))).toEqual([
      '10:00:05Z TA_00000001 reference-task running 50%: 1 of 2 rows',
    ]))

  test('what became of the release comes after what its tasks did', () => {
    const staged = aRelease({
      state: 'staged',
      tasks: [aTask({ state: 'staged', progress: 100, message: null })],
    })
    expect(lines(aRelease(), staged)).toEqual([
      '10:00:05Z TA_00000001 reference-task staged',
      '10:00:05Z RE_00000001 staged',
    ])
  })

  test('an error of a task, once, and not when it has gone well after all', () => {
    const failing = aRelease({ tasks: [aTask({ waiting_for: aWaiting({ last_error: 'no route' }) })] })
    expect(lines(aRelease(), failing)).toEqual([
      '10:00:05Z TA_00000001 reference-task running 43%: 1 of 2 rows; last error: no route',
    ])
    expect(lines(failing, failing)).toEqual([])
    const done = aRelease({
      state: 'published',
      tasks: [aTask({ state: 'published', last_error: 'no route', message: null })],
    })
    expect(lines(failing, done)[0]).toBe('10:00:05Z TA_00000001 reference-task published')
  })

  test('a further attempt, with why the one before failed, until the task has published', () => {
    const second = aTask({ attempt: 2, last_error: 'disk full' })
    expect(lines(aRelease(), aRelease({ tasks: [second] }))).toEqual([
      '10:00:05Z TA_00000001 reference-task running 43%, attempt 2: 1 of 2 rows; last error: disk full',
    ])
    const third = { ...second, attempt: 3 }
    // The error is told once.
    expect(lines(aRelease({ tasks: [second] }), aRelease({ tasks: [third] }))).toEqual([
      '10:00:05Z TA_00000001 reference-task running 43%, attempt 3: 1 of 2 rows',
    ])
    const published = { ...second, state: 'published', last_error: null, message: null }
    expect(lines(aRelease({ tasks: [second] }), aRelease({ tasks: [published] }))).toEqual([
      '10:00:05Z TA_00000001 reference-task published',
    ])
  })

  test('what a task has staged, in its own words', () => {
    const summary = { rows: 50_000, files: 1 }
    const staged = aTask({ state: 'staged', progress: 100, message: null, summary })
    expect(lines(aRelease(), aRelease({ tasks: [staged] }))).toEqual([
      '10:00:05Z TA_00000001 reference-task staged: rows 50,000, files 1',
    ])
    const published = { ...staged, state: 'published' }
    expect(lines(aRelease({ tasks: [staged] }), aRelease({ tasks: [published] }))).toEqual([
      '10:00:05Z TA_00000001 reference-task published',
    ])
  })

  test('why a release is being stopped', () =>
    expect(lines(aRelease(), aRelease({ state: 'canceling', reason: 'no room' }))).toEqual([
      '10:00:05Z RE_00000001 canceling: no room',
    ]))
})

test('a notice', () =>
  expect(
    changeLine({
      at: AT,
      kind: 'notice',
      id: 'RE_00000001',
      service_name: null,
      state: null,
      progress: null,
      attempt: null,
      last_error: null,
      summary: null,
      message: 'warning: late',
    }),
  ).toBe('10:00:05Z RE_00000001 warning: late'))
