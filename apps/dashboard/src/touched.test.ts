import { expect, test } from 'vitest'
import { touchedBy, touchedByAll } from './touched.ts'

const NONE = { release: null, task: null, task_service: null, message: '' }
const RELEASE = 'http://a/releases/RE_1'

test('a move of a task touches its release and the lists it is in', () =>
  expect(
    touchedBy({
      ...NONE,
      release: RELEASE,
      task: 'http://a/tasks/TA_1',
      task_service: 'http://a/task-services/TS_1',
    }),
  ).toEqual([['events'], ['release', 'RE_1'], ['releases'], ['tasks']]))

test('a release that is published changes what is said of its studies, a task does not', () => {
  const message = 'release RE_1, version 0.1.0 changed from publishing to published'
  expect(touchedBy({ ...NONE, release: RELEASE, message })).toContainEqual(['studies'])
  expect(touchedBy({ ...NONE, release: RELEASE, task: 'x', message })).not.toContainEqual(['studies'])
})

test('what concerns a service alone touches the services alone', () =>
  expect(touchedBy({ ...NONE, task_service: 'http://a/task-services/TS_1' })).toEqual([
    ['events'],
    ['task-services'],
  ]))

test('many events touch each key once', () => {
  const one = { ...NONE, release: RELEASE }
  expect(touchedByAll([one, one, { ...one, release: 'http://a/releases/RE_2' }])).toEqual([
    ['events'],
    ['release', 'RE_1'],
    ['releases'],
    ['release', 'RE_2'],
  ])
})
