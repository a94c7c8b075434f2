import { expect, test } from 'vitest'
import { aRecord } from './record.fixture.ts'
import { RecentRecords } from './recent-records.ts'

const recent = () => new RecentRecords(() => 1234)

test('gives what was kept, with the clock of now; nothing newer is overwritten by something older', () => {
  const records = recent()
  const second = aRecord('running', { revision: 2 })
  records.keep(second)
  records.keep(aRecord('running', { revision: 1 }))
  expect(records.load(second.id)).toEqual({ record: second, now: 1234 })
  records.drop(second.id)
  expect(records.load(second.id)).toBeNull()
})

test('keeps no tombstones, and the newest thousand', () => {
  const records = recent()
  records.keep(aRecord('tombstone'))
  expect(records.load(aRecord('tombstone').id)).toBeNull()
  const ids = Array.from({ length: 1001 }, (_, number) => `TA_${String(number).padStart(8, '0')}` as const)
  for (const id of ids) records.keep(aRecord('running', { id }))
  expect(records.load(ids[0] ?? '')).toBeNull()
  expect(records.load(ids[1] ?? '')).not.toBeNull()
})
