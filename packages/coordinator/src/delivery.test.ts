import type { Answer } from '@release-task/http'
import { describe, expect, test } from 'vitest'
import {
  afterAction,
  afterAsking,
  afterRefusedCancel,
  afterTransportError,
  wordOf,
  type Step,
} from './delivery.ts'
import type { OutboxRow } from './outbox.ts'

const NOW = 1_700_000_000_000

function row(action: OutboxRow['action'], fields: Partial<OutboxRow> = {}): OutboxRow {
  return {
    taskId: 'TA_00000001',
    releaseId: 'RE_00000001',
    action,
    sequence: 3,
    deadlineAt: NOW + 30_000,
    failures: 0,
    askFirst: false,
    lastError: null,
    claimedUntil: null,
    dueAt: NOW,
    now: NOW,
    ...fields,
  }
}

function answer(status: number, body: unknown, retryAfter: string | null = null): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, text, retryAfter, json: typeof body === 'string' ? undefined : body }
}

const chance = { now: NOW, random: 0.5 }

/** A step in one word: `ok running`, `refused`, `again`, `again, asking`, `ask`. */
function short(step: Step): string {
  if (step.kind === 'again') return step.askFirst ? 'again, asking' : 'again'
  if (step.kind !== 'outcome') return step.kind
  const { outcome } = step
  if (outcome.kind === 'refused') return outcome.shown === null ? 'refused' : `refused ${outcome.shown}`
  return outcome.state === null ? 'ok' : `ok ${outcome.state}`
}

const act = (action: OutboxRow['action'], status: number, body: unknown = {}) =>
  short(afterAction(row(action), answer(status, body), chance))
const ask = (action: OutboxRow['action'], status: number, body: unknown = {}) =>
  short(afterAsking(row(action), answer(status, body), chance))

const ACTIONS = ['initialize', 'start', 'publish', 'cancel'] as const

describe('every answer to every action (RC-10)', () => {
  // Typed from docs/protocol.md, cell by cell. `ask`: `cancel` was refused, and is not sent again; the question that
  // follows only finds out what to record. `again, asking` counts as `again` for cancel, which is repeated unasked.
  const CASES: readonly (readonly [string, number, unknown, string, string, string, string])[] = [
    //  answer                          initialize         start          publish           cancel
    ['state pending', 200, { state: 'pending' }, 'ok initialized', 'refused', 'refused', 'again'],
    ['state initialized', 200, { state: 'initialized' }, 'ok initialized', 'refused', 'refused', 'again'],
    ['state running', 200, { state: 'running' }, 'refused', 'ok running', 'refused', 'again'],
    ['state staged', 200, { state: 'staged' }, 'refused', 'ok staged', 'refused', 'again'],
    ['state publishing', 200, { state: 'publishing' }, 'refused', 'refused', 'ok publishing', 'again'],
    ['state published', 200, { state: 'published' }, 'refused', 'refused', 'ok published', 'ok published'],
    ['state failed', 200, { state: 'failed' }, 'refused', 'refused', 'refused', 'ok failed'],
    ['state canceled', 200, { state: 'canceled' }, 'refused', 'refused', 'refused', 'ok canceled'],
    ['state cancelled', 200, { state: 'cancelled' }, 'refused', 'refused', 'refused', 'ok canceled'],
    ['state cancelling', 200, { state: 'cancelling' }, 'refused', 'refused', 'refused', 'ok canceled'],
    ['an unknown state', 200, { state: 'banana' }, 'refused', 'refused', 'refused', 'again'],
    ['a state that is no text', 200, { state: 5 }, 'refused', 'refused', 'refused', 'again'],
    ['null as state', 200, { state: null }, 'refused', 'refused', 'refused', 'again'],
    ['an object without state', 200, { kf_id: 'TA_00000001' }, 'ok', 'ok', 'ok', 'ok'],
    ['a list', 200, [], 'refused', 'refused', 'refused', 'ok'],
    ['text', 200, 'ok', 'refused', 'refused', 'refused', 'ok'],
    ['nothing', 200, '', 'refused', 'refused', 'refused', 'ok'],
    ['201', 201, { state: 'running' }, 'refused', 'refused', 'refused', 'ok'],
    ['202', 202, {}, 'refused', 'refused', 'refused', 'ok'],
    ['204', 204, '', 'refused', 'refused', 'refused', 'ok'],
    ['302', 302, '', 'refused', 'refused', 'refused', 'again'],
    ['400', 400, {}, 'refused', 'refused', 'refused', 'ask'],
    ['401', 401, {}, 'refused', 'refused', 'refused', 'ask'],
    ['403', 403, {}, 'refused', 'refused', 'refused', 'ask'],
    ['404', 404, {}, 'refused', 'refused', 'refused', 'ask'],
    ['a page with 401', 401, '<html>', 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['a page with 403', 403, '<html>', 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['a page with 404', 404, '<html>', 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['a page with 400', 400, '<html>', 'refused', 'refused', 'refused', 'ask'],
    ['408', 408, {}, 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['421', 421, '', 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['425', 425, '', 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['409', 409, {}, 'refused', 'refused', 'refused', 'ask'],
    ['429', 429, {}, 'again', 'again', 'again', 'again'],
    ['500', 500, {}, 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
    ['503', 503, {}, 'again, asking', 'again, asking', 'again, asking', 'again, asking'],
  ]

  test.each(CASES)('%s', (_, status, body, ...expected) => {
    expect(ACTIONS.map((action) => act(action, status, body))).toEqual(expected)
  })

  test('a refusal says the status or state, and the beginning of the body (RC-11, RC-33)', () => {
    const reason = (status: number, body: unknown) => {
      const step = afterAction(row('start'), answer(status, body), chance)
      return step.kind === 'outcome' && step.outcome.kind === 'refused' ? step.outcome.reason : null
    }
    expect(reason(418, 'a\n  teapot')).toBe('answered 418: a teapot')
    expect(reason(200, { state: 'banana', why: 'x' })).toContain('"banana"')
    expect(reason(200, { state: 'banana', why: 'x' })).toContain('"why":"x"')
    expect(reason(400, 'x'.repeat(5000))?.length).toBeLessThan(300)
  })
})

describe('get_status after a lost answer (RC-8)', () => {
  // `send`: an earlier state, so the action is repeated.
  const CASES: readonly (readonly [string, number, unknown, string, string, string])[] = [
    //                                 initialize          start             publish
    ['unknown, 404', 404, {}, 'send', 'send', 'send'],
    ['a page with 404', 404, '<html>', 'again, asking', 'again, asking', 'again, asking'],
    ['unknown, 400', 400, {}, 'send', 'send', 'send'],
    ['pending', 200, { state: 'pending' }, 'ok initialized', 'send', 'send'],
    ['initialized', 200, { state: 'initialized' }, 'ok initialized', 'send', 'send'],
    ['running', 200, { state: 'running' }, 'ok running', 'ok running', 'send'],
    ['staged', 200, { state: 'staged' }, 'ok staged', 'ok staged', 'send'],
    ['publishing', 200, { state: 'publishing' }, 'refused publishing', 'refused publishing', 'ok publishing'],
    ['published', 200, { state: 'published' }, 'refused published', 'refused published', 'ok published'],
    ['failed', 200, { state: 'failed' }, 'refused failed', 'refused failed', 'refused failed'],
    ['cancelled', 200, { state: 'cancelled' }, 'refused canceled', 'refused canceled', 'refused canceled'],
    ['an unknown word', 200, { state: 'banana' }, 'again, asking', 'again, asking', 'again, asking'],
    ['no state', 200, {}, 'again, asking', 'again, asking', 'again, asking'],
    ['no JSON', 200, 'ok', 'again, asking', 'again, asking', 'again, asking'],
    ['403', 403, {}, 'again, asking', 'again, asking', 'again, asking'],
    ['429', 429, {}, 'again, asking', 'again, asking', 'again, asking'],
    ['500', 500, {}, 'again, asking', 'again, asking', 'again, asking'],
  ]

  test.each(CASES)('%s', (_, status, body, ...expected) => {
    expect((['initialize', 'start', 'publish'] as const).map((action) => ask(action, status, body))).toEqual(
      expected,
    )
  })

  test('what was tried until its deadline is not begun once more (RC-7)', () => {
    const late = { now: NOW + 30_000, random: 0 }
    const tried = row('start', { failures: 4, askFirst: true, lastError: 'no answer' })
    expect(short(afterAsking(tried, answer(404, {}), late))).toBe('refused')
    // Whoever was down the whole time has not tried yet.
    expect(short(afterAsking(row('start', { askFirst: true }), answer(404, {}), late))).toBe('send')
    // The time that a dead process held it is not the service's.
    const takenOver = { ...tried, claimedUntil: late.now - 1 }
    expect(short(afterAsking(takenOver, answer(404, {}), late))).toBe('send')
    expect(short(afterAsking(tried, answer(200, { state: 'running' }), late))).toBe('ok running')
  })
})

describe('get_status after a refused cancel (RC-10, RC-21)', () => {
  const judge = afterRefusedCancel('answered 400: not now')
  const shown = (status: number, body: unknown) => judge(row('cancel'), answer(status, body), chance)

  test.each([
    [200, { state: 'published' }, 'refused published'],
    [200, { state: 'failed' }, 'refused failed'],
    [200, { state: 'running' }, 'refused running'],
    [200, 'ok', 'refused'],
    [404, {}, 'refused'],
    [404, '<html>', 'again'],
    [500, {}, 'again'],
    [429, {}, 'again'],
  ])('%s %j: %s', (status, body, expected) => expect(short(shown(status, body))).toBe(expected))

  test('the reason holds the words of the refusal', () => {
    expect(shown(200, { state: 'published' })).toMatchObject({
      outcome: { reason: expect.stringMatching(/^answered 400: not now; .*published/) },
    })
  })
})

describe('tries again inside the deadline (RC-7)', () => {
  const error = { message: 'connection refused', mayHaveArrived: false }
  const delays = (random: number) =>
    Array.from({ length: 8 }, (_, failures) => {
      const far = row('publish', { failures, deadlineAt: NOW + 600_000 })
      const step = afterTransportError(far, error, { now: NOW, random })
      return step.kind === 'again' ? step.delayMs : null
    })

  test('with growing, jittered delays', () => {
    expect(delays(1)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    expect(delays(0)).toEqual(Array(8).fill(0))
  })

  test('Retry-After is the least', () => {
    const far = row('start', { deadlineAt: NOW + 600_000 })
    expect(afterAction(far, answer(503, {}, '20'), chance)).toMatchObject({ delayMs: 20_000 })
  })

  test('the last one at the deadline itself; after it the trouble counts as a refusal', () => {
    const near = row('start', { failures: 7, deadlineAt: NOW + 3000 })
    expect(afterTransportError(near, error, { now: NOW, random: 1 })).toMatchObject({ delayMs: 3000 })
    const over = afterTransportError(near, error, { now: NOW + 3000, random: 1 })
    expect(over).toEqual({
      kind: 'outcome',
      outcome: {
        kind: 'refused',
        reason: 'not within its deadline: connection refused',
        shown: null,
      },
    })
  })

  test('asks first where the service may have heard it, and goes on asking', () => {
    const lost = { message: 'cut', mayHaveArrived: true }
    expect(short(afterTransportError(row('start'), error, chance))).toBe('again')
    expect(short(afterTransportError(row('start'), lost, chance))).toBe('again, asking')
    expect(short(afterTransportError(row('start', { askFirst: true }), error, chance))).toBe('again, asking')
  })
})

describe('what a service says is read leniently (RC-13)', () => {
  test.each([
    [40, 40],
    [37.9, 37],
    ['50', 50],
    ['50%', 50],
    ['37.5%', 37],
    [-3, 0],
    [400, 100],
    [null, null],
    [undefined, null],
    ['half', null],
    ['', null],
    [true, null],
    [[], null],
  ])('progress %j is %j', (said, expected) => expect(wordOf({ progress: said }).progress).toBe(expected))

  test.each([
    ['pending', 'initialized'],
    ['initialized', 'initialized'],
    ['cancelling', 'canceled'],
    ['cancelled', 'canceled'],
    ['banana', null],
    ['constructor', null],
    [null, null],
  ])('state %j is %j', (said, expected) => expect(wordOf({ state: said }).state).toBe(expected))

  test('a message is cut, other types are no message', () => {
    expect(wordOf({ message: 'x'.repeat(5000) }).message).toHaveLength(1000)
    expect(wordOf({ message: 5, summary: { rows: 1 } })).toMatchObject({
      message: null,
      summary: { rows: 1 },
    })
  })
})
