import { describe, expect, test } from 'vitest'
import { isFiltered, releaseSearch, releasesPath, standing, taskCounts } from './page.model.ts'

describe('the address and the question', () => {
  test.each([
    [{}, '/releases?limit=20'],
    [{ state: 'staged', offset: '40' }, '/releases?state=staged&limit=20&offset=40'],
    [{ author: 'ada', name: 'spring data' }, '/releases?author=ada&name=spring+data&limit=20'],
    [{ study: 'SD_1', offset: 'x' }, '/releases?study=SD_1&limit=20'],
  ])('%j asks %s', (search, path) => expect(releasesPath(search)).toBe(path))

  test('what the page does not know is dropped', () =>
    expect(releaseSearch({ state: 'staged', color: 'red', name: '' })).toEqual({ state: 'staged' }))
})

test('a page is no filter', () => {
  expect(isFiltered({ offset: '20' })).toBe(false)
  expect(isFiltered({ offset: '20', name: 'a' })).toBe(true)
})

test('how the tasks stand', () => {
  const tasks = [{ state: 'staged' }, { state: 'running' }, { state: 'staged' }] as const
  expect(taskCounts(tasks)).toBe('2 staged, 1 running')
  expect(taskCounts([])).toBe('no tasks')
})

test('how a release stands', () => {
  const of = (state: 'published' | 'failed', reason: string | null) =>
    standing({ state, reason, waiting_for: null }, 0)
  expect(of('published', null)).toBe('Its data is public.')
  expect(of('failed', 'task TA_1: no rows')).toBe('Task TA_1: no rows')
  const waiting_for = {
    whom: 'person',
    what: 'waits for a person',
    since: new Date(0).toISOString(),
    attempt: null,
    last_error: null,
    next_try: null,
    gives_up_at: null,
  } as const
  expect(standing({ state: 'staged', reason: null, waiting_for }, 5000)).toBe(
    'Waits for a person, for 5\u00a0s.',
  )
})
