import { describe, expect, test } from 'vitest'
import { printable } from './printable.ts'
import { aRelease, aTask, aWaiting } from './release.fixture.ts'
import {
  cancellationText,
  publicationText,
  releaseTable,
  releaseText,
  serviceTable,
  taskTable,
  taskText,
} from './release-text.ts'
import { shortTime, table } from './table.ts'

test('table pads all columns but the last', () =>
  expect(
    table(
      ['A', 'B'],
      [
        ['long', 'x'],
        ['', ''],
      ],
    ),
  ).toEqual(['A     B', 'long  x', '']))

test('shortTime', () =>
  expect([shortTime('2030-01-01T10:00:05.123456Z'), shortTime('soon')]).toEqual([
    '2030-01-01 10:00:05Z',
    'soon',
  ]))

test('printable leaves one line that no terminal obeys', () =>
  expect(printable({ a: ['x\n\u001B[2Jy\u0007z'], n: 1, no: null })).toEqual({
    a: ['x y z'],
    n: 1,
    no: null,
  }))

describe('lists', () => {
  test('of releases, and how many are left', () => {
    expect(releaseTable({ count: 12, results: [aRelease()] })).toEqual([
      'ID           STATE    VERSION  CREATED               AUTHOR  NAME',
      'RE_00000001  running  0.0.0    2030-01-01 10:00:00Z  ada     June',
      '1 of 12; --limit 12 shows more',
    ])
    expect(releaseTable({ count: 0, results: [] })).toEqual(['No releases.'])
  })

  test('of tasks: an error before what they say', () =>
    expect(taskTable({ count: 1, results: [aTask({ last_error: 'no room' })] })[1]).toBe(
      'TA_00000001  RE_00000001  running  43%       reference-task  no room',
    ))

  test('of no services, and what to do then', () =>
    expect(serviceTable({ count: 0, results: [] })).toEqual([
      'No task services. Next: release-task services register --help',
    ]))
})

test('a release with all that there is to say', () => {
  const studies = Array.from({ length: 10 }, (_, at) => `SD_0000000${at}`)
  const text = releaseText(
    aRelease({
      state: 'canceled',
      description: 'About it',
      is_major: true,
      tags: ['a', 'b'],
      reason: 'no room',
      studies,
      partially_published: ['TA_00000009'],
      waiting_for: null,
      tasks: [],
    }),
  )
  expect(text).toEqual([
    'RE_00000001 "June" is canceled, version 0.0.0, a major one',
    '  About it',
    '  by ada, 2030-01-01 10:00:00Z, tags a, b',
    `  studies ${studies.slice(0, 8).join(', ')}, and 2 more`,
    '  reason: no room',
    '  public although it was stopped: TA_00000009',
  ])
})

test('a task', () =>
  expect(
    taskText(aTask({ summary: { rows: 1200 }, waiting_for: aWaiting({ last_error: 'no room' }) })),
  ).toEqual([
    'TA_00000001 of reference-task is running, 43%',
    '  release RE_00000001, service TS_00000001, created 2030-01-01 10:00:00Z',
    '  says: 1 of 2 rows',
    '  summary: rows 1,200',
    '  it waits for the service to report staged, since 2030-01-01 10:00:00Z',
    '  last error: no room',
  ]))

test('what becomes public', () => {
  const tasks = [aTask({ summary: { rows: 1200 } }), aTask({ service_name: 'report-task' })]
  expect(publicationText(aRelease({ tasks }))).toEqual([
    'RE_00000001 "June", 1 study. This becomes public:',
    '  reference-task: rows 1,200',
    '  report-task: it does not say what it has staged',
  ])
  expect(publicationText(aRelease({ tasks: [] }))[1]).toBe('  nothing: no task service took part')
})

test('what is canceled, and what stays', () =>
  expect(cancellationText(aRelease({ state: 'publishing', tasks: [aTask({ state: 'published' })] }))).toEqual(
    [
      'RE_00000001 "June" is publishing. What its tasks have prepared is thrown away.',
      '  Already public, and stays so: reference-task',
    ],
  ))
