import { createLogger } from '@release-task/http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { decide } from './decide.ts'
import type { Command, WorkerCommand } from './decision.ts'
import type { StageResult } from './define.ts'
import type { Executed } from './execute.ts'
import type { HeldLease, LeaseKeeper, Look } from './lease.ts'
import { ProgressSender } from './progress.ts'
import { aClaim, anAction, aRecord, at, NOW } from './record.fixture.ts'
import type { TaskRecord } from './record.ts'
import { latch, stopped } from './service.fixture.ts'
import { TaskWorker, type WorkerDependencies, type WorkObserver } from './worker.ts'

const ID = 'TA_00000001'
const OWNER = 'B'
const log = createLogger('worker', 'silent')

/** A store of one record, and a keeper that renews nothing: what the worker is handed, without SQL. */
class World {
  record: TaskRecord = aRecord('running', { lease: null })
  readonly said: WorkerCommand[] = []
  readonly held: HeldLease[] = []
  readonly dropped: HeldLease[] = []
  looked: Look = () => undefined
  readonly observations: string[] = []
  readonly observed: WorkObserver = {
    leaseLost: () => void this.observations.push('lease lost'),
    retried: (work) => void this.observations.push(`${work} retried`),
    ended: (work, outcome) => void this.observations.push(`${work} ${outcome}`),
  }
  /** Fails instead of storing, as often as it says. */
  failures = 0

  async execute(command: Command): Promise<Executed> {
    if (this.failures-- > 0) throw new Error('the database is away')
    const decision = decide(this.record, command, at(NOW))
    if (decision.kind === 'next') this.record = decision.next
    return { decision, record: this.record }
  }

  dependencies(changes: Partial<WorkerDependencies> = {}): WorkerDependencies {
    const keeper: LeaseKeeper = {
      hold: (lease, _forMs, look) => {
        this.held.push(lease)
        this.looked = look
      },
      drop: (lease) => void this.dropped.push(lease),
      close: async () => undefined,
    }
    return {
      owner: OWNER,
      attemptDeadlineMs: 60_000,
      freshForMs: 5000,
      abandonAfterMs: 10_000,
      keeper,
      load: async () => this.record,
      claim: () => this.execute(aClaim({ owner: OWNER })),
      say: async (_id, command) => {
        const executed = await this.execute(command)
        this.said.push(command)
        return executed
      },
      perform: async () => ({}),
      observe: this.observed,
      log,
      ...changes,
    }
  }
}

let world: World
beforeEach(() => {
  world = new World()
})

const types = () => world.said.map(({ type }) => type)

describe('one task', () => {
  test('is claimed, done, said and let go of', async () => {
    const seen: [number, string][] = []
    const perform: WorkerDependencies['perform'] = async (record, work) => {
      seen.push([record.attempt, work])
      return { staged: 'a' }
    }
    await new TaskWorker(world.dependencies({ perform })).handle(ID)
    expect(seen).toEqual([[2, 'stage']])
    expect(world.said).toEqual([{ type: 'succeeded', attempt: 2, result: { staged: 'a' } }])
    const lease = { id: ID, attempt: 2, owner: OWNER }
    expect([world.held, world.dropped]).toEqual([[lease], [lease]])
    expect(world.record).toMatchObject({ state: 'staged', staged: 'a', lease: null })
  })

  test('a claim that took long to be stored is made again before the work begins (WK-1)', async () => {
    vi.useFakeTimers()
    try {
      const attempts: number[] = []
      let isSlow = true
      const claim = async () => {
        const executed = await world.execute(aClaim({ owner: OWNER }))
        if (isSlow) vi.advanceTimersByTime(5001)
        isSlow = false
        return executed
      }
      const perform: WorkerDependencies['perform'] = async ({ attempt }) => {
        attempts.push(attempt)
        return {}
      }
      await new TaskWorker(world.dependencies({ claim, perform })).handle(ID)
      expect(attempts).toEqual([3])
      expect(world.record).toMatchObject({ state: 'staged', crashes: 0 })
    } finally {
      vi.useRealTimers()
    }
  })

  test('one that somebody else has taken meanwhile is left to it', async () => {
    vi.useFakeTimers()
    try {
      const claim = async () => {
        if (world.record.attempt > 1) return world.execute(aClaim({ owner: OWNER }))
        const executed = await world.execute(aClaim({ owner: OWNER }))
        vi.advanceTimersByTime(5001)
        world.record = {
          ...world.record,
          attempt: 3,
          lease: { owner: 'C', work: 'stage', expiresAt: NOW + 1 },
        }
        return executed
      }
      const perform = vi.fn<WorkerDependencies['perform']>()
      await new TaskWorker(world.dependencies({ claim, perform })).handle(ID)
      expect(perform).not.toHaveBeenCalled()
      expect(world.held).toEqual([])
    } finally {
      vi.useRealTimers()
    }
  })

  test('its last words go with its outcome', async () => {
    const perform = async () => ({ staged: 'a', lastMessage: 'all 3 files' })
    await new TaskWorker(world.dependencies({ perform })).handle(ID)
    expect(world.said).toEqual([
      { type: 'succeeded', attempt: 2, result: { staged: 'a' }, message: 'all 3 files' },
    ])
    expect(world.record).toMatchObject({ state: 'staged', message: 'all 3 files', staged: 'a' })
  })

  test.each([
    ['there is nothing to do', aRecord('staged')],
    ['somebody holds it', aRecord('running')],
    [
      'its tenth crash ends it',
      aRecord('running', { lease: { owner: 'A', work: 'stage', expiresAt: NOW }, crashes: 9 }),
    ],
  ])('is left alone where %s', async (_, record) => {
    world.record = record
    const perform = vi.fn()
    await new TaskWorker(world.dependencies({ perform })).handle(ID)
    expect(perform).not.toHaveBeenCalled()
    expect(world.held).toEqual([])
  })

  test('a claim that fails is left to the sweep', async () => {
    world.failures = 1
    const worker = new TaskWorker(world.dependencies())
    await worker.handle(ID)
    expect(world.said).toEqual([])
    await worker.handle(ID)
    expect(types()).toEqual(['succeeded'])
  })

  test.each([
    [new Error('no', { cause: new Error('why') }), 'no (why)'],
    ['text', 'thrown: text'],
    [undefined, 'thrown: undefined'],
    [Object.create(null), 'thrown: object'],
    [Symbol('s'), 'thrown: Symbol(s)'],
    [new Error(''), 'Error'],
    [new Error('x'.repeat(100_000)), 'x'.repeat(2000)],
  ])('whatever is thrown is kept as text: %s', async (thrown, message) => {
    // oxlint-disable-next-line typescript/only-throw-error -- authors may throw anything
    const perform = () => Promise.reject(thrown)
    await new TaskWorker(world.dependencies({ perform })).handle(ID)
    expect(world.record.lastError?.message).toBe(message)
    expect(world.record.lastError?.stack.length).toBeLessThanOrEqual(20_000)
    expect(world.said).toMatchObject([{ type: 'failed', permanent: false }])
  })

  test('its outcome is said again until it is stored: the work must not be done twice', async () => {
    vi.useFakeTimers()
    let runs = 0
    const perform = async () => {
      runs++
      world.failures = 4
      return {}
    }
    const handled = new TaskWorker(world.dependencies({ perform })).handle(ID)
    await vi.advanceTimersByTimeAsync(60_000)
    await handled
    expect([runs, types()]).toEqual([1, ['succeeded']])
    vi.useRealTimers()
  })
})

/** Work that runs until it is told to stop, and then does what the test says. */
function untilStopped(then: (reason: unknown) => StageResult | Promise<StageResult>) {
  const began = latch()
  const perform: WorkerDependencies['perform'] = async (_record, _work, signal) => {
    began.open()
    return then(await stopped(signal))
  }
  return { began, perform }
}

describe('work is told to stop', () => {
  test('by a cancel', async () => {
    const reasons: unknown[] = []
    const { began, perform } = untilStopped((reason) => {
      reasons.push(reason)
      return { staged: 'late' }
    })
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    await world.execute(anAction('cancel'))
    await worker.look(ID)
    await handled
    expect(reasons).toEqual(['canceled'])
    expect(world.record).toMatchObject({ state: 'canceled', staged: null, lease: null, work: 'discard' })
  })

  test('by a lease that could not be renewed for too long, without asking a database that does not answer', async () => {
    const { began, perform } = untilStopped((reason) => Promise.reject(new Error(String(reason))))
    const load = () => Promise.reject(new Error('away'))
    const worker = new TaskWorker(world.dependencies({ perform, load }))
    const handled = worker.handle(ID)
    await began.reached
    world.looked('unrenewed')
    await handled
    expect(world.said).toMatchObject([{ type: 'failed', error: { message: 'lease lost' } }])
    expect(world.observations).toContain('lease lost')
  })

  test('by a lost lease, which the keeper finds', async () => {
    const { began, perform } = untilStopped((reason) => Promise.reject(new Error(String(reason))))
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    world.record = { ...world.record, attempt: 3, lease: { owner: 'C', work: 'stage', expiresAt: NOW + 1 } }
    world.looked()
    await handled
    expect(world.said).toMatchObject([{ type: 'failed', attempt: 2, error: { message: 'lease lost' } }])
    expect(world.record).toMatchObject({ attempt: 3, failures: 0, lease: { owner: 'C' } })
  })

  test('a look at a task that does not run here, or still is its own, stops nothing', async () => {
    const { began, perform } = untilStopped(() => ({}))
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    await worker.look('TA_00000009')
    await worker.look(ID)
    expect(world.said).toEqual([])
    worker.shutDown()
    await handled
  })

  test('by a shutdown: an error then is a release, a success is a success', async () => {
    for (const [then, type] of [
      [() => Promise.reject(new Error('aborted')), 'released'],
      [() => ({}), 'succeeded'],
    ] as const) {
      world = new World()
      const { began, perform } = untilStopped(then)
      const worker = new TaskWorker(world.dependencies({ perform }))
      const handled = worker.handle(ID)
      await began.reached
      worker.shutDown()
      await handled
      expect(types()).toEqual([type])
      expect(world.record).toMatchObject({ failures: 0, crashes: 0 })
    }
  })

  test('a shutdown while it is claimed: the code does not begin, the lease is given back', async () => {
    const claimed = latch()
    const perform = vi.fn()
    const worker = new TaskWorker(
      world.dependencies({
        perform,
        claim: async () => {
          await claimed.reached
          return world.execute(aClaim({ owner: OWNER }))
        },
      }),
    )
    const handled = worker.handle(ID)
    worker.shutDown()
    claimed.open()
    await handled
    expect(perform).not.toHaveBeenCalled()
    expect(types()).toEqual(['released'])
    await worker.handle(ID)
    expect(world.record).toMatchObject({ lease: null, attempt: 2 })
  })

  test('what does not stop in time is given back; what it says afterwards is refused', async () => {
    const began = latch()
    const end = latch<StageResult>()
    const perform = () => {
      began.open()
      return end.reached
    }
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    worker.shutDown()
    await worker.giveBack()
    expect(world.record).toMatchObject({ lease: null, state: 'running', crashes: 0 })
    end.open({ staged: 'late' })
    await handled
    expect(world.record).toMatchObject({ state: 'running', staged: null })
  })

  test('a finished work is stored after all, however often the database fails before it is given back', async () => {
    const { began, perform } = untilStopped(() => ({ staged: 'whole' }))
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    world.failures = 6
    worker.shutDown()
    await handled
    expect(types()).toEqual(['succeeded'])
    expect(world.record).toMatchObject({ state: 'staged', staged: 'whole' })
  })

  test('what could not be stored until then is stored by giving back, and not done again', async () => {
    const { began, perform } = untilStopped(() => ({ staged: 'whole' }))
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    world.failures = 1
    worker.shutDown()
    await vi.waitFor(() => expect(world.failures).toBeLessThan(1))
    await worker.giveBack()
    expect(world.record).toMatchObject({ state: 'staged', staged: 'whole' })
    await handled
  })

  test('giving back does not fail with the database', async () => {
    const { began, perform } = untilStopped(() => ({}))
    const worker = new TaskWorker(world.dependencies({ perform }))
    const handled = worker.handle(ID)
    await began.reached
    world.failures = 1
    await worker.giveBack()
    worker.shutDown()
    await handled
  })
})

describe('the deadline of an attempt (WK-1)', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('work that heeds its signal fails with the deadline as its reason', async () => {
    const { perform } = untilStopped((reason) => Promise.reject(new Error(String(reason))))
    const handled = new TaskWorker(world.dependencies({ perform })).handle(ID)
    await vi.advanceTimersByTimeAsync(60_000)
    await handled
    expect(world.record).toMatchObject({ failures: 1, lease: null, state: 'running' })
    expect(world.record.lastError?.message).toBe('the attempt took longer than ATTEMPT_DEADLINE')
  })

  test('work that does not is left alone after a while, so that the next attempt can begin; its end is nobody’s', async () => {
    const end = latch<StageResult>()
    const handled = new TaskWorker(world.dependencies({ perform: () => end.reached })).handle(ID)
    await vi.advanceTimersByTimeAsync(69_999)
    expect(world.said).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await handled
    expect(world.said).toMatchObject([{ type: 'failed', attempt: 2 }])
    end.open({ staged: 'late' })
    await vi.advanceTimersByTimeAsync(1)
    expect(world.said).toHaveLength(1)
    expect(world.record.staged).toBeNull()
  })

  test('a deadline beyond what a timer can hold does not pass at once', async () => {
    const { began, perform } = untilStopped(() => ({}))
    const worker = new TaskWorker(world.dependencies({ perform, attemptDeadlineMs: 365 * 24 * 3_600_000 }))
    const handled = worker.handle(ID)
    await began.reached
    await vi.advanceTimersByTimeAsync(24 * 3_600_000)
    expect(world.said).toEqual([])
    worker.shutDown()
    await handled
  })
})

describe('progress', () => {
  const INTERVAL = 500
  let stored: [number, string | null][]
  let store: (percent: number, message: string | null) => Promise<boolean>
  let sender: ProgressSender

  beforeEach(() => {
    vi.useFakeTimers()
    stored = []
    store = async () => true
    sender = new ProgressSender((percent, message) => {
      stored.push([percent, message])
      return store(percent, message)
    }, INTERVAL)
  })
  afterEach(() => void vi.useRealTimers())

  const pass = (ms = INTERVAL) => vi.advanceTimersByTimeAsync(ms)

  test('is stored once per interval, the newest, with the last text of the interval', async () => {
    sender.set(1, 'a')
    sender.set(2, 'b')
    sender.set(3, null)
    await pass(INTERVAL - 1)
    expect(stored).toEqual([])
    await pass(1)
    sender.set(4, null)
    await pass()
    await pass()
    expect(stored).toEqual([
      [3, 'b'],
      [4, null],
    ])
  })

  test('never runs beside itself, and nothing comes after the end', async () => {
    const slow = latch<boolean>()
    store = () => slow.reached
    sender.set(1, null)
    await pass()
    sender.set(2, null)
    await pass(10 * INTERVAL)
    expect(stored).toHaveLength(1)
    let ended = false
    const ending = sender.end().then(() => (ended = true))
    await pass()
    expect(ended).toBe(false)
    slow.open(true)
    await ending
    sender.set(3, null)
    await pass(10 * INTERVAL)
    expect(stored).toEqual([[1, null]])
  })

  test('the end gives back the last words that were not stored, once', async () => {
    sender.set(1, 'a')
    await pass()
    expect(await sender.end()).toBeNull()
    const other = new ProgressSender(async () => true, INTERVAL)
    other.set(1, 'a')
    other.set(2, 'b')
    expect(await other.end()).toBe('b')
  })

  test('what came while it was being stored is stored next', async () => {
    const slow = latch<boolean>()
    store = () => slow.reached
    sender.set(1, null)
    await pass()
    sender.set(2, 'b')
    slow.open(true)
    await pass()
    expect(stored.at(-1)).toEqual([2, 'b'])
  })

  test('an error is followed by the next; a refusal by silence (WK-2)', async () => {
    store = () => Promise.reject(new Error('busy'))
    sender.set(1, null)
    await pass()
    store = async () => false
    sender.set(2, null)
    await pass()
    sender.set(3, null)
    await pass(10 * INTERVAL)
    expect(stored.map(([percent]) => percent)).toEqual([1, 2])
  })
})
