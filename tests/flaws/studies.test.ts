import { readDataservice } from '@release-task/study-records'
import { fakeDataservice } from '@release-task/study-records/testing'
import { studiesFromDataService } from '@release-task/coordinator'
import { expect, test } from 'vitest'
import { openServer } from './access.fixture.ts'
import { openCoordinator } from './coordinator.fixture.ts'

const idOf = (index: number) => `SD_${String(index).padStart(8, '0')}`
const studies = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ kf_id: idOf(index), name: 'x' }))

/** A Data Service whose rows a test can change, and a coordinator that has read them. */
async function openBeside(rows: object[]) {
  const behaviour = { isAway: false, malformed: false }
  const service = await fakeDataservice({
    rows,
    total: () => rows.length,
    instead: (response) => {
      if (behaviour.isAway) response.destroy()
      else if (behaviour.malformed)
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ results: [{ name: 'x' }] }))
      return behaviour.isAway || behaviour.malformed
    },
  })
  const coordinator = await openCoordinator({ studySource: studiesFromDataService(service.url) })
  const sync = () => coordinator.call('POST', '/studies/sync')
  const study = async (id: string) => (await coordinator.call('GET', `/studies/${id}`)).body
  return { coordinator, behaviour, sync, study }
}

test('F-60 releases of an unknown study are 404; a sync while the Data Service is away is 502, and stores nothing', async () => {
  const rows: object[] = studies(3)
  const { coordinator, behaviour, sync } = await openBeside(rows)
  expect(await coordinator.call('GET', '/studies/SD_UNKNOWN0/releases')).toMatchObject({
    code: 404,
    body: { detail: 'Not found.' },
  })
  const trouble = {
    code: 502,
    body: { status: 'error', message: 'There was an error getting studies from the dataservice' },
  }
  behaviour.isAway = true
  expect(await sync()).toMatchObject(trouble)
  Object.assign(behaviour, { isAway: false, malformed: true })
  expect(await sync()).toMatchObject(trouble)
  const { results } = (await coordinator.call('GET', '/studies')).body
  expect(results.map((study: any) => study.deleted)).toEqual([false, false, false])
})

test('F-62 101 studies are read, one that goes is deleted and counted once, one that comes back is there again', async () => {
  const rows: object[] = studies(101)
  const { coordinator, sync, study } = await openBeside(rows)
  expect((await coordinator.call('GET', '/studies')).body.count).toBe(101)
  expect((await study(idOf(100))).deleted).toBe(false)
  const [gone] = rows.splice(7, 1)
  expect((await sync()).body).toMatchObject({ status: 'ok', new: 0, deleted: 1 })
  expect((await sync()).body).toMatchObject({ deleted: 0 })
  expect((await study(idOf(7))).deleted).toBe(true)
  rows.push(gone!)
  expect((await sync()).body).toMatchObject({ new: 0, deleted: 0 })
  expect((await study(idOf(7))).deleted).toBe(false)
})

test('F-83 two studies that are read at the same time, with more than a page each: none gets rows of the other', async () => {
  const rowsOf = (study: string | null, total: number) =>
    Array.from({ length: total }, (_, index) => ({ kf_id: `PT_${study}_${index}` }))
  const TOTAL = 250
  const { url, received } = await openServer((request) => {
    const query = new URL(request.url, 'http://fake').searchParams
    const [study, limit, after] = [
      query.get('study_id'),
      Number(query.get('limit')),
      Number(query.get('after')),
    ]
    const results = rowsOf(study, TOTAL).slice(after, after + limit)
    const next = `/participants?study_id=${study}&after=${after + limit}&after_uuid=x`
    return { json: { results, total: TOTAL, limit, _links: after + limit < TOTAL ? { next } : {} } }
  })
  const source = readDataservice(url, { limit: 100 })
  const { signal } = new AbortController()
  const read = async (study: string) => {
    const ids: string[] = []
    for await (const batch of source.rows(study, 'participants', signal))
      for (const row of batch) ids.push(JSON.parse(row).kf_id)
    return ids
  }
  const ids = [idOf(1), idOf(2)]
  const found = await Promise.all(ids.map(read))
  expect(found).toEqual(ids.map((study) => rowsOf(study, TOTAL).map((row) => row.kf_id)))
  expect(received).toHaveLength(6)
})
