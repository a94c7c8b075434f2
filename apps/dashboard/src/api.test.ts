import { describe, expect, test, vi } from 'vitest'
import { createApi, withQuery } from './api.ts'

const answer = (status: number, body: unknown, type = 'application/json') =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': type },
  })

function clientThat(response: () => Promise<Response>, token: string | null = 'T') {
  const denied = vi.fn()
  const fetch = vi.fn<typeof globalThis.fetch>(response)
  return { api: createApi({ token: () => token, denied, fetch }), denied, fetch }
}

describe('a request', () => {
  test('asks for JSON with the token and gives the body', async () => {
    const { api, fetch } = clientThat(async () => answer(200, { kf_id: 'RE_1' }))
    expect(await api.get('/releases/RE_1')).toEqual({ kf_id: 'RE_1' })
    const headers = fetch.mock.calls[0]?.[1]?.headers
    expect(headers).toEqual({ accept: 'application/json', authorization: 'Bearer T' })
  })

  test('goes below the path that a proxy has put the coordinator under', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => answer(200, '', 'text/event-stream'))
    const api = createApi({ root: '/coordinator', token: () => null, denied: vi.fn(), fetch })
    await api.get('/releases')
    await api.stream('/events/stream', null, new AbortController().signal)
    expect(fetch.mock.calls.map(([url]) => url)).toEqual([
      '/coordinator/releases',
      '/coordinator/events/stream',
    ])
  })

  test('sends no authorization without a token', async () => {
    const { api, fetch } = clientThat(async () => answer(200, {}), null)
    await api.get('/releases')
    expect(fetch.mock.calls[0]?.[1]?.headers).not.toHaveProperty('authorization')
  })

  test('an empty answer is null', async () => {
    const { api } = clientThat(async () => new Response(null, { status: 204 }))
    expect(await api.delete('/task-services/TS_1')).toBeNull()
  })

  test('a refusal has the words of the server, and 403 is told with the token', async () => {
    const { api, denied } = clientThat(async () => answer(403, { detail: 'Must be an admin' }))
    await expect(api.post('/x')).rejects.toMatchObject({ message: 'Must be an admin', status: 403 })
    expect(denied).toHaveBeenCalledWith('T', '/x')
  })

  test('no answer to a change says that it is not known whether it was made', async () => {
    const { api } = clientThat(async () => Promise.reject(new TypeError('fetch failed')))
    await expect(api.post('/x')).rejects.toMatchObject({ kind: 'unreachable' })
    await expect(api.post('/x')).rejects.toThrow('not known whether')
  })

  test('a page instead of JSON is not taken for data', async () => {
    const { api } = clientThat(async () => answer(200, '<html>', 'text/html'))
    await expect(api.get('/releases')).rejects.toMatchObject({ kind: 'unreadable' })
  })
})

describe('the event stream', () => {
  test('resumes after the last event', async () => {
    const { api, fetch } = clientThat(async () => answer(200, 'id: 7\n\n', 'text/event-stream'))
    await api.stream('/events/stream', '7', new AbortController().signal)
    expect(fetch.mock.calls[0]?.[1]?.headers).toMatchObject({ 'last-event-id': '7' })
  })

  test('JSON is no stream', async () => {
    const { api } = clientThat(async () => answer(200, {}))
    await expect(api.stream('/events/stream', null, new AbortController().signal)).rejects.toThrow('200')
  })
})

test.each([
  [{}, '/a'],
  [{ state: '', limit: undefined }, '/a'],
  [{ state: 'staged', offset: 20 }, '/a?state=staged&offset=20'],
  [{ actor: 'user:a b' }, '/a?actor=user%3Aa+b'],
])('withQuery %j', (query, expected) => expect(withQuery('/a', query)).toBe(expected))
