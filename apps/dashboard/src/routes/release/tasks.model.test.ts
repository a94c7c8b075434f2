import { expect, test } from 'vitest'
import type { Task } from '../../api-types.ts'
import { deadlineLeft, shownTasks, stateCounts, summaryLines, wordsOf } from './tasks.model.ts'

const task = (name: string, more: Partial<Task> = {}) =>
  ({
    kf_id: `TA_${name}`,
    service_name: name,
    state: 'running',
    last_error: null,
    waiting_for: null,
    ...more,
  }) as Task

const TASKS = [task('a'), task('b', { state: 'failed' }), task('c', { state: 'staged' })]
const ids = (tasks: readonly Task[]) => tasks.map(({ service_name }) => service_name)

test('trouble comes first, the rest stays in order', () =>
  expect(ids(shownTasks(TASKS, { state: '', name: '' }))).toEqual(['b', 'a', 'c']))

test('by state and by name or id', () => {
  expect(ids(shownTasks(TASKS, { state: 'staged', name: '' }))).toEqual(['c'])
  expect(ids(shownTasks(TASKS, { state: '', name: 'ta_A' }))).toEqual(['a'])
})

test('counts', () =>
  expect(stateCounts([...TASKS, task('d')])).toEqual([
    ['running', 2],
    ['failed', 1],
    ['staged', 1],
  ]))

test('the deadline that ends first, counted on from the answer', () => {
  const deadlines = {
    accept: null,
    silence: { ends_at: '', left_ms: 60_000 },
    total: { ends_at: '', left_ms: 90_000 },
  }
  expect(deadlineLeft({ deadlines }, 1000, 11_000)).toBe('50 s of silence')
  expect(deadlineLeft({ deadlines }, 0, 70_000)).toBe('over (of silence)')
  expect(deadlineLeft({ deadlines: { accept: null, silence: null, total: null } }, 0, 0)).toBeNull()
})

test('a summary of any form', () => {
  expect(summaryLines({ rows: 12345, files: ['a'] })).toEqual([
    ['rows', '12,345'],
    ['files', '["a"]'],
  ])
  expect(summaryLines('done')).toEqual([['summary', 'done']])
  expect(summaryLines(null)).toEqual([])
})

test('what stands in the error is not said twice', () => {
  const of = (message: string | null, last_error: string | null) =>
    wordsOf({ message, last_error, waiting_for: null })
  expect(of('no rows\n  in a', 'it failed: no rows\n  in a')).toEqual({
    message: null,
    error: 'it failed: no rows\n  in a',
  })
  expect(of('no rows in a', 'it failed: no rows\nin a').message).toBeNull()
  expect(of('copied 4 files', 'no rows')).toEqual({ message: 'copied 4 files', error: 'no rows' })
  expect(of('copied 4 files', null)).toEqual({ message: 'copied 4 files', error: null })
})
