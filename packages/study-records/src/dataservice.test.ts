import { expect, test } from 'vitest'

import { readDataservice } from './dataservice.ts'
import { PATIENCE, type Patience } from './patient-get.ts'
import { CountMismatch } from './source.ts'
import { fakeDataservice, type FakeOptions } from './testing/fake-dataservice.ts'
import { allRows } from './testing/source-files.ts'

const STUDY = 'SD_00000001'
const { signal } = new AbortController()

/** Waits for nothing, and keeps how long it would have waited. */
function impatience(over: Partial<Patience> = {}): Patience & { readonly waits: number[] } {
  const waits: number[] = []
  const wait = async (ms: number) => void waits.push(ms)
  return { ...PATIENCE, random: () => 0.5, wait, waits, ...over }
}

function people(count: number): { kf_id: string }[] {
  return Array.from({ length: count }, (_, index) => ({ kf_id: `PT_${index}` }))
}

async function open(options: FakeOptions, patience = impatience()) {
  const service = await fakeDataservice(options)
  const source = readDataservice(service.url, { limit: 10, patience })
  return {
    ...service,
    waits: patience.waits,
    count: () => source.count(STUDY, 'participants', signal),
    read: () => allRows(source.rows(STUDY, 'participants', signal)),
  }
}

test.each([0, 1, 9, 11, 25])('reads all of %i rows, each once and in order', async (count) => {
  const service = await open({ rows: people(count) })
  expect(await service.read()).toEqual(people(count).map((row) => JSON.stringify(row)))
  expect(service.requests).toHaveLength(Math.floor(count / 10) + 1)
})

test('a last page that is full is followed by an empty one', async () => {
  const service = await open({ rows: people(20) })
  expect(await service.read()).toHaveLength(20)
  expect(service.requests).toHaveLength(3)
})

test('every page is asked for with study, visible and limit, which the link to it lacks', async () => {
  const service = await open({ rows: people(20) })
  await service.read()
  for (const request of service.requests) {
    const query = new URL(request, 'http://fake').searchParams
    expect(Object.fromEntries(query)).toMatchObject({ study_id: STUDY, visible: 'true', limit: '10' })
  }
  expect(service.requests[1]).toMatch(/^\/participants\?.*after=10&after_uuid=7c9e/)
})

test('a path in the address of the service stays, and no link leads elsewhere', async () => {
  const service = await fakeDataservice({
    rows: [],
    instead: (response, nth) => {
      const next = nth === 1 ? 'http://elsewhere.invalid/other?after=5' : undefined
      response.end(JSON.stringify({ results: [], total: 0, _links: { next } }))
      return true
    },
  })
  await allRows(readDataservice(`${service.url}/api`).rows(STUDY, 'biospecimens', signal))
  expect(service.requests.map((request) => request.split('?')[0])).toEqual([
    '/api/biospecimens',
    '/api/biospecimens',
  ])
})

test('a row that comes twice is passed on once', async () => {
  const service = await open({
    rows: [...people(12), { kf_id: 'PT_3' }, { kf_id: 'PT_11' }],
    total: () => 12,
  })
  expect(await service.read()).toEqual(people(12).map((row) => JSON.stringify(row)))
})

test('rows that are missed are told with both numbers', async () => {
  const service = await open({ rows: people(12), total: () => 15 })
  const reading = service.read()
  await expect(reading).rejects.toThrow(CountMismatch)
  await expect(reading).rejects.toThrow('SD_00000001: 12 different rows came, the Data Service counts 15')
})

test('the total of the last page counts: rows may be added while they are read', async () => {
  const service = await open({ rows: people(12), total: (nth) => (nth === 1 ? 11 : 12) })
  expect(await service.read()).toHaveLength(12)
})

test('the count is the total, for one row of data', async () => {
  const service = await open({ rows: people(12) })
  expect(await service.count()).toBe(12)
  expect(service.requests[0]).toContain('limit=1')
})

test('a page that names itself as the next ends in an error, not in a circle', async () => {
  const service = await open({
    rows: [],
    instead: (response) => {
      response.end(JSON.stringify({ results: [], total: 0, _links: { next: '/participants?after=1' } }))
      return true
    },
  })
  await expect(service.read()).rejects.toThrow('names itself as the next page')
})

test.each(['{}', '[]', 'null', '{"results":[{}],"total":1}', '{"results":[]}'])(
  'refuses the page %s',
  async (body) => {
    const service = await open({ rows: [], instead: (response) => Boolean(response.end(body)) })
    await expect(service.read()).rejects.toThrow('not a page of the Data Service')
  },
)
