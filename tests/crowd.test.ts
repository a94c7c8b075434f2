import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig, serve } from '@release-task/coordinator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, until } from './processes.fixture.ts'

const RELEASES = Number(process.env['CROWD_RELEASES'] ?? 100)
const SERVICES = Number(process.env['CROWD_SERVICES'] ?? 10)
const SEED = Number(process.env['CROWD_SEED'] ?? 20_261_124)

/** Numbers in [0, 1) that a seed repeats. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const ANSWER: { readonly [action: string]: string } = {
  initialize: 'pending',
  start: 'running',
  publish: 'publishing',
  cancel: 'canceled',
}

/** A task service that answers at once and reports soon: twice, with progress before and after, in any order. */
class NoisyService {
  readonly #random: () => number
  readonly #server: Server
  readonly #states = new Map<string, string>()
  coordinator = ''

  constructor(random: () => number) {
    this.#random = random
    this.#server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify(request.url === '/status' ? { name: 'noisy' } : this.#act(JSON.parse(body))),
        )
      })
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #act({ action, task_id: id, release_id }: { action: string; task_id: string; release_id: string }) {
    const known = this.#states.get(id)
    const state = action === 'get_status' ? (known ?? 'pending') : (ANSWER[action] ?? 'pending')
    if (action !== 'get_status') this.#states.set(id, state)
    if (action === 'start') void this.#report(id, 'staged')
    if (action === 'publish') void this.#report(id, 'published')
    return {
      name: 'noisy',
      task_id: id,
      release_id,
      state,
      progress: 0,
      date_submitted: new Date().toISOString(),
    }
  }

  async #report(id: string, state: string): Promise<void> {
    const words = [{ state, progress: 100 }, { state, progress: 100 }, { progress: 30 }, { progress: 70 }]
    await Promise.all(
      words.map(async (word) => {
        await sleep(this.#random() * 200)
        if ('state' in word && this.#states.get(id) !== 'canceled') this.#states.set(id, state)
        await call('PATCH', `${this.coordinator}/tasks/${id}`, word).catch(() => undefined)
      }),
    )
  }
}

let folder: string
const undo: (() => Promise<void>)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crowd-'))
})
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
  rmSync(folder, { recursive: true, force: true })
})

const FINAL = ['published', 'canceled', 'failed', 'rejected']

/** Every page of a list. */
async function all(url: string): Promise<any[]> {
  const found: any[] = []
  for (let offset = 0; ; offset += 1000) {
    const { body } = await call('GET', `${url}?limit=1000&offset=${offset}`)
    found.push(...body.results)
    if (body.next === null) return found
  }
}

/** What changed after its end, from the event log, oldest first. */
function changesAfterEnd(events: readonly any[]): string[] {
  const ended = new Map<string, string>()
  const found: string[] = []
  for (const { message } of events) {
    const move = /^(?:release|task) (\w+)(?:, version \S+)? changed from (\w+) to (\w+)$/.exec(message)
    const [, id = '', from = '', to = ''] = move ?? []
    if (!move) continue
    if (ended.has(id)) found.push(`${message}, after it ended ${ended.get(id)}`)
    if (FINAL.includes(to)) ended.set(id, to)
    if (FINAL.includes(from)) found.push(message)
  }
  return found
}

test(`${RELEASES} releases over ${SERVICES} services at once, half of them canceled at any moment (seed ${SEED})`, async () => {
  const random = randomOf(SEED)
  const coordinator = await serve(
    readConfig({
      PORT: '0',
      DATABASE_URL: `sqlite:${join(folder, 'state.db')}`,
      DATABASE_SYNC: 'normal',
      LOG_LEVEL: 'silent',
    }),
  )
  undo.push(() => coordinator.close())
  for (let number = 0; number < SERVICES; number++) {
    const service = new NoisyService(random)
    service.coordinator = coordinator.url
    undo.push(() => service.close())
    const fields = { name: `noisy ${number}`, description: 'x', author: 'x', url: await service.start() }
    expect((await call('POST', `${coordinator.url}/task-services`, fields)).code).toBe(201)
  }
  const drawn = Array.from({ length: RELEASES }, (_, index) => ({
    cancelAfterMs: index % 2 ? random() * 3000 : null,
  }))
  const ends = await Promise.all(
    drawn.map(async ({ cancelAfterMs }, index) => {
      const body = { name: `Release ${index}`, studies: ['SD_9PYZAHHE'] }
      const created = await call('POST', `${coordinator.url}/releases`, body)
      const url = `${coordinator.url}/releases/${created.body.kf_id}`
      const canceled = cancelAfterMs !== null && sleep(cancelAfterMs).then(() => call('DELETE', url))
      const ended = await until(
        async () => {
          const { body: release } = await call('GET', url)
          if (release.state === 'staged') await call('POST', `${url}/publish`)
          return release
        },
        (release) => ['published', 'canceled', 'failed'].includes(release.state),
        240_000,
        200,
      )
      await canceled
      return { id: ended.kf_id, state: ended.state, toCancel: cancelAfterMs !== null }
    }),
  )
  for (const { state, toCancel } of ends)
    expect(toCancel ? ['canceled', 'published'] : ['published']).toContain(state)
  expect(ends.filter(({ state }) => state === 'canceled').length).toBeGreaterThan(0)
  // Reports still come in for a moment; none of them may change what has ended.
  await sleep(500)
  for (const { id, state } of ends)
    expect((await call('GET', `${coordinator.url}/releases/${id}`)).body.state).toBe(state)
  const events = (await all(`${coordinator.url}/events`)).toReversed()
  expect(events.length).toBeGreaterThan(RELEASES * SERVICES)
  expect(changesAfterEnd(events)).toEqual([])
  const tasks = await all(`${coordinator.url}/tasks`)
  const releaseOf = (task: any) => ends.find(({ id }) => task.release.endsWith(id))
  for (const task of tasks) {
    expect(FINAL).toContain(task.state)
    if (releaseOf(task)?.state === 'published') expect(task.state).toBe('published')
  }
}, 300_000)
