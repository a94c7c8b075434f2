import { describe, expect, test } from 'vitest'
import type { OutboxRow } from './outbox.ts'
import { aRecord, anError, leaseOf, NOW } from './record.fixture.ts'
import type { TaskRecord } from './record.ts'
import { waitingFor } from './waiting.ts'

const POLICY = { stageRetryForMs: 60_000 }
const iso = (ms: number) => new Date(ms).toISOString()

const aReport = (changes: Partial<OutboxRow> = {}): OutboxRow => ({
  releaseId: 'RE_00000001',
  taskId: 'TA_00000001',
  sequence: 1,
  state: 'staged',
  progress: 100,
  message: null,
  summary: null,
  attempt: 1,
  error: null,
  phase: 'send',
  dueAt: NOW + 9,
  failures: 1,
  confirmStep: 0,
  lastError: 'connection refused',
  createdAt: NOW + 5,
  claimedBy: null,
  claimedUntil: null,
  now: NOW,
  ...changes,
})

const seen = (record: TaskRecord, report: OutboxRow | null = null) => waitingFor(record, report, POLICY)

describe('what a task waits for (WK-21, WK-22)', () => {
  test.each([
    ['pending', 'action', "the coordinator's start"],
    ['staged', 'action', "the coordinator's publish, or cancel"],
    ['running', 'code', 'stage runs, attempt 1'],
    ['publishing', 'code', 'publish runs, attempt 2'],
  ] as const)('%s: %s, %s', (row, whom, what) => {
    expect(seen(aRecord(row))).toMatchObject({
      whom,
      what: expect.stringContaining(what),
      since: iso(NOW),
      next_try: null,
    })
  })

  test.each(['published', 'failed', 'canceled', 'tombstone'] as const)('%s: nothing', (row) => {
    expect(seen(aRecord(row))).toBeNull()
  })

  test('work that failed: when it is tried next, why it failed, when it gives up', () => {
    const failed = { lease: null, dueAt: NOW + 7, failures: 2, lastError: { ...anError(), at: NOW } }
    expect(seen(aRecord('running', failed))).toEqual({
      whom: 'code',
      what: 'stage failed 2 times and is tried again',
      since: iso(NOW),
      attempt: 1,
      last_error: 'no luck',
      next_try: iso(NOW + 7),
      gives_up_at: iso(NOW + 60_000),
    })
    expect(seen(aRecord('publishing', { ...failed, needsAttention: true }))).toMatchObject({
      whom: 'person',
      gives_up_at: null,
      next_try: iso(NOW + 7),
    })
  })

  test('a cancel waits for the work that has not stopped, then for the cleanup', () => {
    const canceled = aRecord('canceled', {
      work: 'discard',
      dueAt: NOW,
      cleanup: 'pending',
      lease: leaseOf('stage'),
    })
    expect(seen(canceled)).toMatchObject({ whom: 'code', what: 'waits for stage to stop, then discard runs' })
    expect(seen({ ...canceled, lease: null })).toMatchObject({
      whom: 'code',
      what: 'discard is about to run',
    })
  })

  test.each(['send', 'refused', 'missing'] as const)(
    'a report that is not agreed (%s): the coordinator',
    (phase) => {
      expect(seen(aRecord('staged'), aReport({ phase }))).toMatchObject({
        whom: 'coordinator',
        since: iso(NOW + 5),
        last_error: 'connection refused',
        next_try: iso(NOW + 9),
      })
      expect(seen(aRecord('published'), aReport({ phase, state: 'published' }))?.whom).toBe('coordinator')
    },
  )

  test('a report that is agreed, or tells progress alone, keeps nobody waiting', () => {
    expect(seen(aRecord('staged'), aReport({ phase: 'confirm' }))?.whom).toBe('action')
    expect(seen(aRecord('published'), aReport({ phase: 'confirm' }))).toBeNull()
    expect(seen(aRecord('running'), aReport({ state: null }))?.whom).toBe('code')
  })
})
