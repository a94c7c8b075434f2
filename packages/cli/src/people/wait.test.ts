import { expect, test } from 'vitest'
import { CommandError } from './errors.ts'
import { aRelease } from './release.fixture.ts'
import { errorOf, type End } from './wait.ts'
import { createOutage } from './watch.ts'

const WAITED = { id: 'RE_00000001', wanted: 'staged', timeoutMs: 90_000 } as const
const AWAY = new CommandError('NOT_REACHABLE', 'The coordinator is away', 'x')
const end = (fields: Partial<End>): End => ({
  verdict: 'underway',
  release: aRelease(),
  trouble: null,
  ...fields,
})
const ended = (state: string) => aRelease({ state, reason: 'no room', waiting_for: null })

test.each([
  ['reached', end({ verdict: 'reached' }), null, undefined],
  ['failed', end({ verdict: 'failed', release: ended('failed') }), 'RELEASE_FAILED', 10],
  ['canceled', end({ verdict: 'canceled', release: ended('canceled') }), 'RELEASE_CANCELED', 11],
  ['other end', end({ verdict: 'other end', release: ended('published') }), 'OTHER_END', 1],
  ['not in time', end({}), 'TIMED_OUT', 3],
  ['not in time, and away at last', end({ trouble: AWAY }), 'TIMED_OUT', 3],
  ['never there', end({ release: null, trouble: AWAY }), 'NOT_REACHABLE', 4],
])('%s', (_, seen, code, exitCode) => {
  const error = errorOf(seen, WAITED)
  expect([error?.code ?? null, error?.exitCode]).toEqual([code, exitCode])
})

test('says where the release was when the time was over, and where the coordinator was', () => {
  expect(errorOf(end({}), WAITED)?.message).toMatch(
    /^Not staged within 90s: RE_00000001 "June" is running: it waits/,
  )
  expect(errorOf(end({ trouble: AWAY }), WAITED)?.message).toMatch(/as last seen: The coordinator is away$/)
})

test('an outage is told once, and its end once', () => {
  const told: string[] = []
  const outage = createOutage((line) => told.push(line))
  for (const trouble of [null, AWAY, AWAY, null, null, AWAY]) outage(trouble)
  expect(told).toEqual([
    'The coordinator is away; trying again',
    'the coordinator answers again',
    'The coordinator is away; trying again',
  ])
})
