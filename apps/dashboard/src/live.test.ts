import { afterEach, expect, test, vi } from 'vitest'
import { ApiError } from './api-error.ts'
import { LiveFeed, type LiveParts } from './live.ts'

/** A stream that the test writes. */
function streamOf() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) })
  return {
    response: new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    say: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
  }
}

function feedWith(open: LiveParts['open'], probe: LiveParts['probe'] = async () => {}) {
  const taken: string[] = []
  const resync = vi.fn()
  const take: LiveParts['take'] = (events) => taken.push(...events.map(({ message }) => message))
  const feed = new LiveFeed({ open, probe, take, resync, random: () => 0 })
  feeds.push(feed)
  void feed.run()
  return { feed, taken, resync }
}

const feeds: LiveFeed[] = []
afterEach(() => feeds.splice(0).forEach((feed) => feed.stop()))

const unreachable = () => Promise.reject(new ApiError('unreachable', 'no'))
const event = (message: string) => `data: ${JSON.stringify({ message })}\n\n`

test('events arrive, and after an end it resumes from the last one', async () => {
  const [first, second] = [streamOf(), streamOf()]
  const open = vi
    .fn<LiveParts['open']>()
    .mockResolvedValueOnce(first.response)
    .mockResolvedValueOnce(second.response)
  const { feed, taken } = feedWith(open)
  first.say(`id: 4\n\nid: 5\n${event('one')}`)
  await vi.waitFor(() => expect(feed.state().kind).toBe('live'))
  first.end()
  await vi.waitFor(() => expect(open).toHaveBeenCalledTimes(2))
  expect(open.mock.calls.map(([id]) => id)).toEqual([null, '5'])
  second.say(event('two'))
  await vi.waitFor(() => expect(taken).toEqual(['one', 'two']))
  expect(feed.state().kind).toBe('live')
})

test('without a stream but with answers it polls, and looks at everything each time', async () => {
  const { feed, resync } = feedWith(unreachable)
  await vi.waitFor(() => expect(feed.state().kind).toBe('polling'))
  await vi.waitFor(() => expect(resync.mock.calls.length).toBeGreaterThan(1))
})

test('it is lost when nobody answers, and recovers by itself', async () => {
  const stream = streamOf()
  let isThere = false
  const open = async () => (isThere ? stream.response : unreachable())
  const { feed, resync } = feedWith(open, () => (isThere ? Promise.resolve() : unreachable()))
  await vi.waitFor(() => expect(feed.state().kind).toBe('lost'))
  expect(resync).not.toHaveBeenCalled()
  isThere = true
  stream.say('id: 1\n\n')
  await vi.waitFor(() => expect(feed.state().kind).toBe('live'), 5000)
  expect(resync).toHaveBeenCalledTimes(1)
})

test('a restart of the coordinator is not missed though the stream was live before', async () => {
  const stream = streamOf()
  const open = vi
    .fn<LiveParts['open']>()
    .mockResolvedValueOnce(stream.response)
    .mockImplementation(unreachable)
  const { feed } = feedWith(open, unreachable)
  stream.say('id: 1\n\n')
  await vi.waitFor(() => expect(feed.state().kind).toBe('live'))
  stream.end()
  await vi.waitFor(() => expect(feed.state().kind).toBe('lost'))
})

test('who may not read is told so', async () => {
  const { feed } = feedWith(unreachable, () => Promise.reject(new ApiError('refused', 'no', { status: 403 })))
  await vi.waitFor(() => expect(feed.state().kind).toBe('refused'))
})

test('a doubt that is unfounded changes nothing, one that is not is told at once', async () => {
  const stream = streamOf()
  let isThere = true
  const open = vi
    .fn<LiveParts['open']>()
    .mockResolvedValueOnce(stream.response)
    .mockImplementation(unreachable)
  const { feed } = feedWith(open, () => (isThere ? Promise.resolve() : unreachable()))
  stream.say('id: 1\n\n')
  await vi.waitFor(() => expect(feed.state().kind).toBe('live'))
  await feed.doubt()
  expect(feed.state().kind).toBe('live')
  isThere = false
  await feed.doubt()
  expect(feed.state().kind).toBe('lost')
})

test('what is no event is passed over', async () => {
  const stream = streamOf()
  const { taken } = feedWith(async () => stream.response)
  stream.say(`data: {broken\n\n${event('good')}`)
  await vi.waitFor(() => expect(taken).toEqual(['good']))
})

test('a stream that says nothing for long is not believed', async () => {
  vi.useFakeTimers()
  const stream = streamOf()
  let isThere = true
  const open = vi
    .fn<LiveParts['open']>()
    .mockResolvedValueOnce(stream.response)
    .mockImplementation(unreachable)
  const { feed } = feedWith(open, () => (isThere ? Promise.resolve() : unreachable()))
  stream.say('id: 1\n\n')
  await vi.advanceTimersByTimeAsync(10)
  expect(feed.state().kind).toBe('live')
  await vi.advanceTimersByTimeAsync(9000)
  expect(feed.state().kind).toBe('live')
  isThere = false
  await vi.advanceTimersByTimeAsync(9000)
  vi.useRealTimers()
  expect(feed.state().kind).toBe('lost')
})
