import { createLogger, TransportError, type Answer } from '@release-task/http'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Dispatcher, type DispatcherDependencies } from './dispatcher.ts'
import type { OutboxRow } from './outbox.ts'

const NOW = 1_700_000_000_000

const row = (fields: Partial<OutboxRow> = {}): OutboxRow => ({
  taskId: 'TA_00000001',
  releaseId: 'RE_00000001',
  action: 'start',
  sequence: 3,
  deadlineAt: NOW + 30_000,
  failures: 0,
  askFirst: false,
  lastError: null,
  claimedUntil: null,
  dueAt: NOW,
  now: NOW,
  ...fields,
})

const says = (status: number, json: unknown = {}): Answer => ({
  status,
  text: JSON.stringify(json),
  retryAfter: null,
  json,
})

/** Delivers one row. @returns what was asked of the service and of the outbox, in order */
async function deliver(one: OutboxRow, deps: Partial<DispatcherDependencies> = {}): Promise<string[]> {
  const done: string[] = []
  const rows = [one]
  const begun = Promise.withResolvers<void>()
  const note = (what: string) => void done.push(what)
  const dispatcher = new Dispatcher({
    due: async () => rows.splice(0),
    nextDelayMs: async () => {
      begun.resolve()
      return null
    },
    claim: async () => true,
    giveBack: async () => note('given back'),
    renew: async () => undefined,
    renewMs: 1000,
    stopping: new AbortController().signal,
    isCurrent: async () => true,
    again: async (_, to) => note(`again in ${to.delayMs}`),
    remove: async () => note('removed'),
    tell: async (_, outcome) => note(outcome.kind),
    random: () => 1,
    log: createLogger('test', 'silent'),
    ...deps,
    request: async (asked, action) => {
      note(action)
      return deps.request ? deps.request(asked, action) : says(200, { state: 'running' })
    },
  })
  dispatcher.nudge()
  await begun.promise
  // All that the row leads to here is asked for and answered by then.
  await new Promise((resolve) => setImmediate(resolve))
  await dispatcher.stop()
  return done
}

afterEach(() => vi.restoreAllMocks())

describe('one action', () => {
  test('is sent once, its outcome told before the row goes', async () => {
    expect(await deliver(row())).toEqual(['start', 'accepted', 'removed'])
  })

  test('is not sent by whoever does not get the row', async () => {
    expect(await deliver(row(), { claim: async () => false })).toEqual([])
  })

  test('whose outcome cannot be stored is given back at once, not when its claim runs out', async () => {
    const away = async () => {
      throw new Error('the database is away')
    }
    expect(await deliver(row(), { tell: away })).toEqual(['start', 'given back'])
    expect(await deliver(row(), { isCurrent: away })).toEqual(['given back'])
  })

  test('broken off by our own end is neither refused nor counted, whatever its deadline', async () => {
    const request = async () => Promise.reject(new TransportError('broken off', true, null))
    const last = row({ failures: 3, deadlineAt: 0 })
    expect(await deliver(last, { request })).toEqual(['start', 'refused', 'removed'])
    const stopping = AbortSignal.abort()
    expect(await deliver(last, { request, stopping })).toEqual(['start', 'given back'])
  })

  test('that may have been heard is asked for first, and not sent if it was (RC-8)', async () => {
    expect(await deliver(row({ askFirst: true }))).toEqual(['get_status', 'accepted', 'removed'])
  })

  test('that was replaced meanwhile is not sent, and the row is given back (RC-5, F-07)', async () => {
    const replaced = { isCurrent: async () => false, request: async () => says(404) }
    expect(await deliver(row({ askFirst: true }), replaced)).toEqual(['get_status', 'removed'])
    expect(await deliver(row(), replaced)).toEqual(['removed'])
  })

  test('cancel is repeated without asking, and asked for only where it is refused (RC-8, RC-10)', async () => {
    const request: DispatcherDependencies['request'] = async (_, action) =>
      action === 'cancel' ? says(400) : says(200, { state: 'published' })
    expect(await deliver(row({ action: 'cancel', askFirst: true }), { request })).toEqual([
      'cancel',
      'get_status',
      'refused',
      'removed',
    ])
  })
})

test('the time that asking took counts towards the deadline (RC-7)', async () => {
  let clock = 0
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const request: DispatcherDependencies['request'] = async (_, action) => {
    clock += 15_000
    if (action === 'get_status') return says(404)
    throw new TransportError('no answer', true, null)
  }
  expect(await deliver(row({ askFirst: true }), { request })).toEqual([
    'get_status',
    'start',
    'refused',
    'removed',
  ])
  clock = 0
  expect(await deliver(row(), { request })).toEqual(['start', 'again in 500'])
})

test('an error of our own is neither told nor lost: the row is given back', async () => {
  const request = async () => Promise.reject(new Error('a mistake'))
  expect(await deliver(row(), { request })).toEqual(['start', 'given back'])
})
