import type { Answer } from '@release-task/http'
import { describe, expect, test } from 'vitest'
import { afterReading, afterReport, shownBy, type Step } from './delivery.ts'
import type { CoordinatorShows } from './decision.ts'
import type { OutboxRow } from './outbox.ts'

const NOW = 1_000_000_000
const MINUTE = 60_000
/** Full jitter at its top, so that a delay shows its step. */
const CHANCE = { now: NOW, random: 1 }
const NOT_FOUND = { detail: 'Not found.' }

function aRow(changes: Partial<OutboxRow> = {}): OutboxRow {
  return {
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
    dueAt: NOW,
    failures: 0,
    confirmStep: 0,
    lastError: null,
    createdAt: NOW,
    claimedBy: null,
    claimedUntil: null,
    now: NOW,
    ...changes,
  }
}

function anAnswer(status: number, json?: unknown, retryAfter: string | null = null): Answer {
  return { status, json, retryAfter, text: json === undefined ? '<html>' : JSON.stringify(json) }
}

/** A step in one line: what, in which phase, after how long, and the read-back's step or the failures. */
function line(step: Step): string {
  if (step.kind === 'done' || step.kind === 'read') return step.kind
  const { phase, delayMs, confirmStep, failures } = step.to
  const told = step.kind === 'tell' ? `tell ${step.shows}, then ` : ''
  return `${told}${phase} in ${delayMs} ms, step ${confirmStep}, failures ${failures}`
}

const reported = (row: OutboxRow, answer: Answer | null) => line(afterReport(row, answer, 'no luck', CHANCE))
const read = (row: OutboxRow, shows: CoordinatorShows, chance = CHANCE) =>
  line(afterReading(row, shows, 'no luck', chance))

describe('after a report', () => {
  test.each([
    ['200', anAnswer(200, {}), 'confirm in 1000 ms, step 0, failures 0'],
    ['204', anAnswer(204), 'confirm in 1000 ms, step 0, failures 0'],
    ['no answer (N-1)', null, 'send in 1000 ms, step 0, failures 1'],
    ['502 (N-1)', anAnswer(502), 'send in 1000 ms, step 0, failures 1'],
    ['503 with Retry-After (N-1)', anAnswer(503, undefined, '7'), 'send in 7000 ms, step 0, failures 1'],
    ['429 with a short Retry-After', anAnswer(429, undefined, '0'), 'send in 1000 ms, step 0, failures 1'],
    ['500: read first (N-1)', anAnswer(500), 'read'],
    ['409: read first (N-9)', anAnswer(409, { detail: 'stale' }), 'read'],
    [
      '400: not repeated (N-11)',
      anAnswer(400, { state: ['no'] }),
      'refused in 900000 ms, step 0, failures 1',
    ],
    ['401: every minute (N-8)', anAnswer(401, {}), 'send in 60000 ms, step 0, failures 1'],
    ['403: every minute (N-8)', anAnswer(403, {}), 'send in 60000 ms, step 0, failures 1'],
    [
      'its own 404 (N-5)',
      anAnswer(404, NOT_FOUND),
      'tell missing, then missing in 900000 ms, step 0, failures 1',
    ],
    ['an HTML 400 (N-12)', anAnswer(400), 'send in 1000 ms, step 0, failures 1'],
    ['an HTML 401 (N-12)', anAnswer(401), 'send in 1000 ms, step 0, failures 1'],
    ['an HTML 403 (N-12)', anAnswer(403), 'send in 1000 ms, step 0, failures 1'],
    ['a 403 of no object (N-12)', anAnswer(403, ['no']), 'send in 1000 ms, step 0, failures 1'],
    ['an HTML 404 (N-12)', anAnswer(404), 'send in 1000 ms, step 0, failures 1'],
    ['another JSON 404 (N-12)', anAnswer(404, { detail: 'no route' }), 'send in 1000 ms, step 0, failures 1'],
    ['a redirect', anAnswer(302), 'send in 1000 ms, step 0, failures 1'],
    ['405', anAnswer(405, {}), 'send in 1000 ms, step 0, failures 1'],
    ['413', anAnswer(413), 'send in 1000 ms, step 0, failures 1'],
  ])('%s', (_, answer, expected) => {
    expect(reported(aRow(), answer)).toBe(expected)
  })

  test.each([
    ['200', anAnswer(200, {}), 'done'],
    ['409', anAnswer(409, {}), 'read'],
    ['500', anAnswer(500), 'read'],
    ['400', anAnswer(400, {}), 'refused in 900000 ms, step 0, failures 1'],
    ['its own 404', anAnswer(404, NOT_FOUND), 'tell missing, then missing in 900000 ms, step 0, failures 1'],
    ['503', anAnswer(503), 'send in 1000 ms, step 0, failures 1'],
  ])('of progress alone: %s', (_, answer, expected) => {
    expect(reported(aRow({ state: null, progress: 40 }), answer)).toBe(expected)
  })

  test('delays grow, doubled up to 30 s, fully jittered; what keeps failing keeps its count', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 50].map((failures) => {
      const step = afterReport(aRow({ failures }), anAnswer(503), 'no luck', { now: NOW, random: 0.5 })
      return step.kind === 'again' ? step.to.delayMs : null
    })
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
  })

  test('what went wrong is kept with the row', () => {
    const error = (answer: Answer | null) => {
      const step = afterReport(aRow(), answer, 'no luck', CHANCE)
      return 'to' in step ? step.to.lastError : undefined
    }
    expect([anAnswer(503), anAnswer(400, {}), anAnswer(403, {})].map(error)).toEqual(Array(3).fill('no luck'))
    expect(error(anAnswer(404, NOT_FOUND))).toBe('the coordinator does not know this task')
    expect(error(anAnswer(200, {}))).toBeNull()
  })

  test('the end of a task that the coordinator does not know is kept for a day (N-5)', () => {
    for (const state of ['published', 'failed'] as const) {
      const row = aRow({ state, createdAt: NOW - 24 * 60 * MINUTE })
      expect(reported(row, anAnswer(404, NOT_FOUND))).toContain('tell missing')
      expect(reported({ ...row, createdAt: row.createdAt - 1 }, anAnswer(404, NOT_FOUND))).toBe('done')
    }
    const staged = aRow({ createdAt: NOW - 48 * 60 * MINUTE })
    expect(reported(staged, anAnswer(404, NOT_FOUND))).toContain('tell missing')
  })
})

describe('what the coordinator shows', () => {
  test.each([
    [anAnswer(200, { state: 'staged' }), 'staged'],
    [anAnswer(200, { state: 'cancelled' }), 'canceled'],
    [anAnswer(200, { state: 'somewhere' }), 'unclear'],
    [anAnswer(200, { state: 5 }), 'unclear'],
    [anAnswer(200, {}), 'unclear'],
    [anAnswer(200, null), 'unclear'],
    [anAnswer(200, ['staged']), 'unclear'],
    [anAnswer(200), 'unclear'],
    [anAnswer(201, { state: 'staged' }), 'unclear'],
    [anAnswer(404, NOT_FOUND), 'missing'],
    [anAnswer(404, { detail: 'Not found' }), 'unclear'],
    [anAnswer(404), 'unclear'],
    [anAnswer(410, NOT_FOUND), 'unclear'],
    [anAnswer(500, { state: 'staged' }), 'unclear'],
    [anAnswer(403, { state: 'canceled' }), 'unclear'],
  ])('%j → %s', (answer, expected) => {
    expect(shownBy(answer)).toBe(expected)
  })
})

describe('after reading, because the report was answered 409 or 500', () => {
  test.each([
    ['staged', 'staged', 'confirm in 1000 ms, step 0, failures 0'],
    ['staged', 'publishing', 'confirm in 5000 ms, step 1, failures 0'],
    ['staged', 'running', 'send in 1000 ms, step 0, failures 1'],
    ['staged', 'waiting', 'send in 1000 ms, step 0, failures 1'],
    ['staged', 'unclear', 'send in 1000 ms, step 0, failures 1'],
    ['staged', 'canceled', 'tell canceled, then send in 900000 ms, step 0, failures 1'],
    ['staged', 'failed', 'tell failed, then send in 900000 ms, step 0, failures 1'],
    ['staged', 'rejected', 'tell rejected, then send in 900000 ms, step 0, failures 1'],
    ['staged', 'missing', 'tell missing, then missing in 900000 ms, step 0, failures 1'],
    ['published', 'published', 'confirm in 1000 ms, step 0, failures 0'],
    ['published', 'publishing', 'send in 1000 ms, step 0, failures 1'],
    ['published', 'staged', 'send in 1000 ms, step 0, failures 1'],
    // The task has ended here; the coordinator's own end of it is no command any more.
    ['published', 'canceled', 'done'],
    ['published', 'failed', 'done'],
    ['failed', 'failed', 'confirm in 1000 ms, step 0, failures 0'],
    ['failed', 'running', 'send in 1000 ms, step 0, failures 1'],
    ['failed', 'staged', 'send in 1000 ms, step 0, failures 1'],
    ['failed', 'canceled', 'done'],
    ['failed', 'rejected', 'done'],
    ['failed', 'published', 'done'],
    [null, 'running', 'done'],
    [null, 'staged', 'done'],
    [null, 'canceled', 'tell canceled, then send in 900000 ms, step 0, failures 1'],
    [null, 'unclear', 'send in 1000 ms, step 0, failures 1'],
  ] as const)('reported %s, shown %s', (state, shows, expected) => {
    expect(read(aRow({ state }), shows)).toBe(expected)
  })
})

describe('the read-back (N-2, N-7)', () => {
  /** The delays before each read while the coordinator shows what was reported. */
  function schedule(state: 'staged' | 'published' | 'failed', reads: number): string[] {
    let step = afterReport(aRow({ state }), anAnswer(200, {}), '', CHANCE)
    const delays: string[] = []
    for (let count = 0; count < reads && step.kind === 'again'; count++) {
      delays.push(`${step.to.phase} ${step.to.delayMs / 1000}`)
      step = afterReading(aRow({ state, ...step.to }), state, '', CHANCE)
    }
    return step.kind === 'done' ? [...delays, 'done'] : delays
  }

  test('after 1 s, 5 s, 30 s and 5 min, then every 15 min until the task is final', () => {
    const growing = ['confirm 1', 'confirm 5', 'confirm 30', 'confirm 300']
    expect(schedule('staged', 7)).toEqual([...growing, 'confirm 900', 'confirm 900', 'confirm 900'])
    expect(schedule('published', 7)).toEqual([...growing, 'done'])
    expect(schedule('failed', 7)).toEqual([...growing, 'done'])
  })

  const confirming = (changes: Partial<OutboxRow> = {}) =>
    aRow({ phase: 'confirm', confirmStep: 1, ...changes })

  test('an earlier state: the report was overwritten, and is said again from the beginning', () => {
    expect(read(confirming(), 'running')).toBe('send in 0 ms, step 0, failures 1')
    expect(read(confirming({ state: 'published' }), 'staged')).toBe('send in 0 ms, step 0, failures 1')
    expect(read(confirming({ state: 'failed' }), 'running')).toBe('send in 0 ms, step 0, failures 1')
  })

  test('said again and again, it becomes rarer, up to a minute', () => {
    const delay = (ageMs: number) => read(confirming({ createdAt: NOW - ageMs }), 'running')
    expect(delay(10_000)).toBe('send in 1000 ms, step 0, failures 1')
    expect(delay(5 * MINUTE)).toBe('send in 30000 ms, step 0, failures 1')
    expect(delay(24 * 60 * MINUTE)).toBe('send in 60000 ms, step 0, failures 1')
    // A clock that was set back is no reason to send in the past.
    expect(delay(-MINUTE)).toBe('send in 0 ms, step 0, failures 1')
  })

  test.each([
    ['publishing', 'confirm in 30000 ms, step 2, failures 0'],
    ['published', 'confirm in 30000 ms, step 2, failures 0'],
    ['canceled', 'tell canceled, then confirm in 900000 ms, step 1, failures 1'],
    ['missing', 'tell missing, then missing in 900000 ms, step 1, failures 1'],
    // No clear answer: the same question again, sooner.
    ['unclear', 'confirm in 1000 ms, step 1, failures 1'],
  ] as const)('shown %s', (shows, expected) => {
    expect(read(confirming(), shows)).toBe(expected)
  })

  test.each([
    ['running', 'send in 0 ms, step 0, failures 1'],
    ['staged', 'confirm in 1000 ms, step 0, failures 0'],
    ['missing', 'tell missing, then missing in 900000 ms, step 0, failures 1'],
  ] as const)('of a task that was missing, shown %s', (shows, expected) => {
    expect(read(aRow({ phase: 'missing' }), shows)).toBe(expected)
  })

  test.each([
    ['running', 'refused in 900000 ms, step 0, failures 1'],
    ['staged', 'confirm in 1000 ms, step 0, failures 0'],
    ['publishing', 'confirm in 5000 ms, step 1, failures 0'],
    ['canceled', 'tell canceled, then refused in 900000 ms, step 0, failures 1'],
  ] as const)(
    'of a report that was refused as wrong, shown %s: never sent again (N-11)',
    (shows, expected) => {
      expect(read(aRow({ phase: 'refused', lastError: 'answered 400' }), shows)).toBe(expected)
    },
  )
})
