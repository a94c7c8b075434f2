import { RELEASE_STATES } from '@release-task/protocol'
import { describe, expect, test } from 'vitest'
import { exitCodeOfEnd, isEnd, verdictOf, WANTED, type Verdict, type Wanted } from './reached.ts'

const all = (wanted: Wanted) =>
  Object.fromEntries(RELEASE_STATES.map((state) => [state, verdictOf(state, wanted)]))

test('every state of a release may be waited for', () =>
  expect([...WANTED].toSorted()).toEqual([...RELEASE_STATES].toSorted()))

describe('verdictOf', () => {
  const underway: Verdict = 'underway'
  test('staged: publishing and published have been staged', () =>
    expect(all('staged')).toEqual({
      waiting: underway,
      initializing: underway,
      running: underway,
      staged: 'reached',
      publishing: 'reached',
      published: 'reached',
      canceling: underway,
      canceled: 'canceled',
      failed: 'failed',
    }))

  test('published', () =>
    expect(all('published')).toEqual({
      waiting: underway,
      initializing: underway,
      running: underway,
      staged: underway,
      publishing: underway,
      published: 'reached',
      canceling: underway,
      canceled: 'canceled',
      failed: 'failed',
    }))

  test('canceled: a release that is published never will be, one that failed has failed', () =>
    expect(all('canceled')).toMatchObject({
      canceling: underway,
      canceled: 'reached',
      failed: 'failed',
      published: 'other end',
    }))

  test('failed and canceling', () => {
    expect(all('failed')).toMatchObject({ failed: 'reached', canceled: 'canceled', published: 'other end' })
    expect(all('canceling')).toMatchObject({ canceling: 'reached', canceled: 'reached', failed: 'reached' })
  })

  test('an end is never under way, and only an end is final', () => {
    for (const wanted of WANTED)
      for (const state of RELEASE_STATES) {
        const verdict = verdictOf(state, wanted)
        if (isEnd(state)) expect(verdict).not.toBe('underway')
        if (['failed', 'canceled', 'other end'].includes(verdict)) expect(isEnd(state)).toBe(true)
      }
  })

  test('a state that nobody knows is under way', () => expect(verdictOf('paused', 'staged')).toBe(underway))
})

test.each([
  ['published', 0],
  ['failed', 10],
  ['canceled', 11],
  ['something', 1],
])('watch ends with a release that is %s with %d', (state, code) => expect(exitCodeOfEnd(state)).toBe(code))
