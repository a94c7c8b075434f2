import { expect, test } from 'vitest'
import { eventSearch, eventsPath, follows } from './page.model.ts'

test.each([
  [{}, '/events?limit=50'],
  [{ release: 'RE_1', offset: '50' }, '/events?release=RE_1&limit=50&offset=50'],
  [{ type: 'error', follow: 'no' }, '/events?event_type=error&limit=50'],
])('%j asks %s', (search, path) => expect(eventsPath(eventSearch(search))).toBe(path))

test('it follows unless somebody says no or reads an older page', () => {
  expect(follows({})).toBe(true)
  expect(follows({ follow: 'no' })).toBe(false)
  expect(follows({ offset: '50' })).toBe(false)
})
