import { listen } from '@release-task/http'
import { afterEach, describe, expect, test } from 'vitest'
import { latch, startFixture, stopped, TASK, type Fixture } from './service.fixture.ts'

let fixture: Fixture
afterEach(() => fixture.close())

interface Seen {
  readonly id: number
  readonly type: string
}

/** A reader of server-sent events that a test can ask for the next one. */
class Reader {
  readonly response: Response
  readonly #body: AsyncIterator<Uint8Array>
  readonly #abort: AbortController
  #text = ''
  readonly #seen: Seen[] = []

  constructor(response: Response, abort: AbortController) {
    this.response = response
    this.#body = response.body![Symbol.asyncIterator]()
    this.#abort = abort
  }

  static async open(url: string, after?: string): Promise<Reader> {
    const abort = new AbortController()
    const headers = {
      accept: 'text/event-stream',
      ...(after === undefined ? {} : { 'last-event-id': after }),
    }
    return new Reader(await fetch(url, { headers, signal: abort.signal }), abort)
  }

  /** The next event; null where the stream has ended. */
  async next(): Promise<Seen | null> {
    while (this.#seen.length === 0) {
      const { value, done } = await this.#body.next()
      if (done) return null
      this.#text += Buffer.from(value).toString()
      this.#split()
    }
    return this.#seen.shift()!
  }

  async take(count: number): Promise<(Seen | null)[]> {
    const taken = []
    for (let index = 0; index < count; index++) taken.push(await this.next())
    return taken
  }

  /** Goes away in the middle. */
  leave(): void {
    this.#abort.abort()
  }

  #split(): void {
    const blocks = this.#text.split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) {
      const match = /^id: (\d+)\ndata: (.*)$/.exec(block)
      if (match) this.#seen.push({ id: Number(match[1]), type: JSON.parse(match[2]!).type })
    }
  }
}

async function begin() {
  const began = latch()
  const finish = latch()
  fixture = await startFixture({
    task: {
      stage: async (task) => {
        began.open()
        await Promise.race([finish.reached, stopped(task.signal)])
        task.signal.throwIfAborted()
      },
    },
  })
  fixture.coordinator.shown.set(TASK, 'running')
  const base = await listen(fixture.service.app, { host: '127.0.0.1', port: 0, auth: null })
  await fixture.act('initialize', { studies: [] })
  return { url: `${base}/tasks/${TASK}/events`, began, finish }
}

const types = (events: (Seen | null)[]) => events.map((event) => event?.type)

describe('server-sent events (SV-18)', () => {
  test('what was and what comes, each with its position', async () => {
    const { url, began, finish } = await begin()
    const reader = await Reader.open(url)
    expect(reader.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(types(await reader.take(1))).toEqual(['initialized'])
    await fixture.act('start')
    await began.reached
    expect(types(await reader.take(2))).toEqual(['running', 'stage_started'])
    finish.open()
    const last = await reader.next()
    expect(last?.type).toBe('staged')
    const { results } = (await fixture.get(`/tasks/${TASK}/events`)).body
    expect(results.at(-1)).toMatchObject(last!)
    reader.leave()
  })

  test('resumes after Last-Event-ID and loses nothing of what came meanwhile', async () => {
    const { url, began, finish } = await begin()
    const first = await Reader.open(url)
    const seen = await first.take(1)
    first.leave()
    await fixture.act('start')
    await began.reached
    finish.open()
    await fixture.coordinator.until(() => fixture.coordinator.states().includes('staged'))
    const second = await Reader.open(url, String(seen[0]!.id))
    expect(types(await second.take(3))).toEqual(['running', 'stage_started', 'staged'])
    second.leave()
  })

  test.each(['x', '-1', '1e999', '0', ''])('a Last-Event-ID of "%s" is the beginning', async (id) => {
    const { url } = await begin()
    const reader = await Reader.open(url, id)
    expect(types(await reader.take(1))).toEqual(['initialized'])
    reader.leave()
  })

  test('ends at shutdown', async () => {
    const { url } = await begin()
    const reader = await Reader.open(url)
    await reader.next()
    const stopping = fixture.service.stop()
    expect(await reader.next()).toBeNull()
    await stopping
  })

  test('an unknown task is 404, in JSON', async () => {
    const { url } = await begin()
    const response = await fetch(url.replace(TASK, 'TA_99999999'), {
      headers: { accept: 'text/event-stream' },
    })
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'TASK_NOT_FOUND' }])
  })
})
