import { randomUUID } from 'node:crypto'
import { absent, startRedis, type RedisServer } from '@release-task/test-servers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Calls, gate } from './calls.fixture.ts'
import { openQueue } from './open.ts'
import { queueContract } from './queue.contract.ts'
import type { Queue } from './queue.ts'

/** One of several processes that share a queue, with what it was told of its health. */
async function open(redis: RedisServer, name: string): Promise<Queue & { readonly told: Calls }> {
  const told = new Calls()
  const queue = await openQueue({ url: redis.url, name, changed: (health) => told.add(health) })
  onTestFinished(() => queue.close())
  return Object.assign(queue, { told })
}

/** A Redis of one test that ends it. */
async function ownRedis(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

function counted(queue: Queue, concurrency = 1): Calls {
  const calls = new Calls()
  queue.consume(async (id) => calls.add(id), concurrency)
  return calls
}

function heard(queue: Queue): Calls {
  const calls = new Calls()
  queue.subscribe((id) => calls.add(id))
  return calls
}

describe.skipIf(absent('redis'))('a queue over Redis', () => {
  let shared: RedisServer

  beforeAll(async () => {
    shared = await startRedis()
  })
  afterAll(() => shared.stop())

  queueContract('over Redis', () => openQueue({ url: shared.url, name: `queue-${randomUUID()}` }))

  test('two processes: a wake-up goes to exactly one', async () => {
    const name = randomUUID()
    const [one, two] = [await open(shared, name), await open(shared, name)]
    const all = new Calls()
    for (const queue of [one, two]) queue.consume(async (id) => all.add(id), 2)
    const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`)
    for (const id of ids) one.wake(id)
    await all.reached(ids.length)
    await Promise.all([one.close(), two.close()])
    expect(all.ids.toSorted()).toEqual(ids.toSorted())
  })

  test('two processes: what one cannot take is taken by the other', async () => {
    const name = randomUUID()
    const [one, two] = [await open(shared, name), await open(shared, name)]
    const hold = gate()
    const [first, second] = [new Calls(), new Calls()]
    one.consume(async (id) => {
      first.add(id)
      await hold.opened
    }, 1)
    one.offer('found by a sweep')
    await first.reached(1)
    // The first process has no place free, and takes this because nobody else is there yet.
    one.wake('woken')
    await stored(shared, `${name}:active`, 1)
    two.consume(async (id) => second.add(id), 1)
    await second.reached(1)
    hold.open()
    await one.close()
    expect([first.ids, second.ids]).toEqual([['found by a sweep'], ['woken']])
  })

  test('two processes: what one took and did not begin before its end is handled by the other', async () => {
    const name = randomUUID()
    const [one, two] = [await open(shared, name), await open(shared, name)]
    const hold = gate()
    const first = new Calls()
    one.consume(async (id) => {
      first.add(id)
      await hold.opened
    }, 2)
    one.wake('a')
    one.offer('b')
    await first.reached(2)
    one.wake('c')
    const closing = one.close()
    hold.open()
    await closing
    const second = counted(two)
    await second.reached(1)
    expect([first.ids.toSorted(), second.ids]).toEqual([['a', 'b'], ['c']])
  })

  test('two processes: notify reaches both, each once', async () => {
    const name = randomUUID()
    const [one, two] = [await open(shared, name), await open(shared, name)]
    const [first, second] = [heard(one), heard(two)]
    one.notify('a')
    two.notify('b')
    await Promise.all([first.reached(2), second.reached(2)])
    one.notify('end')
    await Promise.all([first.reached(3), second.reached(3)])
    expect(first.ids.toSorted()).toEqual(['a', 'b', 'end'])
    expect(second.ids.toSorted()).toEqual(['a', 'b', 'end'])
  })

  test('queues with other names hear and take nothing of it', async () => {
    const [one, other] = [await open(shared, randomUUID()), await open(shared, randomUUID())]
    const [took, heardThere, handled] = [counted(other), heard(other), counted(one)]
    one.notify('a')
    one.wake('a')
    await handled.reached(1)
    other.notify('own')
    other.wake('own')
    await Promise.all([took.reached(1), heardThere.reached(1)])
    expect([took.ids, heardThere.ids]).toEqual([['own'], ['own']])
  })

  test('nothing is left in Redis of what has been handled', async () => {
    const redis = await ownRedis()
    const queue = await open(redis, 'tidy')
    const calls = new Calls()
    queue.consume(async (id) => {
      calls.add(id)
      if (id === 'bad') throw new Error('handler failed')
    }, 1)
    for (const id of ['good', 'bad', 'good']) queue.wake(id)
    await calls.reached(3)
    await queue.close()
    const { Redis } = await import('ioredis')
    const look = new Redis(redis.url)
    const keys = await look.keys('*')
    look.disconnect()
    expect(keys.filter((key) => !/:(id|events|meta|marker|stalled-check)$/.test(key))).toEqual([])
  })

  test('FLUSHALL loses a wake-up silently, also one that is being handled; a later one works', async () => {
    const redis = await ownRedis()
    const queue = await open(redis, 'flushed')
    const calls = new Calls()
    const hold = gate()
    queue.consume(async (id) => {
      calls.add(id)
      await hold.opened
    }, 1)
    queue.wake('handled')
    await calls.reached(1)
    queue.wake('lost')
    await stored(redis, 'flushed:wait', 1)
    await redis.flush()
    hold.open()
    queue.wake('later')
    await calls.reached(2)
    expect(calls.ids).toEqual(['handled', 'later'])
    expect(queue.told.ids).toEqual([])
  })

  test('Redis is killed and started again, empty: everything resumes without help, and is told once', async () => {
    const redis = await ownRedis()
    const [one, two] = [await open(redis, 'restarted'), await open(redis, 'restarted')]
    const [calls, messages] = [counted(two), heard(two)]
    one.wake('before')
    await calls.reached(1)
    await redis.kill()
    await Promise.all([one.told.reached(1), two.told.reached(1)])
    expect([one.health(), two.health()]).toEqual(['degraded', 'degraded'])
    await redis.start()
    await Promise.all([one.told.reached(2), two.told.reached(2)])
    expect([one.health(), two.health()]).toEqual(['ok', 'ok'])
    one.wake('after')
    one.notify('after')
    await Promise.all([calls.reached(2), messages.reached(1)])
    expect([calls.ids, messages.ids]).toEqual([['before', 'after'], ['after']])
    expect([one.told.ids, two.told.ids]).toEqual([
      ['degraded', 'ok'],
      ['degraded', 'ok'],
    ])
  })

  test('a handler that runs while Redis goes and comes back ends as usual', async () => {
    const redis = await ownRedis()
    const queue = await open(redis, 'long')
    const calls = new Calls()
    const hold = gate()
    queue.consume(async (id) => {
      calls.add(id)
      await hold.opened
    }, 1)
    queue.wake('long')
    await calls.reached(1)
    await redis.kill()
    await queue.told.reached(1)
    hold.open()
    queue.offer('meanwhile')
    await calls.reached(2)
    await redis.start()
    await queue.told.reached(2)
    queue.wake('after')
    await calls.reached(3)
    expect(calls.ids).toEqual(['long', 'meanwhile', 'after'])
  })

  test('a Redis that stands still is degraded, and ok when it goes on', async () => {
    const redis = await ownRedis()
    const queue = await open(redis, 'frozen')
    const calls = counted(queue)
    const messages = heard(queue)
    process.kill(redis.pid, 'SIGSTOP')
    try {
      await queue.told.reached(1)
      expect(queue.health()).toBe('degraded')
    } finally {
      process.kill(redis.pid, 'SIGCONT')
    }
    await queue.told.reached(2)
    queue.wake('after')
    queue.notify('after')
    await Promise.all([calls.reached(1), messages.reached(1)])
    expect(queue.told.ids).toEqual(['degraded', 'ok'])
  })

  test('wake-ups and notifications while Redis is away are dropped, not kept', async () => {
    const redis = await ownRedis()
    const [one, two] = [await open(redis, 'dropping'), await open(redis, 'dropping')]
    const [calls, messages] = [counted(one, 4), heard(two)]
    const many = (from: string) => {
      for (let index = 0; index < 10_000; index++) one.wake(`${from}-${index}`)
      one.wake(from, 1)
      one.notify(from)
    }
    await redis.kill()
    many('not known yet')
    await Promise.all([one.told.reached(1), two.told.reached(1)])
    many('known')
    await redis.start()
    await Promise.all([one.told.reached(2), two.told.reached(2)])
    one.wake('after')
    one.notify('after')
    await Promise.all([calls.reached(1), messages.reached(1)])
    await one.close()
    expect([calls.ids, messages.ids]).toEqual([['after'], ['after']])
  })

  test('opens with Redis away, works by offers, and resumes by itself when Redis comes', async () => {
    const redis = await ownRedis()
    await redis.kill()
    const queue = await open(redis, 'early')
    expect([queue.health(), queue.told.ids]).toEqual(['degraded', ['degraded']])
    const [calls, messages] = [counted(queue), heard(queue)]
    queue.wake('dropped')
    queue.offer('found')
    queue.notify('here')
    await Promise.all([calls.reached(1), messages.reached(1)])
    await redis.start()
    await queue.told.reached(2)
    queue.wake('after')
    await calls.reached(2)
    expect([calls.ids, messages.ids]).toEqual([['found', 'after'], ['here']])
  })

  const goneBefore = {
    opening: async (redis: RedisServer) => {
      await redis.kill()
      return open(redis, 'closing')
    },
    closing: async (redis: RedisServer) => {
      const queue = await open(redis, 'closing')
      counted(queue)
      await redis.kill()
      return queue
    },
  }
  test.each(['opening', 'closing'] as const)(
    'with a Redis that went before %s, close ends',
    async (moment) => {
      const queue = await goneBefore[moment](await ownRedis())
      const begun = performance.now()
      await queue.close()
      expect(performance.now() - begun).toBeLessThan(3000)
    },
  )

  test('with a Redis that stands still, close ends', async () => {
    const redis = await ownRedis()
    const queue = await open(redis, 'closing')
    counted(queue)
    process.kill(redis.pid, 'SIGSTOP')
    const begun = performance.now()
    await queue.close()
    expect(performance.now() - begun).toBeLessThan(3000)
  })

  test('shares a Redis by database numbers', async () => {
    const name = randomUUID()
    const url = (db: number) => `${shared.url}/${db}`
    const [one, two] = await Promise.all([1, 2].map((db) => openQueue({ url: url(db), name })))
    if (!one || !two) throw new Error('not opened')
    for (const queue of [one, two]) onTestFinished(() => queue.close())
    const [first, second] = [counted(one), counted(two)]
    const [firstHeard, secondHeard] = [heard(one), heard(two)]
    one.wake('one')
    one.notify('one')
    await Promise.all([first.reached(1), firstHeard.reached(1)])
    two.wake('two')
    two.notify('two')
    await Promise.all([second.reached(1), secondHeard.reached(1)])
    expect([first.ids, second.ids, firstHeard.ids, secondHeard.ids]).toEqual([
      ['one'],
      ['two'],
      ['one'],
      ['two'],
    ])
  })
})

/** Resolves when so many wake-ups are in a list of BullMQ. */
async function stored(redis: RedisServer, list: string, count: number): Promise<void> {
  const { Redis } = await import('ioredis')
  const look = new Redis(redis.url)
  try {
    while ((await look.llen(`release-task:${list}`)) < count) await look.ping()
  } finally {
    look.disconnect()
  }
}
