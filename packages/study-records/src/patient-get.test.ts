import type { ServerResponse } from 'node:http'

import { expect, test } from 'vitest'

import { getJson, PATIENCE, type Patience } from './patient-get.ts'
import { fakeDataservice } from './testing/fake-dataservice.ts'

/** Answers the first requests with these, and all others with an empty page. */
async function serverThat(...answers: ((response: ServerResponse) => void)[]) {
  const service = await fakeDataservice({
    rows: [],
    instead: (response, nth) => {
      answers[nth - 1]?.(response)
      return nth <= answers.length
    },
  })
  return { ...service, url: new URL(`${service.url}/participants`) }
}

function status(code: number, headers: Record<string, string> = {}, body = '') {
  return (response: ServerResponse) => void response.writeHead(code, headers).end(body)
}

function recorded(over: Partial<Patience> = {}) {
  const waits: number[] = []
  const patience: Patience = {
    ...PATIENCE,
    random: () => 0.5,
    wait: async (ms) => void waits.push(ms),
    ...over,
  }
  return { patience, waits }
}

const { signal } = new AbortController()
const PAGE = expect.objectContaining({ results: [] })

test('500 twice, then the answer: waits in between, longer the second time', async () => {
  const { url, requests } = await serverThat(status(500), status(500))
  const { patience, waits } = recorded()
  expect(await getJson(url, signal, patience)).toEqual(PAGE)
  expect(requests).toHaveLength(3)
  expect(waits).toEqual([250, 500])
})

test('429 with Retry-After waits at least as long as asked', async () => {
  const { url } = await serverThat(status(429, { 'retry-after': '7' }))
  const { patience, waits } = recorded()
  expect(await getJson(url, signal, patience)).toEqual(PAGE)
  expect(waits).toEqual([7000])
})

test('Retry-After may be a date, and may ask for more than we wait', async () => {
  const inAnHour = new Date(Date.now() + 60 * 60 * 1000).toUTCString()
  const { url } = await serverThat(
    status(503, { 'retry-after': inAnHour }),
    status(503, { 'retry-after': 'soon' }),
  )
  const { patience, waits } = recorded()
  expect(await getJson(url, signal, patience)).toEqual(PAGE)
  expect(waits).toEqual([PATIENCE.maxRetryAfterMs, 500])
})

test('a cut connection and a page of HTML are tried again', async () => {
  const { url } = await serverThat(
    (response) => void response.destroy(),
    status(200, {}, '<html>Bad gateway</html>'),
  )
  expect(await getJson(url, signal, recorded().patience)).toEqual(PAGE)
})

test('gives up after the last try, and says what came', async () => {
  const { url, requests } = await serverThat(
    ...Array.from({ length: 9 }, () => status(502, {}, 'upstream is away')),
  )
  await expect(getJson(url, signal, recorded().patience)).rejects.toThrow(
    `GET ${url} (try 5): answered 502 upstream is away`,
  )
  expect(requests).toHaveLength(5)
})

test('a definite answer is not asked for again', async () => {
  const { url, requests } = await serverThat(status(404, {}, '{"_status":{"code":404}}'))
  await expect(getJson(url, signal, recorded().patience)).rejects.toThrow('answered 404 {"_status"')
  expect(requests).toHaveLength(1)
})

test('an answer that stops in the middle runs into the timeout, and is tried again', async () => {
  const { url } = await serverThat((response) => void response.writeHead(200).write('{"results":'))
  const { patience, waits } = recorded({ timeoutMs: 100 })
  expect(await getJson(url, signal, patience)).toEqual(PAGE)
  expect(waits).toHaveLength(1)
})

test('an abort ends a request that hangs', async () => {
  const cancel = new AbortController()
  const { url, requests } = await serverThat(() => cancel.abort(new Error('canceled by a person')))
  await expect(getJson(url, cancel.signal, recorded().patience)).rejects.toThrow('canceled by a person')
  expect(requests).toHaveLength(1)
})

test('an abort ends the wait between two tries', async () => {
  const cancel = new AbortController()
  const { url, requests } = await serverThat(status(429, { 'retry-after': '300' }))
  // The real wait, ended by the abort: were it not, this test would run into its own timeout.
  const wait: Patience['wait'] = async (ms, until) => {
    queueMicrotask(() => cancel.abort())
    await PATIENCE.wait(ms, until)
  }
  await expect(getJson(url, cancel.signal, { ...PATIENCE, wait })).rejects.toThrow('aborted')
  expect(requests).toHaveLength(1)
})
