import { ACTIONS, TABLE_ROWS } from '@release-task/protocol'
import { describe, expect, test } from 'vitest'
import { decide } from './decide.ts'
import type { Command, Decision, Effect, Moment } from './decision.ts'
import {
  aClaim,
  anAction,
  anError,
  aRecord,
  at,
  deepFreeze,
  eventsOf,
  leaseOf,
  NOW,
} from './record.fixture.ts'
import type { TaskRecord } from './record.ts'

/** Decides on frozen input, so that every test here is also one of purity. */
function decided(record: TaskRecord | null, command: Command, moment: Moment = at(NOW)): Decision {
  return decide(deepFreeze(record), deepFreeze(command), deepFreeze(moment))
}

/** The record and the effects of a change. */
function changed(record: TaskRecord | null, command: Command, moment?: Moment) {
  const decision = decided(record, command, moment)
  if (decision.kind !== 'next') throw new Error(`${command.type} was ${decision.kind}`)
  return { next: decision.next, effects: decision.effects, events: eventsOf(decision.effects) }
}

/** One command after the other, each a second later. */
function after(record: TaskRecord, ...commands: Command[]): TaskRecord {
  return commands.reduce(
    (now, command, index) => changed(now, command, at(NOW + 1000 * (index + 1))).next,
    record,
  )
}

const reportsOf = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === 'report' ? [{ state: effect.state, progress: effect.progress }] : [],
  )
const typesOf = (effects: readonly Effect[]) => effects.map((effect) => effect.type)

describe('the action table of docs/protocol.md, cell by cell', () => {
  /** Typed by hand: `=` stores the state it answers, ↺ and `show` store nothing, † stores a tombstone. */
  const TABLE = `
    unknown    | 200 = pending     | 404               | 404                | 404             | 404 †
    pending    | 200 ↺ pending     | 200 = running     | 400                | 200 show        | 200 = canceled
    running    | 400               | 200 ↺ running     | 400                | 200 show        | 200 = canceled
    staged     | 400               | 200 ↺ running     | 200 = publishing   | 200 show        | 200 = canceled
    publishing | 400               | 400               | 200 ↺ publishing   | 200 show        | 200 = canceled
    published  | 400               | 400               | 200 ↺ publishing   | 200 show        | 400
    failed     | 400               | 400               | 400                | 200 show        | 200 ↺ failed
    canceled   | 400               | 400               | 400                | 200 show        | 200 ↺ canceled
    tombstone  | 400               | 400               | 400                | 404             | 200 ↺ canceled
  `
  const cells = TABLE.trim()
    .split('\n')
    .flatMap((line) => {
      const [row, ...texts] = line.split('|').map((cell) => cell.trim())
      return texts.map((text, index) => ({
        row: row as (typeof TABLE_ROWS)[number],
        action: ACTIONS[index]!,
        text,
      }))
    })

  test.each(cells)('$row, $action → $text', ({ row, action, text }) => {
    const record = row === 'unknown' ? null : aRecord(row)
    const decision = decided(record, anAction(action))
    const [code, how, word] = text.split(' ')
    expect(decision.answer.code).toBe(Number(code))
    if (how === '†')
      return expect(decision).toMatchObject({ kind: 'refused', next: { state: 'canceled', tombstone: true } })
    if (how === '=') {
      expect(decision).toMatchObject({ kind: 'next', answer: { state: word }, next: { state: word } })
      return expect((decision as { effects: readonly Effect[] }).effects[0]).toMatchObject({ type: 'event' })
    }
    expect('next' in decision).toBe(false)
    expect(decision.effects ?? []).toEqual([])
    if (how === undefined) return expect(decision.kind).toBe('refused')
    expect(decision).toMatchObject({
      kind: 'unchanged',
      answer: { state: how === 'show' ? record?.state : word },
    })
  })

  test('it is whole', () => expect(cells).toHaveLength(TABLE_ROWS.length * ACTIONS.length))

  test.each(cells.filter(({ row }) => row !== 'unknown'))(
    '$row, $action for another release is 400 (TS-8)',
    ({ row, action }) => {
      const decision = decided(aRecord(row as 'pending'), anAction(action, { releaseId: 'RE_00000002' }))
      expect(decision).toMatchObject({
        kind: 'refused',
        code: 'RELEASE_MISMATCH',
        effects: [],
        answer: { code: 400 },
      })
      expect('next' in decision).toBe(false)
    },
  )

  test('a refusal names the state and the action (SV-13, SV-14)', () => {
    expect(decided(aRecord('published'), anAction('cancel'))).toMatchObject({
      code: 'ACTION_NOT_LEGAL',
      message: 'Cannot cancel TA_00000001: its state is published, which does not allow it',
    })
    expect(decided(null, anAction('start'))).toMatchObject({ code: 'TASK_NOT_FOUND', answer: { code: 404 } })
  })

  test.each(['answered', 'claim', 'retry', 'give_up', 'coordinator_shows', 'progress'] as const)(
    '%s on an unknown id is 404',
    (type) => {
      const command = {
        type,
        state: 'missing',
        attempt: 1,
        percent: 1,
        message: null,
        work: 'stage',
      } as unknown as Command
      expect(decided(null, command)).toMatchObject({ kind: 'refused', code: 'TASK_NOT_FOUND' })
    },
  )
})

describe('studies (SV-7)', () => {
  const studies = ['SD_00000009'] as const

  test('any request may be the first to carry them; the first list stays', () => {
    const none = aRecord('pending', { studies: null })
    expect(changed(none, anAction('start', { studies })).next.studies).toEqual(studies)
    expect(changed(none, anAction('cancel', { studies })).next.studies).toEqual(studies)
    expect(
      changed(aRecord('staged', { studies: null }), anAction('publish', { studies })).next.studies,
    ).toEqual(studies)
    expect(changed(aRecord('pending'), anAction('start', { studies })).next.studies).toEqual(['SD_00000001'])
    expect(changed(none, anAction('start')).next.studies).toBeNull()
  })

  test('what the release told is kept for the later phases', () => {
    const told: Command = { type: 'studies', attempt: 1, studies }
    expect(changed(aRecord('running', { studies: null }), told)).toMatchObject({
      next: { studies },
      effects: [],
    })
    expect(decided(aRecord('running'), told).kind).toBe('unchanged')
    expect(decided(aRecord('running'), { ...told, attempt: 0 }).kind).toBe('refused')
  })
})

describe('leases (WK-1, WK-3)', () => {
  const waiting = aRecord('running', { lease: null, attempt: 3 })

  test('a claim gives the next attempt number and a lease that ends', () => {
    const { next, events } = changed(waiting, aClaim(), at(NOW + 5))
    expect(next).toMatchObject({
      attempt: 4,
      lease: { owner: 'B', work: 'stage', expiresAt: NOW + 5 + 15_000 },
    })
    expect(events).toEqual(['stage_started'])
  })

  test.each([
    ['nothing to do', aRecord('staged'), NOW, null],
    ['not due yet', aRecord('running', { lease: null, dueAt: NOW + 1 }), NOW, null],
    ['somebody holds it', aRecord('running'), NOW + 14_999, null],
    ['somebody else is gone, not the holder', aRecord('running'), NOW, 'C'],
  ])('%s: nothing changes', (_, record, now, goneOwner) => {
    expect(decided(record, aClaim({ goneOwner }), at(now))).toMatchObject({ kind: 'unchanged' })
  })

  test('a lease of the claimer’s own is one that it never heard of: it goes on at once, and nothing has crashed', () => {
    const { next, events } = changed(aRecord('running'), aClaim({ owner: 'A' }))
    expect(next).toMatchObject({ attempt: 2, crashes: 0, lease: { owner: 'A' } })
    expect(events).toEqual(['stage_started'])
  })

  test('it passes on when it has run out, and at once where its holder is known to be gone', () => {
    const expired = changed(aRecord('running'), aClaim(), at(NOW + 15_000))
    expect(expired.next).toMatchObject({ attempt: 2, crashes: 1, lease: { owner: 'B' } })
    expect(expired.events).toEqual(['worker_lost', 'stage_started'])
    expect(changed(aRecord('running'), aClaim({ goneOwner: 'A' })).next).toMatchObject({
      attempt: 2,
      crashes: 1,
    })
  })

  test('another version of the task within one release is a warning', () => {
    expect(changed(waiting, aClaim({ version: '2.0.0' })).events).toEqual([
      'version_changed',
      'stage_started',
    ])
    const again = changed({ ...waiting, ranVersion: '2.0.0' }, aClaim({ version: '2.0.0' }))
    expect(again.events).toEqual(['stage_started'])
  })
})

describe('fencing (WK-2)', () => {
  const words: Command[] = [
    { type: 'studies', attempt: 0, studies: [] },
    { type: 'progress', attempt: 0, percent: 5, message: null },
    { type: 'step', attempt: 0, version: '1', name: 'a', result: 1 },
    { type: 'succeeded', attempt: 0, result: {} },
    { type: 'failed', attempt: 0, error: anError(), permanent: true },
    { type: 'released', attempt: 0 },
  ]

  describe.each(words)('$type', (word) => {
    test.each([
      ['of an old attempt', aRecord('running'), 0],
      ['of an attempt that never was', aRecord('running'), 2],
      ['of the last attempt, whose lease has ended', aRecord('staged'), 1],
      ['after publishing', aRecord('published'), 2],
    ])('%s is refused, changes nothing and is kept as an event', (_, record, attempt) => {
      const decision = decided(record, { ...word, attempt } as Command)
      expect(decision).toMatchObject({ kind: 'refused', code: 'LATE_REPORT' })
      expect('next' in decision).toBe(false)
      expect(decision.effects).toMatchObject([
        { type: 'event', event: 'late_report', level: 'warning', data: { attempt, said: word.type } },
      ])
    })
  })
})

describe('moves that a task makes by itself (WK-5)', () => {
  test('stage finished: staged, its event and its report in one change (WK-4)', () => {
    const result = { summary: { rows: 3 }, staged: { folder: '1' } }
    const { next, effects, events } = changed(aRecord('running', { failures: 2 }), {
      type: 'succeeded',
      attempt: 1,
      result,
    })
    expect(next).toMatchObject({
      state: 'staged',
      progress: 100,
      ...result,
      work: null,
      dueAt: null,
      lease: null,
      failures: 0,
    })
    expect(events).toEqual(['staged'])
    expect(reportsOf(effects)).toEqual([{ state: 'staged', progress: 100 }])
  })

  test('publish finished: published, and nobody asks for it any more', () => {
    const { next, effects, events } = changed(aRecord('publishing'), {
      type: 'succeeded',
      attempt: 2,
      result: {},
    })
    expect(next).toMatchObject({
      state: 'published',
      progress: 100,
      work: null,
      lease: null,
      checkDueAt: null,
    })
    expect(events).toEqual(['published'])
    expect(reportsOf(effects)).toEqual([{ state: 'published', progress: 100 }])
  })

  test.each([
    [37.9, 37],
    [-1, 0],
    [250, 100],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 100],
    ['50' as unknown as number, 50],
  ])('progress %s is kept and reported as %i (N-13)', (percent, expected) => {
    const record = aRecord('running', { progress: 1, bestProgress: 1 })
    const { next, effects, events } = changed(record, {
      type: 'progress',
      attempt: 1,
      percent,
      message: 'half',
    })
    expect(next).toMatchObject({ progress: expected, message: 'half' })
    expect(reportsOf(effects)).toEqual([{ state: null, progress: expected }])
    expect(events).toEqual([])
  })

  test('the same progress again is no change, and a long text is cut', () => {
    const record = aRecord('running', { progress: 50, message: 'half' })
    expect(decided(record, { type: 'progress', attempt: 1, percent: 50, message: null }).kind).toBe(
      'unchanged',
    )
    const { next } = changed(record, {
      type: 'progress',
      attempt: 1,
      percent: 50,
      message: 'x'.repeat(10_000),
    })
    expect(next.message).toHaveLength(500)
  })

  test('progress of a discard is not reported', () => {
    const discarding = aRecord('canceled', {
      work: 'discard',
      dueAt: NOW,
      cleanup: 'pending',
      lease: leaseOf('discard'),
    })
    expect(
      reportsOf(changed(discarding, { type: 'progress', attempt: 2, percent: 5, message: null }).effects),
    ).toEqual([])
  })

  test('a step is kept with its attempt and version (WK-12)', () => {
    const step = { version: '1.0.0', name: 'read', result: { rows: 3 }, attempt: 1 }
    const { effects } = changed(aRecord('running'), { type: 'step', ...step })
    expect(effects).toContainEqual({ type: 'save_step', work: 'stage', ...step })
  })
})

describe('answer before report (WK-6)', () => {
  test.each([
    ['start', aRecord('pending'), 'stage'],
    ['publish', aRecord('staged'), 'publish'],
  ] as const)(
    '%s commits its work as due in 1 s; the written answer makes it due at once',
    (action, record, work) => {
      const { next, effects } = changed(record, anAction(action))
      expect(next).toMatchObject({ work, dueAt: NOW + 1000, held: true })
      expect(typesOf(effects)).toContain('wake_after_answer')
      expect(typesOf(effects)).not.toContain('wake')
      expect(decided(next, aClaim(), at(NOW + 999)).kind).toBe('unchanged')
      const answered = changed(next, { type: 'answered', work }, at(NOW + 10))
      expect(answered).toMatchObject({
        next: { dueAt: NOW + 10, held: false },
        effects: [{ type: 'wake', delayMs: 0 }],
      })
      expect(decided(answered.next, aClaim(), at(NOW + 10)).kind).toBe('next')
    },
  )

  test('an answer that was never written: the work is found after that second', () => {
    const { next } = changed(aRecord('pending'), anAction('start'))
    expect(changed(next, aClaim(), at(NOW + 1000)).next).toMatchObject({ attempt: 1, held: false })
  })

  test('the late end of an earlier answer does not release later work, nor what is not held', () => {
    const publishing = changed(aRecord('staged'), anAction('publish')).next
    expect(decided(publishing, { type: 'answered', work: 'stage' }).kind).toBe('unchanged')
    expect(decided(aRecord('running'), { type: 'answered', work: 'stage' }).kind).toBe('unchanged')
    expect(decided(aRecord('canceled'), { type: 'answered', work: 'stage' }).kind).toBe('unchanged')
  })
})

describe('stage fails (WK-8)', () => {
  const fail = (attempt: number, permanent = false): Command => ({
    type: 'failed',
    attempt,
    error: anError(),
    permanent,
  })

  test('it is tried again after 1 s, 2 s, 4 s … 2 min, its error and stack on the task from the first failure', () => {
    const delays: number[] = []
    let record = aRecord('running')
    for (let failures = 1; failures <= 9; failures++) {
      const { next, effects, events } = changed(record, fail(1))
      delays.push(next.dueAt! - NOW)
      expect(next).toMatchObject({
        state: 'running',
        failures,
        lease: null,
        lastError: { ...anError(), at: NOW },
      })
      expect(effects).toContainEqual({ type: 'wake', delayMs: delays.at(-1) })
      expect(events).toEqual(['stage_failed'])
      record = { ...next, lease: leaseOf('stage') }
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 120_000, 120_000])
    expect(record.needsAttention).toBe(false)
  })

  test('each failed attempt is reported with why, and that the next has begun; a first one is not (N-14)', () => {
    const due = aRecord('running', { attempt: 5, workAttempt: 0, lease: null })
    const first = changed(due, aClaim())
    expect(first.next).toMatchObject({ attempt: 6, workAttempt: 1 })
    expect(reportsOf(first.effects)).toEqual([])
    const error = changed(first.next, fail(6))
    expect(error.effects).toContainEqual({
      type: 'report',
      state: null,
      progress: null,
      attempt: 1,
      error: 'no luck',
    })
    const second = changed(error.next, aClaim(), at(NOW + 1000))
    expect(second.next).toMatchObject({ attempt: 7, workAttempt: 2 })
    expect(second.effects).toContainEqual({ type: 'report', state: null, progress: null, attempt: 2 })
    const done = changed(second.next, { type: 'succeeded', attempt: 7, result: {} })
    expect(done.effects).toContainEqual({ type: 'report', state: 'staged', progress: 100, attempt: 2 })
    expect(changed(done.next, anAction('publish')).next.workAttempt).toBe(0)
    // A cancel: nothing of what is undone is told to anybody.
    const ending = changed(second.next, { ...fail(7), permanent: true } as Command)
    expect(ending.effects).toContainEqual({ type: 'report', state: 'failed', progress: null, attempt: 2 })
    const discarding = changed(ending.next, aClaim(), at(NOW + 2000))
    expect(discarding.next.workAttempt).toBe(1)
    const undone = changed(discarding.next, fail(8))
    expect(reportsOf(undone.effects)).toEqual([])
    expect(reportsOf(changed(undone.next, aClaim(), at(NOW + 9000)).effects)).toEqual([])
  })

  test('PermanentError fails it at once; discard is due, with a count of its own', () => {
    const { next, effects, events } = changed(aRecord('running', { failures: 6 }), fail(1, true))
    expect(next).toMatchObject({
      state: 'failed',
      endedFrom: 'running',
      work: 'discard',
      dueAt: NOW,
      cleanup: 'pending',
      failures: 0,
      lease: null,
      lastError: anError(),
    })
    expect(events).toEqual(['failed'])
    expect(reportsOf(effects)).toEqual([{ state: 'failed', progress: null }])
  })

  test('it gives up when STAGE_RETRY_FOR has passed since the last progress or finished step', () => {
    const tired = NOW + 30 * 60_000
    const failing = aRecord('running', { failures: 1 })
    expect(changed(failing, fail(1), at(tired - 1)).next.state).toBe('running')
    expect(changed(failing, fail(1), at(tired)).next.state).toBe('failed')
    const progress: Command = { type: 'progress', attempt: 1, percent: 10, message: null }
    const step: Command = { type: 'step', attempt: 1, version: '1', name: 'a', result: 1 }
    for (const command of [progress, step]) {
      const moved = changed(failing, command, at(NOW + 60_000)).next
      expect(changed(moved, fail(1), at(tired + 59_999)).next.state).toBe('running')
      expect(changed(moved, fail(1), at(tired + 60_000)).next.state).toBe('failed')
    }
  })

  test('what worked silently for hours before its first failure is tried again for STAGE_RETRY_FOR from there', () => {
    const late = NOW + 5 * 60 * 60_000
    const once = changed(aRecord('running'), fail(1), at(late)).next
    expect(once).toMatchObject({ state: 'running', failures: 1, lastProgressAt: late })
  })

  test('progress counts only where it is more than ever before in this phase', () => {
    const record = aRecord('running', { progress: 3, bestProgress: 50 })
    const less = changed(
      record,
      { type: 'progress', attempt: 1, percent: 50, message: null },
      at(NOW + 60_000),
    ).next
    expect(less).toMatchObject({ progress: 50, bestProgress: 50, lastProgressAt: NOW })
    const more = changed(
      record,
      { type: 'progress', attempt: 1, percent: 51, message: null },
      at(NOW + 60_000),
    ).next
    expect(more).toMatchObject({ bestProgress: 51, lastProgressAt: NOW + 60_000 })
  })
})

describe('crashes and shutdowns (WK-9, WK-10)', () => {
  const claimAfterCrash = (record: TaskRecord) => changed(record, aClaim({ goneOwner: 'A' }))

  test('the tenth crash in a row fails a task in stage, and fences off whoever still works', () => {
    expect(claimAfterCrash(aRecord('running', { crashes: 8 })).next).toMatchObject({
      state: 'running',
      crashes: 9,
    })
    const { next, effects, events } = claimAfterCrash(aRecord('running', { crashes: 9 }))
    expect(next).toMatchObject({ state: 'failed', lease: null, work: 'discard', attempt: 2, crashes: 0 })
    expect(next.lastError?.message).toBe('stage ended its worker 10 times in a row')
    expect(events).toEqual(['failed'])
    expect(reportsOf(effects)).toEqual([{ state: 'failed', progress: null }])
  })

  test('progress, a finished step or a failure that was told end the row', () => {
    const record = aRecord('running', { crashes: 9 })
    const commands: Command[] = [
      { type: 'progress', attempt: 1, percent: 1, message: null },
      { type: 'step', attempt: 1, version: '1', name: 'a', result: 1 },
      { type: 'failed', attempt: 1, error: anError(), permanent: false },
    ]
    for (const command of commands) expect(changed(record, command).next.crashes).toBe(0)
  })

  test('crashes of publish never fail it: the fifth in a row is marked, once', () => {
    const fourth = claimAfterCrash(aRecord('publishing', { crashes: 3 }))
    expect(fourth).toMatchObject({ next: { crashes: 4, needsAttention: false } })
    const fifth = claimAfterCrash(aRecord('publishing', { crashes: 4 }))
    expect(fifth).toMatchObject({ next: { state: 'publishing', crashes: 5, needsAttention: true } })
    expect(fifth.events).toEqual(['worker_lost', 'needs_attention', 'publish_started'])
    const later = claimAfterCrash(aRecord('publishing', { crashes: 40, needsAttention: true }))
    expect(later.events).toEqual(['worker_lost', 'publish_started'])
  })

  test('a shutdown costs no attempt: the work is due at once, with no crash and no failure', () => {
    const record = aRecord('running', { crashes: 3, failures: 2 })
    const { next, events } = changed(record, { type: 'released', attempt: 1 }, at(NOW + 50))
    expect(next).toMatchObject({ lease: null, dueAt: NOW + 50, crashes: 3, failures: 2, state: 'running' })
    expect(events).toEqual(['work_released'])
    expect(changed(next, aClaim(), at(NOW + 50)).events).toEqual(['stage_started'])
  })
})

describe('publish never gives up by itself (WK-11)', () => {
  const fail = (permanent: boolean): Command => ({ type: 'failed', attempt: 2, error: anError(), permanent })

  test('needs attention from the fifth failure on, said once', () => {
    let record = aRecord('publishing')
    const seen: [boolean, string[]][] = []
    for (let failures = 1; failures <= 6; failures++) {
      const { next, events } = changed(record, fail(false), at(NOW + 10 * 24 * 3_600_000))
      seen.push([next.needsAttention, events])
      record = { ...next, lease: leaseOf('publish') }
    }
    expect(seen.map(([needed]) => needed)).toEqual([false, false, false, false, true, true])
    expect(seen.map(([, events]) => events.length)).toEqual([1, 1, 1, 1, 2, 1])
    expect(seen[4]?.[1]).toEqual(['publish_failed', 'needs_attention'])
    expect(record).toMatchObject({ state: 'publishing', failures: 6 })
  })

  test('PermanentError only marks it', () => {
    expect(changed(aRecord('publishing'), fail(true)).next).toMatchObject({
      state: 'publishing',
      needsAttention: true,
    })
  })

  test('success ends it', () => {
    const record = aRecord('publishing', {
      needsAttention: true,
      failures: 9,
      lastError: { ...anError(), at: NOW },
    })
    expect(changed(record, { type: 'succeeded', attempt: 2, result: {} }).next).toMatchObject({
      state: 'published',
      needsAttention: false,
      failures: 0,
      lastError: null,
    })
  })
})

describe('cancel and discard (TS-2, WK-15 to WK-18)', () => {
  test('cancel of running work: the answer waits for nothing, whoever works is told, discard waits for the lease', () => {
    const { next, effects } = changed(aRecord('running'), anAction('cancel'))
    expect(next).toMatchObject({
      state: 'canceled',
      endedFrom: 'running',
      work: 'discard',
      cleanup: 'pending',
      cancelRequestedAt: NOW,
      cancelAcknowledgedAt: null,
      lease: leaseOf('stage'),
    })
    expect(typesOf(effects)).toEqual(['event', 'notify', 'wake', 'withdraw_report'])
    expect(decided(next, aClaim(), at(NOW + 14_999)).kind).toBe('unchanged')
    const taken = changed(next, aClaim(), at(NOW + 15_000))
    expect(taken.next).toMatchObject({
      attempt: 2,
      crashes: 0,
      cancelAcknowledgedAt: NOW + 15_000,
      lease: { work: 'discard' },
    })
    expect(taken.events).toEqual(['discard_started'])
  })

  test.each([
    { type: 'succeeded', attempt: 1, result: { summary: { late: 1 } } },
    { type: 'failed', attempt: 1, error: anError(), permanent: true },
    { type: 'released', attempt: 1 },
  ] satisfies Command[])('$type after cancel only says that the work has stopped', (word) => {
    const canceled = changed(aRecord('running'), anAction('cancel')).next
    const { next, effects, events } = changed(canceled, word, at(NOW + 100))
    expect(next).toMatchObject({
      state: 'canceled',
      lease: null,
      summary: null,
      cancelAcknowledgedAt: NOW + 100,
    })
    expect(reportsOf(effects)).toEqual([])
    expect(events).toEqual(['work_stopped'])
    expect(changed(next, aClaim(), at(NOW + 100)).next).toMatchObject({
      attempt: 2,
      lease: { work: 'discard' },
    })
  })

  test.each([
    { type: 'progress', attempt: 1, percent: 5, message: null },
    { type: 'step', attempt: 1, version: '1', name: 'a', result: 1 },
    { type: 'studies', attempt: 1, studies: [] },
  ] satisfies Command[])('$type after cancel is refused; that it has not stopped yet is no event', (word) => {
    const canceled = changed(aRecord('running', { studies: null }), anAction('cancel')).next
    expect(decided(canceled, word)).toMatchObject({ kind: 'refused', code: 'LATE_REPORT', effects: [] })
  })

  test.each([
    ['pending', 'none', null, 'cancel'],
    ['staged', 'pending', 'discard', 'cancel'],
    ['publishing', 'pending', 'discard', 'cancel'],
    ['staged', 'pending', 'discard', 'give_up'],
  ] as const)('from %s: cleanup %s', (row, cleanup, work, how) => {
    const command = how === 'cancel' ? anAction('cancel') : ({ type: 'give_up' } as const)
    expect(changed(aRecord(row), command).next).toMatchObject({ endedFrom: row, cleanup, work, held: false })
  })

  test('started, but never begun: there is nothing to discard', () => {
    const started = changed(aRecord('pending'), anAction('start')).next
    expect(changed(started, anAction('cancel')).next).toMatchObject({
      cleanup: 'none',
      work: null,
      dueAt: null,
      held: false,
    })
  })

  test('discard is tried again until it succeeds; then the reason of the failure is still there (SV-17)', () => {
    const reason = { ...anError('no disk'), at: NOW }
    const discarding = aRecord('failed', {
      work: 'discard',
      dueAt: NOW,
      cleanup: 'pending',
      lease: leaseOf('discard'),
      lastError: reason,
    })
    const done = changed(discarding, { type: 'succeeded', attempt: 2, result: {} }, at(NOW + 5))
    expect(done.next).toMatchObject({
      state: 'failed',
      cleanup: 'done',
      cleanupEndedAt: NOW + 5,
      work: null,
      lastError: reason,
    })
    expect(reportsOf(done.effects)).toEqual([])
    const failed = changed(discarding, { type: 'failed', attempt: 2, error: anError(), permanent: true })
    expect(failed.next).toMatchObject({
      state: 'failed',
      work: 'discard',
      needsAttention: true,
      dueAt: NOW + 1000,
    })
  })

  test('a late stage is fenced off from a discard that has begun (WK-18)', () => {
    const canceled = changed(aRecord('running'), anAction('cancel')).next
    const discarding = changed(canceled, aClaim({ goneOwner: 'A' })).next
    const late = decided(discarding, { type: 'succeeded', attempt: 1, result: {} })
    expect(late).toMatchObject({ kind: 'refused', code: 'LATE_REPORT', effects: [{ event: 'late_report' }] })
  })

  test('a start after cancel is refused, also of a tombstone (TS-7, WK-19)', () => {
    const tombstone = decided(null, anAction('cancel')) as { next: TaskRecord }
    for (const record of [aRecord('canceled'), tombstone.next])
      for (const action of ['initialize', 'start'] as const)
        expect(decided(record, anAction(action))).toMatchObject({ kind: 'refused', answer: { code: 400 } })
  })
})

describe('the coordinator shows the task (WK-20, N-9)', () => {
  const shows = (state: Extract<Command, { type: 'coordinator_shows' }>['state']): Command => ({
    type: 'coordinator_shows',
    state,
  })

  describe.each(['pending', 'running', 'staged', 'publishing'] as const)('%s', (row) => {
    test.each(['canceled', 'failed', 'rejected'] as const)('%s is a cancel', (state) => {
      const { next, events, effects } = changed(aRecord(row), shows(state))
      expect(next).toMatchObject({ state: 'canceled', endedFrom: row, checkDueAt: null })
      expect(events).toEqual(['canceled'])
      expect(typesOf(effects)).toContain('withdraw_report')
    })

    test.each(['waiting', 'initialized', 'running', 'staged', 'publishing', 'published', 'unclear'] as const)(
      '%s leaves it as it is and ends a row of "not found"',
      (state) => {
        const { next, events } = changed(aRecord(row, { missingSince: NOW - 3_599_999 }), shows(state))
        expect(next).toMatchObject({ state: row, missingSince: null, checkDueAt: NOW + 900_000 })
        expect(events).toEqual([])
      },
    )
  })

  test('missing for an hour without a break: a warning first, then canceled', () => {
    const first = changed(aRecord('staged'), shows('missing'))
    expect(first).toMatchObject({ next: { state: 'staged', missingSince: NOW }, events: ['missing'] })
    const second = changed(first.next, shows('missing'), at(NOW + 3_599_999))
    expect(second).toMatchObject({ next: { state: 'staged', missingSince: NOW }, events: [] })
    const last = changed(second.next, shows('missing'), at(NOW + 3_600_000))
    expect(last).toMatchObject({ next: { state: 'canceled', endedFrom: 'staged' }, events: ['canceled'] })
  })

  test('never from publishing', () => {
    const record = aRecord('publishing', { missingSince: NOW - 24 * 3_600_000 })
    expect(changed(record, shows('missing')).next.state).toBe('publishing')
  })

  test('an action of the coordinator shows that it knows the task', () => {
    expect(
      changed(aRecord('pending', { missingSince: NOW - 5 }), anAction('start')).next.missingSince,
    ).toBeNull()
  })

  test.each(['published', 'failed', 'canceled', 'tombstone'] as const)(
    '%s is final whatever it shows',
    (row) => {
      for (const state of ['canceled', 'failed', 'missing', 'running'] as const)
        expect(decided(aRecord(row), shows(state)).kind).toBe('unchanged')
    },
  )

  test('several questions fit into the time, whatever it is set to', () => {
    const interval = (forgottenAfterMs: number) =>
      changed(aRecord('staged'), shows('running'), at(NOW, { forgottenAfterMs })).next.checkDueAt! - NOW
    expect([3_600_000, 86_400_000, 60_000, 100].map(interval)).toEqual([900_000, 900_000, 15_000, 1000])
    expect(changed(null, anAction('initialize'), at(NOW, { forgottenAfterMs: 60_000 })).next.checkDueAt).toBe(
      NOW + 15_000,
    )
  })

  test('a refused report is kept as an event and changes nothing (N-8, N-11)', () => {
    for (const [status, then] of [
      [400, 'not repeated'],
      [403, 'tried every minute'],
    ] as const) {
      const decision = decided(aRecord('staged'), {
        type: 'report_refused',
        status,
        state: 'staged',
        text: 'no',
      })
      expect(decision).toMatchObject({
        kind: 'unchanged',
        effects: [{ type: 'event', level: 'error', event: 'report_refused' }],
      })
      expect(JSON.stringify(decision.effects)).toContain(then)
    }
  })
})

describe('a person (SV-19)', () => {
  test('retry makes waiting work due now, with all its patience back', () => {
    const record = aRecord('running', {
      lease: null,
      dueAt: NOW + 60_000,
      failures: 5,
      crashes: 3,
      lastProgressAt: NOW - 99,
    })
    expect(changed(record, { type: 'retry' })).toMatchObject({
      next: { dueAt: NOW, failures: 0, crashes: 0, lastProgressAt: NOW },
      events: ['retried'],
    })
    const cleanup = aRecord('failed', {
      work: 'discard',
      dueAt: NOW + 9,
      cleanup: 'pending',
      needsAttention: true,
    })
    expect(changed(cleanup, { type: 'retry' }).next).toMatchObject({ dueAt: NOW, needsAttention: false })
  })

  test('retry does not begin before the answer to the action (WK-6)', () => {
    const started = changed(aRecord('pending'), anAction('start')).next
    expect(changed(started, { type: 'retry' }).next).toMatchObject({ dueAt: NOW + 1000, held: true })
  })

  test.each(['pending', 'running', 'staged', 'publishing', 'published', 'failed', 'canceled'] as const)(
    'retry in %s, where nothing waits, is 400',
    (row) => {
      expect(decided(aRecord(row), { type: 'retry' })).toMatchObject({
        code: 'PERSON_NOT_NEEDED',
        answer: { code: 400 },
      })
    },
  )

  test.each(['pending', 'running', 'staged', 'publishing'] as const)(
    'give-up in %s is failed, and reported',
    (row) => {
      const { next, effects, events } = changed(aRecord(row), { type: 'give_up' })
      expect(next).toMatchObject({ state: 'failed', endedFrom: row })
      expect(events).toEqual(['given_up'])
      expect(reportsOf(effects)).toEqual([{ state: 'failed', progress: null }])
    },
  )

  test.each(['published', 'failed', 'canceled'] as const)('give-up in %s is 400', (row) => {
    expect(decided(aRecord(row), { type: 'give_up' })).toMatchObject({ code: 'PERSON_NOT_NEEDED' })
  })

  test('give-up of a pending cleanup ends it; a discard that still runs is told to stop, and fenced', () => {
    const record = aRecord('canceled', {
      work: 'discard',
      dueAt: NOW,
      cleanup: 'pending',
      lease: leaseOf('discard'),
    })
    const { next, effects } = changed(record, { type: 'give_up' })
    expect(next).toMatchObject({
      state: 'canceled',
      work: null,
      dueAt: null,
      cleanup: 'given_up',
      cleanupEndedAt: NOW,
    })
    expect(typesOf(effects)).toEqual(['event', 'notify'])
    expect(changed(next, { type: 'succeeded', attempt: 2, result: {} }).next).toMatchObject({
      cleanup: 'given_up',
      lease: null,
    })
  })
})

test('a whole way from initialize to published', () => {
  const record = after(
    changed(null, anAction('initialize')).next,
    anAction('start'),
    { type: 'answered', work: 'stage' },
    aClaim(),
    { type: 'succeeded', attempt: 1, result: { staged: 'a' } },
    anAction('publish'),
    { type: 'answered', work: 'publish' },
    aClaim(),
    { type: 'succeeded', attempt: 2, result: {} },
  )
  expect(record).toMatchObject({ state: 'published', attempt: 2, staged: 'a', revision: 9 })
})
