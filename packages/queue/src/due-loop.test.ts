import { expect, test } from 'vitest'
import { DueLoop } from './due-loop.ts'

interface Row {
  readonly id: string
}

function loopOver(rows: Row[], handle: (row: Row) => Promise<void>, concurrency = 2) {
  const failures: (string | null)[] = []
  const given: string[] = []
  const loop = new DueLoop<Row>({
    due: async () => rows,
    nextDelayMs: async () => null,
    key: (row) => row.id,
    handle,
    giveBack: async (row) => void given.push(row.id),
    renew: async () => undefined,
    renewMs: 1000,
    concurrency,
    idleMs: 10,
    failed: (_, key) => failures.push(key),
  })
  return { loop, failures, given }
}

test('handles every due row, never more at a time than allowed, and never one twice at a time', async () => {
  const rows: Row[] = [{ id: 'a' }, { id: 'b' }, { id: 'c' }]
  const done: string[] = []
  let running = 0
  let most = 0
  const finished = Promise.withResolvers<void>()
  const { loop } = loopOver(rows, async (row) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    rows.splice(rows.indexOf(row), 1)
    done.push(row.id)
    if (done.length === 3) finished.resolve()
  })
  loop.nudge()
  loop.nudge()
  await finished.promise
  await loop.stop()
  expect(done.toSorted()).toEqual(['a', 'b', 'c'])
  expect(most).toBe(2)
})

test('a row that fails is told and does not stop the loop', async () => {
  const rows: Row[] = [{ id: 'bad' }, { id: 'good' }]
  const finished = Promise.withResolvers<void>()
  const { loop, failures, given } = loopOver(
    rows,
    async (row) => {
      rows.splice(rows.indexOf(row), 1)
      if (row.id === 'bad') throw new Error('no')
      finished.resolve()
    },
    1,
  )
  loop.nudge()
  await finished.promise
  await loop.stop()
  expect(failures).toEqual(['bad'])
  expect(given).toEqual(['bad'])
})

test('the claim on a row that failed is given back as soon as that is possible, and the row is nobody else’s until then', async () => {
  const rows: Row[] = [{ id: 'a' }]
  const given = Promise.withResolvers<void>()
  let handled = 0
  let tries = 0
  const loop = new DueLoop<Row>({
    due: async () => rows,
    nextDelayMs: async () => null,
    key: (row) => row.id,
    handle: async () => {
      handled++
      throw new Error('the database is away')
    },
    renew: async () => undefined,
    renewMs: 1000,
    giveBack: async () => {
      if (++tries < 3) throw new Error('it still is')
      rows.length = 0
      given.resolve()
    },
    concurrency: 1,
    idleMs: 1,
    failed: () => undefined,
  })
  loop.nudge()
  await given.promise
  await loop.stop()
  expect({ handled, tries }).toEqual({ handled: 1, tries: 3 })
})

test('stop waits for what is being handled, and nothing begins afterwards', async () => {
  const hold = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  let count = 0
  const { loop } = loopOver([{ id: 'a' }], async () => {
    count++
    begun.resolve()
    await hold.promise
  })
  loop.nudge()
  await begun.promise
  let stopped = false
  const stopping = loop.stop().then(() => (stopped = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(stopped).toBe(false)
  hold.resolve()
  await stopping
  loop.nudge()
  expect(count).toBe(1)
})

test('a claim is renewed for as long as its row is handled, and no longer', async () => {
  const rows: Row[] = [{ id: 'a' }]
  const renewed: string[] = []
  const twice = Promise.withResolvers<void>()
  const loop = new DueLoop<Row>({
    due: async () => rows.splice(0),
    nextDelayMs: async () => null,
    key: (row) => row.id,
    handle: () => twice.promise,
    giveBack: async () => undefined,
    renew: async (row) => {
      renewed.push(row.id)
      if (renewed.length === 2) twice.resolve()
      // The next one must come all the same.
      throw new Error('the database is away')
    },
    renewMs: 1,
    concurrency: 1,
    idleMs: 1,
    failed: () => undefined,
  })
  loop.nudge()
  await twice.promise
  await loop.stop()
  const after = renewed.length
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(renewed.length).toBe(after)
})

test('at a stop nothing waits for a claim to be given back', async () => {
  const begun = Promise.withResolvers<void>()
  const fails = Promise.withResolvers<void>()
  let tries = 0
  const loop = new DueLoop<Row>({
    due: async () => [{ id: 'a' }],
    nextDelayMs: async () => null,
    key: (row) => row.id,
    handle: () => {
      begun.resolve()
      return fails.promise
    },
    giveBack: async () => void tries++,
    renew: async () => undefined,
    renewMs: 1000,
    concurrency: 1,
    idleMs: 1,
    failed: () => undefined,
  })
  loop.nudge()
  await begun.promise
  const stopping = loop.stop()
  fails.reject(new Error('the database is away'))
  await stopping
  expect(tries).toBe(0)
})
