import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'
import { StudyStore } from '../study-store.ts'
import { ask, errorsOf, idOf, nodesOf, post } from './graphql.fixture.ts'

const OTHER = 'SD_9PYZAHHE'

let fixture: Fixture
let service: string
/** Over one study and over two; the second is major. */
let one: string
let two: string
let task: string
let event: string
let note: string

beforeAll(async () => {
  fixture = await Fixture.start()
  service = (await fixture.register('one')).id
  one = await fixture.issue({ name: 'Spring 10%', author: 'me' })
  two = await fixture.issue({ studies: [STUDY, OTHER], is_major: true, tags: ['a'] })
  await fixture.tasksReach(one, 'running')
  await fixture.tasksReach(two, 'running')
  task = (await fixture.release(two)).tasks[0].kf_id
  const given = { description: 'n', release: `/releases/${two}`, study: `/studies/${OTHER}` }
  note = (await fixture.call('POST', '/release-notes', given)).body.kf_id
  event = (await fixture.call('GET', `/events?task=${task}`)).body.results[0].kf_id
})
afterAll(() => fixture.close())

const names = async (list: string): Promise<string[]> => {
  const data = await ask(fixture, `{ ${list} { edges { node { kfId } } } }`)
  return nodesOf(Object.values<any>(data)[0]).map(({ kfId }) => kfId)
}

test('every field of every node is answered', async () => {
  const head = 'id kfId uuid'
  const query = `{
    release(id: "${idOf('ReleaseNode', two)}") {
      ${head} author name description state tags version isMajor createdAt
      studies { edges { node { id kfId name visible deleted createdAt
        notes { edges { node { kfId } } } releases { edges { node { kfId } } } } } }
      tasks { edges { node { ${head} state progress createdAt release { kfId }
        taskService { ${head} name description url author lastOkStatus enabled createdAt healthStatus
          tasks { edges { node { kfId } } } events(first: 1) { edges { node { kfId } } } }
        events { edges { node { ${head} eventType message createdAt } } } } } }
      events { edges { node { eventType message task { kfId } } } }
      notes { edges { node { ${head} author description createdAt release { kfId } study { kfId } } } }
    }
    event(id: "${idOf('EventNode', event)}") { ${head} eventType release { kfId } taskService { kfId } task { kfId } }
    task(id: "${idOf('TaskNode', task)}") { id kfId }
    releaseNote(id: "${idOf('ReleaseNoteNode', note)}") { id kfId }
    taskService(id: "${idOf('TaskServiceNode', service)}") { id kfId }
    study(id: "${idOf('StudyNode', STUDY)}") { id kfId }
  }`
  const data = await ask(fixture, query)
  expect(data.release).toMatchObject({
    kfId: two,
    tags: ['a'],
    isMajor: true,
    studies: { edges: [{ node: { kfId: STUDY } }, { node: { kfId: OTHER } }] },
    tasks: {
      edges: [{ node: { kfId: task, progress: 0, release: { kfId: two }, taskService: { kfId: service } } }],
    },
    notes: { edges: [{ node: { kfId: note, release: { kfId: two }, study: { kfId: OTHER } } }] },
  })
  const [mine, others] = nodesOf(data.release.studies)
  expect([nodesOf(mine.notes), nodesOf(others.notes)]).toEqual([[], [{ kfId: note }]])
  expect(nodesOf(mine.releases)).toEqual([{ kfId: one }, { kfId: two }])
  expect(data.event).toMatchObject({
    kfId: event,
    eventType: 'INFO',
    release: { kfId: two },
    task: { kfId: task },
  })
  expect(data).toMatchObject({
    task: { kfId: task },
    releaseNote: { kfId: note },
    taskService: { kfId: service },
    study: { kfId: STUDY },
  })
})

test.each([
  ['release', 'ReleaseNode'],
  ['task', 'TaskNode'],
  ['taskService', 'TaskServiceNode'],
  ['event', 'EventNode'],
  ['study', 'StudyNode'],
  ['releaseNote', 'ReleaseNoteNode'],
])(
  '%s: an unknown id is null, and so is what is no id; that of something else is refused',
  async (field, type) => {
    const query = `query Q($id: ID!) { ${field}(id: $id) { id } }`
    for (const id of [idOf(type, 'XX_00000001'), 'garbage', ''])
      expect(await ask(fixture, query, { id })).toEqual({ [field]: null })
    expect(await errorsOf(fixture, query, { id: idOf('OtherNode', 'RE_00000001') })).toEqual([
      `Must receive a ${type} id.`,
    ])
  },
)

describe('filters', () => {
  const HOUR = 3600
  const soon = () => Date.now() / 1000 + HOUR

  test.each<[string, () => string[]]>([
    ['allReleases', () => [one, two]],
    ['allReleases(orderBy: "-created_at")', () => [two, one]],
    ['allReleases(orderBy: "name")', () => [one, two]],
    ['allReleases(isMajor: true)', () => [two]],
    ['allReleases(isMajor: false)', () => [one]],
    ['allReleases(version: "0.0.1")', () => [two]],
    ['allReleases(author: "me")', () => [one]],
    ['allReleases(name: "spring")', () => [two]],
    ['allReleases(nameContains: "SPRING")', () => [one, two]],
    ['allReleases(nameContains: "0%")', () => [one]],
    ['allReleases(nameContains: "%")', () => [one]],
    ['allReleases(nameContains: "_")', () => []],
    ['allReleases(state: "published")', () => []],
    ['allReleases(state: "")', () => [one, two]],
    ['allReleases(state: "\\u0000")', () => []],
    ['allReleases(first: 1)', () => [one]],
    ['allReleases(last: 1)', () => [two]],
    ['allTasks(kfId: "TA_00000000")', () => []],
    ['allTasks(release: "RE_00000000")', () => []],
    ['allTaskServices(enabled: true, name: "one")', () => [service]],
    ['allTaskServices(enabled: false)', () => []],
    ['allTaskServices(nameContains: "N")', () => [service]],
    ['allStudies(deleted: true)', () => []],
    ['allStudies(visible: true, nameContains: "no such")', () => []],
    ['allReleaseNotes', () => [note]],
    ['allReleaseNotes(author: "nobody")', () => []],
    ['allEvents(eventType: "error")', () => []],
    ['allEvents(messageContains: "no such")', () => []],
  ])('%s', async (list, expected) => expect(await names(list)).toEqual(expected()))

  test('by what belongs to it; an id that there is not finds nothing', async () => {
    expect(await names(`allTasks(release: "${two}", taskService: "${service}", state: "running")`)).toEqual([
      task,
    ])
    const own = await names(`allEvents(task: "${idOf('TaskNode', task)}")`)
    expect(own).toContain(event)
    const ofRelease = await names(`allEvents(release: "${idOf('ReleaseNode', two)}")`)
    expect(ofRelease).toEqual(expect.arrayContaining(own))
    expect(ofRelease.length).toBeGreaterThan(own.length)
    expect(await names(`allReleaseNotes(study: "${idOf('StudyNode', OTHER)}")`)).toEqual([note])
    expect(await names(`allReleaseNotes(study: "${idOf('StudyNode', STUDY)}")`)).toEqual([])
    expect(await names(`allEvents(release: "${idOf('ReleaseNode', 'RE_00000000')}")`)).toEqual([])
  })

  test.each(['allReleases', 'allTasks', 'allTaskServices', 'allEvents', 'allReleaseNotes'])(
    '%s by seconds since the epoch (F-63)',
    async (list) => {
      const all = await names(list)
      expect(all.length).toBeGreaterThan(0)
      expect(await names(`${list}(createdBefore: ${soon()}, createdAfter: 1.5)`)).toEqual(all)
      expect(await names(`${list}(createdAfter: ${soon()})`)).toEqual([])
      expect(await names(`${list}(createdBefore: 1.5)`)).toEqual([])
      expect(await names(`${list}(createdBefore: 1e300)`)).toEqual(all)
    },
  )

  test('studies by when the Data Service made them', async () => {
    const all = await ask(fixture, '{ allStudies { edges { node { kfId createdAt } } } }')
    const dated = nodesOf(all.allStudies).filter(({ createdAt }: any) => createdAt)
    const [first] = dated
    const at = Date.parse(first.createdAt) / 1000
    expect(await names(`allStudies(createdBefore: ${at + 1})`)).toContain(first.kfId)
    expect(await names(`allStudies(createdBefore: ${at})`)).not.toContain(first.kfId)
    expect(await names(`allStudies(createdAfter: ${at - 1})`)).toContain(first.kfId)
  })

  test.each([
    ['allEvents(release: "RE_00000000")', 'Must receive a ReleaseNode id.'],
    [`allEvents(taskService: "${idOf('ReleaseNode', 'RE_00000000')}")`, 'Must receive a TaskServiceNode id.'],
    ['allReleaseNotes(study: "")', 'Must receive a StudyNode id.'],
    ['allEvents(eventType: "INFO")', 'Argument "eventType" must be one of info, warning, error.'],
  ])('a wrong value is an error, and never everything: %s (F-67)', async (list, message) =>
    expect(await errorsOf(fixture, `{ ${list} { edges { node { id } } } }`)).toEqual([message]),
  )
})

test('of the events, pages from either end', async () => {
  const all = await names('allEvents')
  const query =
    'query Q($after: String) { allEvents(first: 2, after: $after) { pageInfo { hasNextPage endCursor } edges { node { kfId } } } }'
  const seen: string[] = []
  for (let after: string | null = null, more = true; more;) {
    const { allEvents }: any = await ask(fixture, query, { after })
    seen.push(...nodesOf(allEvents).map(({ kfId }: any) => kfId))
    after = allEvents.pageInfo.endCursor
    more = allEvents.pageInfo.hasNextPage
  }
  expect(seen).toEqual(all)
  expect(await names('allEvents(last: 2)')).toEqual(all.slice(-2))
  expect(await names('allEvents(first: 2, orderBy: "-created_at")')).toEqual(all.toReversed().slice(0, 2))
})

test('a list of no users is empty, whatever it is asked for', async () => {
  const query = `{ allUsers(email_Contains: "a", lastLogin_Gt: "2020-01-01T00:00:00Z", joinedBefore: 5, first: 3) {
    pageInfo { hasNextPage } edges { cursor node { id email } } } }`
  expect(await ask(fixture, query)).toEqual({ allUsers: { pageInfo: { hasNextPage: false }, edges: [] } })
})

describe('limits', () => {
  test('the depth of a question; that of the schema is another matter', async () => {
    const nested = (levels: number): string =>
      levels === 0
        ? 'kfId'
        : `studies { edges { node { releases { edges { node { ${nested(levels - 1)} } } } } } }`
    const query = (levels: number) => `{ release(id: "${idOf('ReleaseNode', one)}") { ${nested(levels)} } }`
    expect((await post(fixture, query(1))).code).toBe(200)
    const { code, body } = await post(fixture, query(2))
    expect([code, body]).toEqual([
      400,
      { errors: [{ message: 'The query is 14 levels deep: 12 are the most.' }] },
    ])
    const hidden = `query { release(id: "x") { ...A } } fragment A on ReleaseNode { ${nested(2)} }`
    expect((await post(fixture, hidden)).body.errors[0].message).toContain('levels deep')
  })

  test('a fragment within itself is refused', async () => {
    const query = '{ release(id: "x") { ...A } } fragment A on ReleaseNode { id ...A }'
    expect(await post(fixture, query)).toMatchObject({ code: 400 })
  })

  test('the number of fields, each fragment wherever it is used', async () => {
    const doubled = Array.from(
      { length: 12 },
      (_, index) =>
        `fragment F${index} on Status { ${index === 11 ? 'name' : `...F${index + 1} ...F${index + 1}`} }`,
    )
    const { code, body } = await post(fixture, `{ status { ...F0 } } ${doubled.join(' ')}`)
    expect([code, body.errors[0].message]).toEqual([400, 'The query asks for 2049 fields: 500 are the most.'])
  })

  test('the length of a question', async () => {
    const { code, body } = await post(fixture, `{ status { ${'name '.repeat(3000)} } }`)
    expect([code, body.errors[0].message]).toEqual([400, expect.stringContaining('tokens')])
  })

  test('the schema may be read as tools do it', async () => {
    const { getIntrospectionQuery } = await import('graphql')
    const { code, body } = await post(fixture, getIntrospectionQuery())
    expect([code, body.errors]).toEqual([200, undefined])
  })

  test('the size of an answer', async () => {
    for (let more = 0; more < 10; more++) await fixture.issue()
    const inner = Array.from(
      { length: 80 },
      (_, index) => `b${index}: events { edges { node { release { kfId } } } }`,
    )
    const query = `{ allEvents { edges { node { release { ${inner.join(' ')} } } } } }`
    const { code, body } = await post(fixture, query)
    expect(code).toBe(200)
    const messages = new Set(body.errors.map((error: { message: string }) => error.message))
    expect([...messages]).toEqual([expect.stringContaining('The answer would have more than 20000 objects')])
    expect(body.errors.length).toBeLessThanOrEqual(100)
  })
})

test('an error of ours is told to the log alone, and the other fields are answered', async () => {
  const broken = vi.spyOn(StudyStore.prototype, 'all').mockRejectedValue(new Error('secret'))
  const { code, body } = await post(fixture, '{ allStudies { edges { node { id } } } status { commit } }')
  broken.mockRestore()
  expect([code, body.data, body.errors]).toEqual([
    200,
    { allStudies: null, status: { commit: null } },
    [{ message: 'Internal error', path: ['allStudies'], locations: [expect.anything()] }],
  ])
})
