import { DatabaseSync } from 'node:sqlite'
import { openConnection } from '@release-task/database'
import { createLogger } from '@release-task/http'
import { memoryQueue } from '@release-task/queue'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createExecute } from './execute.ts'
import { ThreadLeaseKeeper } from './lease-keeper.ts'
import { TimerLeaseKeeper, type HeldLease, type Renewed } from './lease.ts'
import { anAction, POLICY } from './record.fixture.ts'
import { eventually, latch, startFixture, stopped, TASK, type Fixture } from './service.fixture.ts'
import { TaskStore } from './store.ts'

const lease = (number: number): HeldLease => ({ id: `TA_0000000${number}`, attempt: number, owner: 'A' })

describe('TimerLeaseKeeper', () => {
  const INTERVAL = 1000
  let rounds: string[][]
  let outcome: (leases: readonly HeldLease[]) => Promise<Renewed>
  let keeper: TimerLeaseKeeper

  beforeEach(() => {
    vi.useFakeTimers()
    rounds = []
    outcome = async () => ({ lost: [], changed: [] })
    keeper = new TimerLeaseKeeper((leases) => {
      rounds.push(leases.map(({ id }) => id.slice(-1)))
      return outcome(leases)
    }, INTERVAL)
  })
  afterEach(async () => {
    await keeper.close()
    vi.useRealTimers()
  })

  const pass = (intervals: number) => vi.advanceTimersByTimeAsync(INTERVAL * intervals)

  test('renews all that it holds, until they are dropped; nothing held is no round', async () => {
    await pass(3)
    keeper.hold(lease(1), 60_000, () => undefined)
    keeper.hold(lease(2), 60_000, () => undefined)
    await pass(1)
    keeper.drop(lease(1))
    keeper.drop(lease(3))
    await pass(1)
    keeper.drop(lease(2))
    await pass(5)
    expect(rounds).toEqual([['1', '2'], ['2']])
  })

  test('no longer than the time that was given: a hung task is not kept for ever (WK-1)', async () => {
    keeper.hold(lease(1), 2500, () => undefined)
    await pass(10)
    expect(rounds).toEqual([['1'], ['1']])
  })

  test('a lost lease is told once and not renewed again; a changed one is told and kept', async () => {
    const looks: string[] = []
    keeper.hold(lease(1), 60_000, () => looks.push('1'))
    keeper.hold(lease(2), 60_000, () => looks.push('2'))
    outcome = async (leases) => ({ lost: leases.filter(({ attempt }) => attempt === 1), changed: [lease(2)] })
    await pass(2)
    expect(looks).toEqual(['2', '1', '2'].toSorted())
    expect(rounds).toEqual([['1', '2'], ['2']])
  })

  test('the next attempt of the same task is another lease', async () => {
    keeper.hold(lease(1), 60_000, () => undefined)
    keeper.hold({ ...lease(1), attempt: 2 }, 60_000, () => undefined)
    keeper.drop(lease(1))
    await pass(1)
    expect(rounds).toEqual([['1']])
  })

  test('a round that fails is followed by the next', async () => {
    keeper.hold(lease(1), 60_000, () => undefined)
    outcome = () => Promise.reject(new Error('busy'))
    await pass(1)
    outcome = async () => ({ lost: [], changed: [] })
    await pass(1)
    expect(rounds).toHaveLength(2)
  })

  test('whoever cannot renew for so long is told once, also while a round hangs, and by no answer of the database', async () => {
    const told: (string | undefined)[] = []
    const patient = new TimerLeaseKeeper(() => outcome([]), INTERVAL, 3000)
    const hanging = latch<Renewed>()
    patient.hold(lease(1), 60_000, (why) => told.push(why))
    await pass(5)
    expect(told).toEqual([])
    outcome = () => hanging.reached
    await pass(3)
    expect(told).toEqual([])
    await pass(2)
    expect(told).toEqual(['unrenewed'])
    hanging.open({ lost: [], changed: [] })
    await pass(5)
    expect(told).toEqual(['unrenewed'])
    await patient.close()
  })

  test('rounds that fail use up the same patience, one that succeeds gives all of it back', async () => {
    const told: (string | undefined)[] = []
    const patient = new TimerLeaseKeeper(() => outcome([]), INTERVAL, 3000)
    patient.hold(lease(1), 60_000, (why) => told.push(why))
    const good = outcome
    outcome = () => Promise.reject(new Error('away'))
    await pass(2)
    outcome = good
    await pass(1)
    outcome = () => Promise.reject(new Error('away'))
    await pass(3)
    expect(told).toEqual([])
    await pass(1)
    expect(told).toEqual(['unrenewed'])
    await patient.close()
  })

  test('rounds never overlap, and none is made up for; close waits for the last', async () => {
    const slow = latch<Renewed>()
    outcome = () => slow.reached
    keeper.hold(lease(1), 60_000, () => undefined)
    await pass(5)
    expect(rounds).toHaveLength(1)
    let closed = false
    const closing = keeper.close().then(() => (closed = true))
    await pass(1)
    expect(closed).toBe(false)
    slow.open({ lost: [], changed: [] })
    await closing
    await pass(5)
    expect(rounds).toHaveLength(1)
  })
})

describe('ThreadLeaseKeeper, in a whole service', () => {
  let fixture: Fixture
  afterEach(() => fixture.close())

  const path = () => fixture.url.slice('sqlite:'.length)

  /** A look at the lease that needs no turn of the event loop. */
  function expiryReader(connection: DatabaseSync): () => number {
    const query = connection.prepare('SELECT lease_expires_at AS at FROM tasks WHERE id = ?')
    return () => Number(query.get(TASK)?.['at'])
  }

  test('a main thread that is busy for longer than the lease does not lose it', async () => {
    const least = latch<number>()
    const stage = async () => {
      const connection = new DatabaseSync(path(), { readOnly: true })
      const expiry = expiryReader(connection)
      const first = expiry()
      await eventually(() => expiry() > first)
      let left = Number.POSITIVE_INFINITY
      for (const end = Date.now() + 2500; Date.now() < end;) left = Math.min(left, expiry() - Date.now())
      connection.close()
      least.open(left)
    }
    fixture = await startFixture({ task: { stage }, env: { LEASE: '1s' } })
    fixture.coordinator.shown.set(TASK, 'running')
    await fixture.act('initialize', { studies: [] })
    await fixture.act('start')
    expect(await least.reached).toBeGreaterThan(0)
    await fixture.coordinator.until(() => fixture.coordinator.states().includes('staged'))
    expect(await fixture.eventTypes()).toEqual(['initialized', 'running', 'stage_started', 'staged'])
    expect(await fixture.task()).toMatchObject({ attempt: 1, crashes: 0 })
  })

  /** A stage that runs until it is told to stop, and says why. */
  async function startedStage(env: Record<string, string>) {
    const started = latch()
    const reason = latch<unknown>()
    const stage = async (task: { signal: AbortSignal }) => {
      started.open()
      reason.open(await stopped(task.signal))
    }
    fixture = await startFixture({ task: { stage }, env })
    fixture.coordinator.shown.set(TASK, 'running')
    await fixture.act('initialize', { studies: [] })
    await fixture.act('start')
    await started.reached
    return reason
  }

  test('a lease that was taken over aborts the signal', async () => {
    const reason = await startedStage({ LEASE: '600ms' })
    const connection = new DatabaseSync(path())
    connection.exec(`UPDATE tasks SET attempt = 2, lease_owner = 'other', revision = revision + 1`)
    connection.close()
    expect(await reason.reached).toBe('lease lost')
  })

  test('a cancel is seen through the renewal alone, without a message (WK-15)', async () => {
    const reason = await startedStage({ LEASE: '600ms' })
    const database = await openConnection(fixture.url)
    const elsewhere = createExecute({
      recent: null,
      store: new TaskStore(database),
      queue: memoryQueue(),
      policy: POLICY,
      random: Math.random,
      reportsChanged: () => undefined,
      refusedLate: () => undefined,
      log: createLogger('elsewhere', 'silent'),
    })
    await elsewhere(TASK, anAction('cancel'))
    await database.close()
    expect(await reason.reached).toBe('canceled')
  })
})

test('a renewal thread that ends is followed by another, and whoever holds a lease looks at it', async () => {
  const failures: unknown[] = []
  // Such an address ends every thread at its start.
  const keeper = new ThreadLeaseKeeper({ url: 'nothing:at-all', leaseMs: 1000, graceMs: 60_000 }, (error) =>
    failures.push(error),
  )
  const looked = latch()
  keeper.hold(lease(1), 60_000, () => looked.open())
  await looked.reached
  await vi.waitFor(() => expect(failures.length).toBeGreaterThan(1), 10_000)
  keeper.drop(lease(1))
  await keeper.close()
})
