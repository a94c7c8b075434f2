import { expect, test } from 'vitest'
import type { ListedStudy } from '../../packages/coordinator/src/study-store.ts'
import { openChecking, person } from './access.fixture.ts'
import { openCoordinator, STUDY, type WiredCoordinator } from './coordinator.fixture.ts'

const idOf = (type: string, key: string) => btoa(`${type}:${key}`)

async function ask(coordinator: WiredCoordinator, query: string, headers?: Record<string, string>) {
  const { code, body } = await coordinator.call('POST', '/graphql', { query }, headers)
  expect(code).toBe(200)
  return body
}

/** The ids in a list, and the errors beside it. */
async function listOf(coordinator: WiredCoordinator, list: string, headers?: Record<string, string>) {
  const { data, errors = [] } = await ask(
    coordinator,
    `{ list: ${list} { edges { node { kfId } } } }`,
    headers,
  )
  return { ids: data.list?.edges.map(({ node }: any) => node.kfId), errors }
}

test('F-63 lists are narrowed by seconds since the epoch', async () => {
  const coordinator = await openCoordinator()
  await coordinator.register()
  const id = await coordinator.running()
  const now = Date.now() / 1000
  for (const list of ['allReleases', 'allTasks', 'allTaskServices', 'allEvents']) {
    const within = await listOf(
      coordinator,
      `${list}(createdAfter: ${now - 600}, createdBefore: ${now + 600})`,
    )
    expect(within.errors).toEqual([])
    expect(within.ids.length, list).toBeGreaterThan(0)
    expect(await listOf(coordinator, `${list}(createdAfter: ${now + 600})`)).toEqual({ ids: [], errors: [] })
  }
  expect((await listOf(coordinator, `allReleases(createdAfter: ${now - 600})`)).ids).toEqual([id])
})

test('F-64 a sync answers the studies that are new and those that are gone, and says why it failed', async () => {
  const study = (id: string) => ({ id, name: id, visible: true, createdAt: null }) as unknown as ListedStudy
  let rows = ['SD_00000001', 'SD_00000002', 'SD_00000003'].map(study)
  const { coordinator, as } = await openChecking({}, { studySource: async () => rows })
  const query = `mutation { syncStudies { new { edges { node { kfId } } } deleted { edges { node { kfId deleted } } } } }`
  expect((await ask(coordinator, query, await as(person('USER')))).errors).toMatchObject([
    { message: 'Not authenticated to sync studies.' },
  ])
  rows = ['SD_00000001', 'SD_00000003', 'SD_00000004'].map(study)
  expect(await ask(coordinator, query, await as(person('ADMIN')))).toEqual({
    data: {
      syncStudies: {
        new: { edges: [{ node: { kfId: 'SD_00000004' } }] },
        deleted: { edges: [{ node: { kfId: 'SD_00000002', deleted: true } }] },
      },
    },
  })
  rows = []
  expect((await ask(coordinator, query, await as(person('ADMIN')))).errors).toMatchObject([
    { message: expect.stringMatching(/^Problem getting studies from the Data Service: ./) },
  ])
})

test('F-65 who is no admin gets each row once', async () => {
  const { coordinator, as } = await openChecking()
  const service = await coordinator.register()
  await coordinator.publishing([service], { studies: [STUDY, 'SD_9PYZAHHE'] })
  for (const list of ['allTasks', 'allEvents']) {
    const { ids } = await listOf(coordinator, list, await as(person('USER')))
    expect(ids.length).toBeGreaterThan(0)
    expect(new Set(ids).size, list).toBe(ids.length)
  }
})

test('F-66 a release note is found by its id', async () => {
  const coordinator = await openCoordinator()
  const release = await coordinator.issue()
  const note = { description: 'why', release: `/releases/${release}` }
  const { kf_id } = (await coordinator.call('POST', '/release-notes', note)).body
  const query = `{ releaseNote(id: "${idOf('ReleaseNoteNode', kf_id)}") { kfId description } }`
  expect(await ask(coordinator, query)).toEqual({
    data: { releaseNote: { kfId: kf_id, description: 'why' } },
  })
})

test('F-67 a filter that cannot be followed is an error, and a list has an end', async () => {
  const coordinator = await openCoordinator()
  const release = await coordinator.issue()
  for (const filter of [`release: "${release}"`, 'eventType: "bad"', 'taskService: "x"', 'task: ""']) {
    const { ids, errors } = await listOf(coordinator, `allEvents(${filter})`)
    expect([filter, ids, errors.length]).toEqual([filter, undefined, 1])
  }
  const unknown = idOf('ReleaseNode', 'RE_00000000')
  expect(await listOf(coordinator, `allEvents(release: "${unknown}")`)).toEqual({ ids: [], errors: [] })
  // That a list ends after a thousand rows is told by connection.test.ts; here that no page is larger than it may be.
  expect((await listOf(coordinator, 'allEvents(first: 101)')).errors).toHaveLength(1)
})
