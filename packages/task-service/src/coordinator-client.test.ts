import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createCoordinatorClient } from './coordinator-client.ts'

const BASE = 'http://coordinator.example/api'
const { signal } = new AbortController()

interface Seen {
  readonly url: string
  readonly headers: Headers
}

let seen: Seen[]
/** One answer per request, in order; then the last again. An error stands for no answer. */
let answers: (Response | Error)[]

beforeEach(() => {
  seen = []
  answers = [new Response('{}')]
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    seen.push({ url: url as string, headers: new Headers(init?.headers) })
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!
    if (answer instanceof Error) throw answer
    return answer.clone()
  })
  vi.spyOn(Math, 'random').mockReturnValue(0)
})
afterEach(() => vi.restoreAllMocks())

describe('a report', () => {
  test('over https carries a Referer on the coordinator’s own host, over http none (N-10)', async () => {
    await createCoordinatorClient('HTTPS://coordinator.example/api').report(
      'TA_00000001',
      { state: 'staged' },
      signal,
    )
    await createCoordinatorClient(BASE).report('TA_00000001', { state: 'staged' }, signal)
    const [https, http] = seen.map(({ headers }) => headers.get('referer'))
    expect(new URL(https!).host).toBe('coordinator.example')
    expect(http).toBeNull()
  })

  test('chooses another value for cookie and header each time (N-10)', async () => {
    const client = createCoordinatorClient(BASE)
    for (let count = 0; count < 2; count++) await client.report('TA_00000001', {}, signal)
    const values = seen.map(({ headers }) => [headers.get('cookie'), headers.get('x-csrftoken')])
    for (const [cookie, token] of values) expect(cookie).toBe(`csrftoken=${token}`)
    expect(values[0]?.[1]).not.toBe(values[1]?.[1])
  })

  test('is tried once', async () => {
    answers = [new Error('down')]
    await expect(createCoordinatorClient(BASE).report('TA_00000001', {}, signal)).rejects.toThrow('down')
    expect(seen).toHaveLength(1)
  })
})

test('no id leads elsewhere, whatever its letters (ID-4)', async () => {
  const client = createCoordinatorClient(BASE)
  await client.report('TA_../../ab', {}, signal)
  await client.task('TA_\ud800?#%/..', signal)
  await client.release('RE_../../ab', signal)
  await client.study('SD_ä b&c=d', signal)
  expect(seen.map(({ url }) => url.slice(BASE.length))).toEqual([
    '/tasks/TA_..%2F..%2Fab',
    '/tasks/TA_%EF%BF%BD%3F%23%25%2F..',
    '/releases/RE_..%2F..%2Fab',
    '/studies/SD_%C3%A4%20b%26c%3Dd',
  ])
})

describe('a release is read with a few tries', () => {
  const RELEASE = { kf_id: 'RE_00000001', studies: ['SD_00000001'] }
  const good = () => new Response(JSON.stringify(RELEASE))
  const read = (by = signal) => createCoordinatorClient(BASE).release('RE_00000001', by)

  test('through trouble that may pass', async () => {
    answers = [
      new Error('down'),
      new Response('', { status: 503 }),
      new Response('', { status: 429 }),
      good(),
    ]
    expect(await read()).toEqual(RELEASE)
  })

  test('four tries at the most', async () => {
    answers = [new Response('no', { status: 502 })]
    await expect(read()).rejects.toMatchObject({
      code: 'COORDINATOR_ANSWER',
      message: expect.stringContaining('502'),
    })
    expect(seen).toHaveLength(4)
  })

  test.each([
    ['not found', new Response('{"detail":"Not found."}', { status: 404 })],
    ['no JSON', new Response('<html>')],
    ['no object', new Response('null')],
    ['a redirect', new Response('', { status: 302 })],
  ])('not again after %s', async (_, answer) => {
    answers = [answer]
    await expect(read()).rejects.toMatchObject({ code: 'COORDINATOR_ANSWER' })
    expect(seen).toHaveLength(1)
  })

  test('not for an attempt that is told to stop', async () => {
    await expect(read(AbortSignal.abort('canceled'))).rejects.toBe('canceled')
    expect(seen).toHaveLength(0)
  })
})
