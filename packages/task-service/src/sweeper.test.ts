import { ownIdentity } from '@release-task/database'
import { createLogger, type Answer } from '@release-task/http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { latch } from './service.fixture.ts'
import type { DueTask } from './store.ts'
import { Sweeper, type SweeperDependencies } from './sweeper.ts'

const INTERVAL = 5000
const HOUR = 3_600_000

const answer = (status: number, json: unknown): Answer => ({ status, json, text: '', retryAfter: null })
const aTask = (id: string, changes: Partial<DueTask> = {}): DueTask => ({
  id,
  dueAt: 1,
  leaseOwner: null,
  leaseExpired: true,
  ...changes,
})

let woken: string[]
let told: string[]
let read: string[]
let tidied: number
let forgotten: number
let sweeper: Sweeper | null

beforeEach(() => {
  vi.useFakeTimers()
  woken = []
  told = []
  read = []
  tidied = 0
  forgotten = 0
  sweeper = null
})
afterEach(async () => {
  await sweeper?.stop()
  vi.useRealTimers()
})

function aSweeper(changes: Partial<SweeperDependencies> = {}): Sweeper {
  return (sweeper = new Sweeper({
    due: async () => [],
    checksDue: async () => [],
    deleteTombstones: async () => void tidied++,
    deleteHistory: async () => void forgotten++,
    offer: (id) => void woken.push(id),
    read: async (id) => {
      read.push(id)
      return answer(200, { state: 'running' })
    },
    tell: async (id, shows) => void told.push(`${id} ${shows}`),
    intervalMs: INTERVAL,
    log: createLogger('sweeper', 'silent'),
    ...changes,
  }))
}

describe('work that is due (WK-7)', () => {
  test('is woken at once and on every interval, page after page', async () => {
    const pages: { [after: string]: DueTask[] } = { '': [aTask('a'), aTask('b')], b: [aTask('c')], c: [] }
    aSweeper({ due: async (after) => pages[after?.id ?? '']! }).start()
    await vi.advanceTimersByTimeAsync(0)
    expect(woken).toEqual(['a', 'b', 'c'])
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(woken).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  test('but not what a living process holds; what a dead one held, at once (WK-3)', async () => {
    const living = ownIdentity()
    const [host, , started] = living.split('|')
    const dead = [host, 2 ** 22 + 1, started, 'ab'].join('|')
    const held = { leaseExpired: false }
    const page = [
      aTask('free'),
      aTask('held here', { ...held, leaseOwner: living }),
      aTask('held by the dead', { ...held, leaseOwner: dead }),
      aTask('held elsewhere', { ...held, leaseOwner: 'other host|1|1|ab' }),
      aTask('run out', { leaseOwner: living }),
    ]
    await aSweeper({ due: async (after) => (after ? [] : page) }).wakeDue()
    expect(woken).toEqual(['free', 'held by the dead', 'run out'])
  })

  test('is found although the coordinator does not answer, and although the database failed once', async () => {
    let fails = true
    const due = async (after: DueTask | null) => {
      if (fails) {
        fails = false
        throw new Error('busy')
      }
      return after ? [] : [aTask('a')]
    }
    const never = latch<Answer>()
    aSweeper({ due, checksDue: async () => ['x'], read: () => never.reached }).start()
    await vi.advanceTimersByTimeAsync(2 * INTERVAL)
    expect(woken).toEqual(['a', 'a'])
    never.open(answer(503, null))
  })
})

describe('tasks that the coordinator may have forgotten (WK-20)', () => {
  test.each([
    [answer(200, { state: 'staged' }), 'x staged'],
    [answer(404, { detail: 'Not found.' }), 'x missing'],
    [answer(404, undefined), 'x unclear'],
    [answer(200, { state: 'nonsense' }), 'x unclear'],
  ])('%j is told as "%s"', async (shown, expected) => {
    await aSweeper({ checksDue: async () => ['x'], read: async () => shown }).checkForgotten()
    expect(told).toEqual([expected])
  })

  test('no clear answer is told of that one, so that its turn is over; the others come with the next sweep', async () => {
    const asked = async (id: string) => {
      read.push(id)
      if (id === 'x') throw new Error('refused')
      return answer(200, { state: 'running' })
    }
    let due = ['x', 'y', 'z']
    const tell = async (id: string, shows: string) => {
      told.push(`${id} ${shows}`)
      due = due.filter((one) => one !== id)
    }
    aSweeper({ checksDue: async () => due, read: asked, tell }).start()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['x unclear'])
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(told).toEqual(['x unclear', 'y running', 'z running'])
  })
})

test('tombstones are removed at the start and once an hour (WK-19)', async () => {
  aSweeper().start()
  await vi.advanceTimersByTimeAsync(HOUR - 1)
  expect(tidied).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(tidied).toBe(2)
})

test('stop waits for the question under way, tells nothing of it, and asks no other', async () => {
  const slow = latch<Answer>()
  const stopping = aSweeper({
    checksDue: async () => ['x', 'y'],
    read: (id) => {
      read.push(id)
      return slow.reached
    },
  })
  stopping.start()
  await vi.advanceTimersByTimeAsync(0)
  let stopped = false
  const stop = stopping.stop().then(() => (stopped = true))
  await vi.advanceTimersByTimeAsync(10 * INTERVAL)
  expect(stopped).toBe(false)
  slow.open(answer(404, { detail: 'Not found.' }))
  await stop
  expect([read, told]).toEqual([['x'], []])
  await vi.advanceTimersByTimeAsync(10 * HOUR)
  expect([read.length, tidied]).toEqual([1, 1])
})
