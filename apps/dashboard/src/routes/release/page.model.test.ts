import { describe, expect, test } from 'vitest'
import { idOf, type Note, type Release, type ReleaseState, type Task } from '../../api-types.ts'
import {
  cancelConsequences,
  cancelHindrance,
  endSentence,
  noteGroups,
  publishConsequences,
  publishHindrance,
  refetchMs,
} from './page.model.ts'

const task = (name: string, state: Task['state']) =>
  ({ kf_id: `TA_${name}`, service_name: name, state }) as Task
const release = (state: ReleaseState, tasks: readonly Task[] = [], more: Partial<Release> = {}) =>
  ({
    name: 'Spring',
    state,
    tasks,
    studies: ['SD_1', 'SD_2'],
    version: '0.0.3',
    is_major: false,
    notes: [],
    ...more,
  }) as unknown as Release

test('only a staged release may be published', () => {
  expect(publishHindrance(release('staged'))).toBeNull()
  for (const state of [
    'waiting',
    'initializing',
    'running',
    'publishing',
    'published',
    'canceling',
    'canceled',
    'failed',
  ] as const)
    expect(publishHindrance({ state })).not.toBeNull()
})

test('whatever has not ended may be canceled', () => {
  for (const state of ['waiting', 'initializing', 'running', 'staged', 'publishing'] as const)
    expect(cancelHindrance({ state })).toBeNull()
  for (const state of ['canceling', 'canceled', 'failed', 'published'] as const)
    expect(cancelHindrance({ state })).not.toBeNull()
})

test('nothing is done on an old page', () => {})

describe('what publishing will do', () => {
  test('names the studies, the services, the version and who does it', () => {
    const said = publishConsequences(release('staged', [task('files', 'staged')]), ['Heart', 'Lung'], 'Ada')
    expect(said.points.join('\n')).toBe(
      [
        'The data of 2 studies becomes public: Heart, Lung.',
        '1 service will publish: files.',
        'The version 0.0.3 is raised to the next minor version once all have published.',
        'You do this as Ada; it is recorded. What is public cannot be taken back from here.',
      ].join('\n'),
    )
  })

  test('a release without services publishes nothing but its version', () =>
    expect(publishConsequences(release('staged', [], { is_major: true }), [], 'Ada').points.join()).toMatch(
      /nothing is made public but the version.*next major/,
    ))

  test('many names are cut', () => {
    const names = Array.from({ length: 12 }, (_, n) => `S${n}`)
    expect(publishConsequences(release('staged'), names, 'Ada').points[0]).toContain('S7 and 4 more')
  })
})

test('canceling throws away what is not public, and says what stays', () => {
  const tasks = [task('files', 'published'), task('report', 'publishing'), task('old', 'failed')]
  const said = cancelConsequences(release('publishing', tasks), 'Ada').points
  expect(said[0]).toBe('1 service will throw away what was prepared: report.')
  expect(said[1]).toBe('What is public already stays public: files.')
  expect(said[2]).toContain('going out now')
})

test('notes by study, the whole release first', () => {
  const note = (id: string, study: string | null) =>
    ({ kf_id: id, study: study && `http://a/studies/${study}` }) as Note
  const notes = [note('RN_1', 'SD_2'), note('RN_2', null)]
  const groups = noteGroups({ studies: ['SD_1', 'SD_2'], notes }, idOf)
  expect(groups.map(({ study, notes: found }) => [study, found.map(({ kf_id }) => kf_id)])).toEqual([
    [null, ['RN_2']],
    ['SD_1', []],
    ['SD_2', ['RN_1']],
  ])
})

test('what has ended is not asked again, a large one seldom', () => {
  expect(refetchMs(release('published'))).toBe(false)
  expect(refetchMs(release('running'))).toBe(2000)
  expect(
    refetchMs(
      release(
        'running',
        Array.from({ length: 201 }, () => task('a', 'running')),
      ),
    ),
  ).toBe(5000)
})

test('how it ended, in a sentence', () => {
  const end = (state: ReleaseState) => endSentence({ state, version: '1.0.0' })
  expect(end('published')).toBe('Published: its data is public as version 1.0.0.')
  expect(end('canceled')).toContain('nothing more will happen')
  expect(end('failed')).toContain('make a new release')
  expect(end('staged')).toBeNull()
})
