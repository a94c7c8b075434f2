import { expect, test } from 'vitest'
import type { ReleaseEvent } from './api-types.ts'
import { joinPages, newestFirst } from './event-order.ts'

const events = (...ids: string[]) => ids.map((kf_id) => ({ kf_id }) as ReleaseEvent)
const ids = (found: readonly ReleaseEvent[]) => found.map(({ kf_id }) => kf_id).join('')

test('what came is put before what is known, newest first, and nothing twice', () =>
  expect(ids(newestFirst(events('c', 'b', 'a'), events('c', 'd', 'e')))).toBe('edcba'))

test('an event that moved to the next page is there once', () =>
  expect(ids(joinPages([events('d', 'c'), events('c', 'b'), events('a')]))).toBe('dcba'))
