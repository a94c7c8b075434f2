import { waitingForSchema, type ReleaseState } from '@release-task/protocol'
import { describe, expect, test } from 'vitest'
import type { OutboxRow } from './outbox.ts'
import { cancelingFrom, NOW, POLICY, releaseIn, taskId, taskIn } from './record.fixture.ts'
import type { CoordinatorTask } from './record.ts'
import { releaseWaitingFor, taskWaitingFor } from './waiting.ts'

const taskTimeoutMs = 60_000
const policy = { ...POLICY, taskTimeoutMs }
const iso = (ms: number) => new Date(ms).toISOString()

function row(index: number, action: OutboxRow['action'], fields: Partial<OutboxRow> = {}): OutboxRow {
  return {
    taskId: taskId(index),
    releaseId: 'RE_00000001',
    action,
    sequence: 1,
    deadlineAt: NOW + 30_000,
    failures: 2,
    askFirst: false,
    lastError: 'connection refused',
    claimedUntil: null,
    dueAt: NOW + 500,
    now: NOW,
    ...fields,
  }
}

/** The state of a release in which the task is behind. */
const stateOf = ({ state }: CoordinatorTask): ReleaseState =>
  state === 'publishing' ? 'publishing' : 'running'

describe('a task (WK-21, WK-22)', () => {
  const of = (task: CoordinatorTask, outboxRow: OutboxRow | null = null, state = stateOf(task)) =>
    taskWaitingFor(task, { release: releaseIn(state, [task]), row: outboxRow, policy })

  test('that is to be told something waits for its service: tries, the last error, until when', () => {
    const waiting = of(taskIn(0, 'initialized'), row(0, 'start'))
    expect(waitingForSchema.parse(waiting)).toEqual({
      whom: 'service',
      what: expect.stringContaining('start'),
      since: iso(NOW - 1000),
      attempt: 3,
      last_error: 'connection refused',
      next_try: iso(NOW + 500),
      gives_up_at: iso(NOW + 30_000),
    })
  })

  test('that works waits for its service; only before publish that ends by itself (RC-17)', () => {
    expect(of(taskIn(0, 'running'))).toMatchObject({
      whom: 'service',
      gives_up_at: iso(NOW - 1000 + taskTimeoutMs),
    })
    expect(of(taskIn(0, 'publishing'))).toMatchObject({ whom: 'service', gives_up_at: null })
  })

  test('that works on it once more says so, and why (RC-39)', () => {
    const again = taskIn(0, 'running', { attempt: 2, lastError: 'disk full' })
    expect(of(again)).toMatchObject({ whom: 'service', attempt: 2, last_error: 'disk full', next_try: null })
  })

  test('that has deadlines of its own gives up at the first of them (RC-38)', () => {
    const own = { accept: 40_000, silence: 50_000, total: 20_000 }
    expect(of(taskIn(0, 'running', { deadlines: own }))?.gives_up_at).toBe(iso(NOW - 1000 + 20_000))
    expect(of(taskIn(0, 'running', { deadlines: { ...own, total: null } }))?.gives_up_at).toBe(
      iso(NOW - 1000 + 50_000),
    )
    // An action is then told for longer than it is waited for.
    const waiting = taskIn(0, 'initialized', { deadlines: own })
    const told = row(0, 'start', { deadlineAt: NOW + 1e9 })
    expect(of(waiting, told)?.gives_up_at).toBe(iso(NOW - 1000 + 40_000))
    // A start that was reported past is no deadline any more.
    expect(of(taskIn(0, 'running', { deadlines: own }), row(0, 'start'))?.gives_up_at).toBe(
      iso(NOW - 1000 + 20_000),
    )
  })

  test('that has not taken publish gives up only where no own deadline calls for a person (RC-22, RC-38)', () => {
    const untaken = taskIn(0, 'staged')
    expect(of(untaken, row(0, 'publish'), 'publishing')).toMatchObject({
      whom: 'service',
      gives_up_at: iso(NOW + 30_000),
    })
    const own = { ...untaken, deadlines: { accept: 40_000, silence: null, total: null } }
    expect(of(own, row(0, 'publish'), 'publishing')).toMatchObject({ whom: 'service', gives_up_at: null })
    const called = { ...own, needsAttention: true, lastError: 'deadline accept of 40s has ended' }
    expect(of(called, row(0, 'publish'), 'publishing')).toMatchObject({
      whom: 'person',
      what: expect.stringContaining('deadline accept'),
    })
    // Whoever has canceled is not called any more: the service is waited for.
    const canceled = { ...called, cancelPending: true }
    expect(of(canceled, row(0, 'cancel'), 'canceling')).toMatchObject({
      whom: 'service',
      gives_up_at: iso(NOW + 30_000),
    })
  })

  test('that is done waits for the others', () => {
    for (const state of ['waiting', 'initialized', 'staged'] as const)
      expect(of(taskIn(0, state))).toMatchObject({ whom: 'coordinator' })
  })

  test('that nobody hears of waits for a person', () => {
    const lost = taskIn(0, 'publishing', { needsAttention: true, lastError: 'answered 503' })
    expect(of(lost)).toMatchObject({
      whom: 'person',
      what: expect.stringContaining('503'),
      gives_up_at: null,
    })
  })

  test('that has ended waits for nothing, except for an answer to cancel', () => {
    for (const state of ['published', 'rejected', 'failed', 'canceled'] as const)
      expect(of(taskIn(0, state), row(0, 'publish'))).toBeNull()
    expect(of(taskIn(0, 'canceled', { cancelPending: true }), row(0, 'cancel'))).toMatchObject({
      whom: 'service',
    })
  })
})

describe('a release', () => {
  const of = (release: Parameters<typeof releaseWaitingFor>[0], rows: readonly OutboxRow[] = []) =>
    releaseWaitingFor(release, { rows, policy })

  test.each(['published', 'canceled', 'failed'] as const)('that is %s waits for nothing', (state) => {
    expect(of(releaseIn(state))).toBeNull()
  })

  test('that is staged waits for a person', () => {
    expect(of(releaseIn('staged', ['staged']))).toMatchObject({ whom: 'person' })
  })

  test('waits for the services that are behind, and shows one that has trouble', () => {
    const waiting = of(releaseIn('running', ['staged', 'running', 'initialized']), [row(2, 'start')])
    expect(waiting).toMatchObject({
      whom: 'service',
      what: expect.stringContaining('(2 of 3 tasks)'),
      last_error: 'connection refused',
    })
  })

  test('gives up at the first deadline of any of its tasks, whichever is shown (RC-38)', () => {
    const tasks = [{ total: null }, { total: 9000 }, { total: 8000 }].map((own, index) =>
      taskIn(index, 'running', { deadlines: { accept: null, silence: null, ...own } }),
    )
    expect(of(releaseIn('running', tasks))).toMatchObject({ gives_up_at: iso(NOW - 1000 + 8000) })
  })

  test('a person comes first', () => {
    const lost = taskIn(1, 'publishing', { needsAttention: true })
    expect(of(releaseIn('publishing', ['publishing', lost]))).toMatchObject({ whom: 'person' })
    expect(of(releaseIn('publishing', ['publishing'], { needsAttention: true }))).toMatchObject({
      whom: 'person',
    })
  })

  test('that is being stopped gives up long before the last cancel is told (RC-20)', () => {
    const record = { ...cancelingFrom('running', ['running']), dueAt: NOW + 29_000 }
    const waiting = of(record, [row(0, 'cancel', { deadlineAt: NOW + 86_400_000 })])
    expect(waiting).toMatchObject({ whom: 'service', gives_up_at: iso(NOW + 29_000) })
  })
})
