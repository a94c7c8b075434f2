import { setTimeout as sleep } from 'node:timers/promises'
import { absent } from '@release-task/test-servers'
import { afterEach, describe, expect, test } from 'vitest'
import { Fleet, overlaps, type Effect, type FleetOptions } from './fleet.fixture.ts'
import { call, until } from './processes.fixture.ts'

const MANY = 200
const QUICK = { LEASE: '2s', SWEEP_INTERVAL: '500ms' }

let fleet: Fleet
afterEach(() => fleet.end())

function aFleet(options: FleetOptions = {}): Fleet {
  return (fleet = new Fleet({ ...options, env: { ...QUICK, ...options.env } }))
}

/** One whose stages do not end before the gate is opened. */
const gated = (options: FleetOptions = {}) =>
  aFleet({ ...options, env: { STAGE_GATE: 'gate', ...options.env } })

const is = (state: string) => (seen: { state: string }) => seen.state === state
const become = (id: string, state: string) => until(() => fleet.release(id), is(state), 60_000, 20)
const effect = (wanted: (effect: Effect) => boolean, forMs = 60_000) =>
  until(
    async () => fleet.effects().find(wanted),
    (found) => found !== undefined,
    forMs,
  ).then((found) => found!)
const begun = (work: string, attempt = 1) =>
  effect((one) => one.edge === 'begin' && one.work === work && one.attempt === attempt)

async function taskOf(id: string): Promise<any> {
  const { body } = await call('GET', `${fleet.url}/tasks?release_id=${id}`)
  return body.results[0]
}
const eventsOf = async (taskId: string): Promise<any[]> =>
  (await call('GET', `${fleet.url}/tasks/${taskId}/events`)).body.results

const lateReport = (taskId: string) =>
  until(
    () => eventsOf(taskId),
    (events) => events.some((event) => event.type === 'late_report'),
  )

/** By the worker itself: a dead one's work would be taken over just as fast, but as a crash. */
async function expectGivenBack(id: string): Promise<void> {
  const types = (await eventsOf((await taskOf(id)).task_id)).map((event) => event.type)
  expect(types).toContain('work_released')
  expect(types).not.toContain('worker_lost')
}

async function publishAndEnd(id: string): Promise<void> {
  await become(id, 'staged')
  expect((await fleet.publish(id)).code).toBe(200)
  await become(id, 'published')
}

describe.skipIf(absent('postgresql') || absent('redis'))('with Redis and PostgreSQL', () => {
  test(`two APIs, three workers: ${MANY} releases at once are published, and no work is done twice or beside itself`, async () => {
    // Two cores and nine processes: a lease of two seconds would run out by itself.
    await aFleet({ env: { LEASE: '15s' } }).start({ coordinators: 2, apis: 2, workers: 3 })
    const count = (state: string) => async () =>
      (await call('GET', `${fleet.coordinator}/releases?state=${state}&limit=1`)).body.count as number
    const all = (seen: number) => seen === MANY
    const ids = await Promise.all(Array.from({ length: MANY }, () => fleet.issue()))
    await until(count('staged'), all, 180_000, 200)
    const answers = await Promise.all(ids.map((id) => fleet.publish(id)))
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]))
    await until(count('published'), all, 180_000, 200)

    const effects = fleet.effects()
    expect(overlaps(effects)).toEqual([])
    for (const work of ['stage', 'publish']) {
      const done = effects.filter((one) => one.work === work && one.edge === 'end')
      expect(new Set(done.map((one) => one.task)).size).toBe(MANY)
      expect(done).toHaveLength(MANY)
    }
    expect(new Set(effects.map((one) => one.pid)).size).toBe(3)
    const { body } = await call('GET', `${fleet.coordinator}/releases?limit=1000`)
    expect(new Set(body.results.map((release: { version: string }) => release.version)).size).toBe(MANY)
  }, 400_000)

  test('a queue that forgets everything loses no work', async () => {
    await gated().start({ workers: 0 })
    const id = await fleet.issue()
    await until(() => taskOf(id), is('running'))
    await fleet.redis!.flush()
    await fleet.startWorker()
    await begun('stage')
    await fleet.redis!.flush()
    fleet.openGate()
    await become(id, 'staged')
    await fleet.publish(id)
    await fleet.redis!.flush()
    await become(id, 'published')
    expect(overlaps(fleet.effects())).toEqual([])
  })

  test('while Redis is away actions are taken and work is done; afterwards all is as before', async () => {
    await aFleet().start({ apis: 1, workers: 2 })
    const health = async () => call('GET', `${fleet.url}/readyz`)
    await fleet.redis!.kill()
    await until(health, ({ body }) => body.status === 'degraded')
    expect((await health()).code).toBe(200)
    const id = await fleet.issue()
    await become(id, 'staged')
    await fleet.redis!.start()
    await until(health, ({ body }) => body.status === 'ok')
    await publishAndEnd(id)
    expect(overlaps(fleet.effects())).toEqual([])
  })

  test('while PostgreSQL is away actions are answered 503; afterwards the release goes on', async () => {
    await gated().start({ workers: 2 })
    const id = await fleet.issue()
    await begun('stage')
    const { task_id } = await taskOf(id)
    await fleet.postgres!.end('fast')
    const action = { action: 'cancel', task_id, release_id: id }
    const refused = await call('POST', `${fleet.url}/tasks`, action)
    expect(refused).toMatchObject({ code: 503, body: { code: 'STORE_UNAVAILABLE' } })
    expect((await fleet.publish(id)).code).toBe(503)
    expect((await call('GET', `${fleet.url}/readyz`)).code).toBe(503)
    expect((await call('GET', `${fleet.coordinator}/readyz`)).code).toBe(503)
    // Long enough for every lease to run out, and for the stage to end while nothing can be stored.
    fleet.openGate()
    await sleep(2500)
    await fleet.postgres!.start()
    await publishAndEnd(id)
    const ends = fleet.effects().filter((one) => one.edge === 'end' && one.work === 'publish')
    expect(ends).toHaveLength(1)
  })

  test('kill -9 of the worker that stages: another one takes over', async () => {
    await gated().start({ workers: 2 })
    const id = await fleet.issue()
    const { pid } = await begun('stage')
    await fleet.workerOf(pid).kill('SIGKILL')
    const second = await begun('stage', 2)
    expect(second.pid).not.toBe(pid)
    fleet.openGate()
    await publishAndEnd(id)
    expect(await taskOf(id)).toMatchObject({ summary: { attempt: 2 } })
  })

  test('kill -STOP for longer than the lease, then -CONT: the late report is refused and kept as an event', async () => {
    await gated({ env: { OBEYS: 'no' } }).start({ workers: 2 })
    const id = await fleet.issue()
    const { pid, task } = await begun('stage')
    fleet.workerOf(pid).process.kill('SIGSTOP')
    const second = await begun('stage', 2)
    expect(second.pid).not.toBe(pid)
    fleet.openGate()
    await become(id, 'staged')
    fleet.workerOf(pid).process.kill('SIGCONT')
    await lateReport(task)
    expect(await taskOf(id)).toMatchObject({ state: 'staged', attempt: 2, summary: { attempt: 2 } })
    await publishAndEnd(id)
    expect(fleet.effects().filter((one) => one.work === 'publish' && one.edge === 'end')).toHaveLength(1)
  })

  test('the same while the other one still works: its attempt is the one that counts', async () => {
    await gated({ env: { OBEYS: 'no' } }).start({ workers: 2 })
    const id = await fleet.issue()
    const { pid, task } = await begun('stage')
    fleet.workerOf(pid).process.kill('SIGSTOP')
    const second = await begun('stage', 2)
    fleet.workerOf(second.pid).process.kill('SIGSTOP')
    fleet.openGate()
    fleet.workerOf(pid).process.kill('SIGCONT')
    await lateReport(task)
    expect(await taskOf(id)).toMatchObject({ state: 'running', attempt: 2, summary: null })
    fleet.workerOf(second.pid).process.kill('SIGCONT')
    await publishAndEnd(id)
    expect((await taskOf(id)).attempt).toBeGreaterThan(2)
  })

  test('a stage that takes longer than its lease keeps it, beside a worker that has nothing to do', async () => {
    await gated().start({ workers: 2 })
    const id = await fleet.issue()
    await begun('stage')
    // Three leases: without renewals the other one would have begun long ago.
    await sleep(6000)
    fleet.openGate()
    await publishAndEnd(id)
    const stages = fleet.effects().filter((one) => one.work === 'stage' && one.edge === 'begin')
    expect(stages).toHaveLength(1)
  })

  test('a cancel reaches the running stage in another process, and the record tells every step', async () => {
    // Leases so long that only the message can be what stops it.
    await gated({ env: { LEASE: '10m' } }).start({ apis: 2, workers: 2 })
    const id = await fleet.issue()
    await begun('stage')
    await call('DELETE', `${fleet.coordinator}/releases/${id}`)
    // Meant is one second; machines that test have other things to do.
    await effect((one) => one.edge === 'stopped' && one.work === 'canceled', 5000)
    const task = await until(
      () => taskOf(id),
      (seen) => seen.cleanup === 'done',
    )
    expect(task.state).toBe('canceled')
    const times = [task.cancel_requested_at, task.cancel_acknowledged_at, task.cleanup_ended_at]
    expect(times.toSorted()).toEqual(times)
    expect(times.every((time) => time !== null)).toBe(true)
  })

  test('SIGTERM of the worker that stages: it gives the work back, ends with 0, and another goes on', async () => {
    await gated({ env: { LEASE: '10m' } }).start({ workers: 2 })
    const id = await fleet.issue()
    const { pid } = await begun('stage')
    const worker = fleet.workerOf(pid)
    await worker.kill('SIGTERM')
    expect(worker.process.exitCode).toBe(0)
    const second = await begun('stage', 2)
    expect(second.pid).not.toBe(pid)
    fleet.openGate()
    await publishAndEnd(id)
    await expectGivenBack(id)
  })

  test('SIGTERM of a worker whose stage does not stop: after the grace time the lease is given back', async () => {
    const env = { LEASE: '10m', OBEYS: 'no', SHUTDOWN_GRACE: '500ms' }
    await gated({ env }).start({ workers: 2 })
    const id = await fleet.issue()
    const { pid } = await begun('stage')
    const worker = fleet.workerOf(pid)
    await worker.kill('SIGTERM')
    expect(worker.process.exitCode).toBe(0)
    await begun('stage', 2)
    fleet.openGate()
    await publishAndEnd(id)
    await expectGivenBack(id)
  })

  test('kill -9 of a coordinator in the middle: the other one ends what it had begun', async () => {
    await gated().start({ coordinators: 2, workers: 1 })
    const ids = await Promise.all([1, 2, 3, 4].map(() => fleet.issue()))
    await begun('stage')
    await fleet.coordinators[0]!.kill('SIGKILL')
    fleet.openGate()
    for (const id of ids) await publishAndEnd(id)
    expect(overlaps(fleet.effects())).toEqual([])
  })

  test('a process that works alone is refused beside the others, and the other way round', async () => {
    await aFleet().start({ workers: 1 })
    await expect(fleet.serve('all')).rejects.toThrow(
      /Process \d+ \(role (api|worker)\) already works on this database/,
    )
    for (const side of [...fleet.apis, ...fleet.workers]) await side.kill('SIGTERM')
    await fleet.serve('all')
    await expect(fleet.serve('worker')).rejects.toThrow(
      /Process \d+ \(role all\) already works on this database/,
    )
  })
})

describe('one SQLite file for all processes of the service', () => {
  test('without a queue: work is found by sweeps, a cancel by the renewal of the lease', async () => {
    await gated({ database: 'sqlite', redis: false }).start({ apis: 2, workers: 2 })
    const first = await fleet.issue()
    await begun('stage')
    await call('DELETE', `${fleet.coordinator}/releases/${first}`)
    await effect((one) => one.edge === 'stopped' && one.work === 'canceled')
    await become(first, 'canceled')
    fleet.openGate()
    const ids = await Promise.all(Array.from({ length: 10 }, () => fleet.issue()))
    for (const id of ids) await publishAndEnd(id)
    expect(overlaps(fleet.effects())).toEqual([])
  })

  test.skipIf(absent('redis'))('with a queue: no sweep is waited for', async () => {
    const env = { SWEEP_INTERVAL: '10m', LEASE: '10m' }
    await aFleet({ database: 'sqlite', env }).start({ apis: 1, workers: 2 })
    const ids = await Promise.all(Array.from({ length: 10 }, () => fleet.issue()))
    for (const id of ids) await publishAndEnd(id)
    expect(overlaps(fleet.effects())).toEqual([])
  })
})
