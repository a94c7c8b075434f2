import { once } from 'node:events'
import { connect } from 'node:net'
import { createPolicy } from '@release-task/auth'
import { openDatabase, type Database } from '@release-task/database'
import { createApp, createLogger, listen, type App, type FastifyReply } from '@release-task/http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readConfig } from '../config.ts'
import { eventually, Fixture } from '../coordinator.fixture.ts'
import { EventBell } from '../event-bell.ts'
import type { ReleaseEvent } from '../event-store.ts'
import type { HttpDependencies } from './dependencies.ts'
import { EventReader } from './event-reader.fixture.ts'
import { addEventStream } from './event-stream.ts'

const ids = (seen: readonly { id: number }[]) => seen.map(({ id }) => id)
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe('a coordinator that listens (CR-43)', () => {
  let fixture: Fixture
  let url: string
  let readers: EventReader[]
  let others: Database[]

  beforeEach(async () => {
    fixture = await Fixture.start()
    url = `${await listen(fixture.coordinator.app, { host: '127.0.0.1', port: 0, auth: null })}/events/stream`
    readers = []
    others = []
  })
  afterEach(async () => {
    for (const reader of readers) reader.leave()
    for (const database of others) await database.close()
    await fixture.close()
  })

  async function open(query = '', lastId = ''): Promise<EventReader> {
    const reader = await EventReader.ready(`${url}${query}`, lastId)
    readers.push(reader)
    return reader
  }

  /**
   * Without services it is warned of and moves three times until it is staged: four events; and five where another
   * release over the same study is under way (RC-4).
   */
  async function release(): Promise<string> {
    const id = await fixture.issue()
    await fixture.reaches(id, 'staged')
    return id
  }

  /** As another instance that shares the database writes: nobody here hears of it. */
  async function writeElsewhere(count: number, releaseId = 'RE_00000000'): Promise<void> {
    const migrations = new URL('../../migrations/', import.meta.url)
    const address = `sqlite:${fixture.folder}/state.db`
    const database = await openDatabase({
      url: address,
      side: 'coordinator',
      name: 'coordinator',
      migrations,
    })
    others.push(database)
    const bump = { sql: `UPDATE counters SET value = value + 1 WHERE name = 'events'`, names: [] }
    const insert = {
      sql: `INSERT INTO events SELECT value, 'EV_' || value, 'info', 'x', ?, NULL, NULL, 0, NULL FROM counters
        WHERE name = 'events'`,
      names: ['release_id'],
    }
    const one = [
      { query: bump, values: {} },
      { query: insert, values: { release_id: releaseId } },
    ]
    await database.commit(Array.from({ length: count }, () => one).flat())
  }

  test('events as they are written: the position as id, the event as data', async () => {
    await release()
    const reader = await open()
    expect(reader.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(reader.response.headers.get('cache-control')).toBe('no-store')
    // Nothing that was there before; but a position to resume from, which is no event.
    expect(reader.others).toEqual([expect.stringMatching(/^retry: \d+\nid: 4$/)])
    const id = await release()
    const seen = await reader.take(5)
    expect(ids(seen)).toEqual(upTo(9, 5))
    const host = url.replace('/events/stream', '')
    const { results } = (
      await fixture.call('GET', `/events?release=${id}`, undefined, { host: host.slice(7) })
    ).body
    expect(seen.map(({ event }) => event)).toEqual(results.toReversed())
  })

  test('from a position on, which may be the beginning; a header is newer than the address', async () => {
    await release()
    expect(ids(await (await open('?after=0')).take(4))).toEqual(upTo(4))
    expect(ids(await (await open('?after=2')).take(2))).toEqual([3, 4])
    expect(ids(await (await open('?after=0', '3')).take(1))).toEqual([4])
    expect(ids(await (await open('', '0')).take(4))).toEqual(upTo(4))
  })

  test('a reader that comes back has seen each event once, also one that had seen none', async () => {
    const first = await open()
    first.leave()
    await release()
    const second = await open('', first.lastId)
    const seen = ids(await second.take(2))
    second.leave()
    await release()
    const third = await open('', second.lastId)
    seen.push(...ids(await third.take(9 - Number(second.lastId))))
    expect(seen.slice(0, 2)).toEqual([1, 2])
    expect(seen.slice(2)).toEqual(upTo(9, Number(second.lastId) + 1))
  })

  test.each(['x', '-1', '1.5', '9'.repeat(30)])('?after=%s is no position: 400', async (after) => {
    const { code, body } = await fixture.call('GET', `/events/stream?after=${after}`)
    expect([code, body]).toEqual([400, { after: ['A valid integer is required.'] }])
  })

  test.each(['x', '-1', ''])('a Last-Event-ID of "%s" counts as none', async (lastId) => {
    await release()
    expect((await open('', lastId)).lastId).toBe('4')
  })

  test('a position that is not reached yet is the end: the database may have been restored', async () => {
    const reader = await open('', '1000')
    await release()
    expect(ids(await reader.take(4))).toEqual(upTo(4))
  })

  test('only of a release, a task, a service; an unknown one has no events', async () => {
    const service = await fixture.register()
    const [other, mine] = [await fixture.issue(), await fixture.issue()]
    for (const id of [other, mine]) await fixture.tasksReach(id, 'running')
    const task = (await fixture.release(mine)).tasks[0].kf_id
    const messages = async (query: string) =>
      (await fixture.call('GET', `/events?limit=1000&${query}`)).body.results.map((one: any) => one.message)
    for (const query of [`release=${mine}`, `task=${task}`, `task_service=${service.id}`]) {
      const expected = (await messages(query)).toReversed()
      const seen = await (await open(`?after=0&${query}`)).take(expected.length)
      expect(seen.map(({ event }) => event.message)).toEqual(expected)
    }
    const nothing = await open('?after=0&task=TA_NOTHERE0')
    await fixture.coordinator.stop()
    expect(await nothing.next()).toBeNull()
  })

  test('a commit wakes it, not the time', async () => {
    await release()
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const reader = await open()
      // The very first commit of the second one has an event: it shares its study with the first.
      await fixture.issue()
      expect((await reader.next())?.event.event_type).toBe('warning')
    } finally {
      vi.useRealTimers()
    }
  })

  test('what another instance writes is found, though nobody rang', async () => {
    const reader = await open()
    await writeElsewhere(3)
    expect(ids(await reader.take(3))).toEqual(upTo(3))
  })

  test('more than is read at once, and what comes meanwhile: each once, in order', async () => {
    await writeElsewhere(650)
    const [all, few] = [await open('?after=0'), await open('?after=0&release=RE_00000001')]
    await writeElsewhere(300, 'RE_00000001')
    await release()
    expect(ids(await all.take(954))).toEqual(upTo(954))
    const found = await few.take(300)
    expect(found.every(({ event }) => event.release.endsWith('RE_00000001'))).toBe(true)
    expect(new Set(ids(found)).size).toBe(300)
  })

  test('ends at shutdown; one that comes afterwards ends at once', async () => {
    const reader = await open()
    await fixture.coordinator.stop()
    expect(await reader.next()).toBeNull()
    const late = await EventReader.open(url)
    expect(await late.next()).toBeNull()
  })

  test('HEAD has no body; other methods are 405 (CR-12, CR-14)', async () => {
    const { code, body, headers } = await fixture.call('HEAD', '/events/stream')
    expect([code, body, headers['content-type']]).toEqual([200, '', expect.stringContaining('event-stream')])
    expect((await fixture.call('POST', '/events/stream', {})).code).toBe(405)
  })

  test('a hundred at a time; one more is asked to come again, and may when another one has left', async () => {
    const hundred = await Promise.all(Array.from({ length: 100 }, () => open()))
    const refused = await EventReader.open(url)
    expect(refused.response.status).toBe(503)
    expect(Number(refused.response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.response.json()).toEqual({ detail: expect.stringContaining('ask again') })
    hundred[50]!.leave()
    const look = async () => {
      const reader = await EventReader.open(url)
      readers.push(reader)
      return reader.response.status
    }
    await eventually(look, (status) => status === 200)
  })
})

describe('a reader that takes nothing (CR-43)', () => {
  const LONG = 'x'.repeat(900)
  let app: App
  let stopping: AbortController
  let bell: EventBell
  let reads: number
  let reply: FastifyReply | null

  /** More events than any buffer holds. */
  const MOST = 100_000
  const event = (position: number): ReleaseEvent => ({
    position,
    id: `EV_${position}`,
    eventType: 'info',
    message: LONG,
    releaseId: null,
    taskServiceId: null,
    taskId: null,
    actor: null,
    createdAt: 0,
  })

  beforeEach(async () => {
    stopping = new AbortController()
    bell = new EventBell()
    reads = 0
    reply = null
    app = await createApp({ title: 'x', version: '0', logger: createLogger('x', 'silent') })
    app.addHook('onRequest', async (_request, one) => {
      reply = one
    })
    const events = {
      newest: async () => MOST,
      after: async (_filter: object, after: number, limit: number) => {
        reads++
        return upTo(Math.min(MOST, after + limit), after + 1).map(event)
      },
    }
    const config = readConfig({})
    const policy = createPolicy({ auth: 'off', reads: 'open' })
    const deps = { events, bell, config, policy, stopping: stopping.signal }
    addEventStream(app, deps as unknown as HttpDependencies)
  })
  afterEach(async () => {
    stopping.abort()
    await app.close()
  })

  async function connectTo() {
    const { port } = new URL(await listen(app, { host: '127.0.0.1', port: 0, auth: null }))
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.pause()
    socket.write('GET /events/stream?after=0 HTTP/1.1\r\nHost: x\r\n\r\n')
    return socket
  }

  const isFull = () => eventually(async () => reply?.raw.writableNeedDrain ?? false, Boolean)

  test('nothing more is read for it until it goes on; then it gets everything', async () => {
    const socket = await connectTo()
    await isFull()
    const before = reads
    const buffered = reply!.raw.writableLength
    for (let rings = 0; rings < 1000; rings++) {
      bell.ring()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(reads).toBe(before)
    expect(buffered).toBeLessThan(2_000_000)
    const wanted = 200 * (before + 3)
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.resume()
    await eventually(async () => text.includes(`"kf_id":"EV_${wanted}"`), Boolean)
    const seen = [...text.matchAll(/"kf_id":"EV_(\d+)"/g)].map((match) => Number(match[1]))
    expect(seen.slice(0, wanted)).toEqual(upTo(wanted))
    socket.destroy()
  })

  test('after a minute its connection is closed, with what it did not take', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const socket = await connectTo()
      const look = async () => {
        await vi.advanceTimersByTimeAsync(1000)
        return reply?.raw.destroyed ?? false
      }
      await eventually(look, Boolean)
      socket.destroy()
    } finally {
      vi.useRealTimers()
    }
  })

  test('it does not hold up the end of the process', async () => {
    const socket = await connectTo()
    await isFull()
    stopping.abort()
    await app.close()
    socket.destroy()
  })
})
