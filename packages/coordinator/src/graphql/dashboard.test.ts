// The operations of the original's page against a whole coordinator, in the order in which somebody works.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'
import type { ListedStudy } from '../study-store.ts'
import { ask, errorsOf, idOf, nodesOf, OPERATIONS, type Variables } from './graphql.fixture.ts'

const DATE = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
const study = (id: string): ListedStudy => ({
  id: id as ListedStudy['id'],
  name: `study ${id}`,
  visible: true,
  createdAt: `2019-0${id.at(-1)}-02T03:04:05.123456Z`,
})

let sources = [study('SD_00000001'), study('SD_00000002'), study(STUDY.replace(/.$/, '3'))]
const THIRD = sources[2]?.id ?? ''
let fixture: Fixture
/** Of the release that most of this is about, in our form and in that of the page. */
let kfId: string
let release: string

beforeAll(async () => {
  fixture = await Fixture.start({ studySource: async () => sources })
})
afterAll(() => fixture.close())

const sent = (operation: keyof typeof OPERATIONS, variables: Variables = {}) =>
  ask(fixture, OPERATIONS[operation], variables)

test('studies are read, and shown with what was published of them', async () => {
  const shown = nodesOf((await sent('AllStudies')).allStudies)
  // The newest first.
  expect(shown.map(({ kfId: id }: any) => id)).toEqual([THIRD, 'SD_00000002', 'SD_00000001'])
  expect(shown[1]).toEqual({
    id: idOf('StudyNode', 'SD_00000002'),
    kfId: 'SD_00000002',
    name: 'study SD_00000002',
    createdAt: '2019-02-02T03:04:05.123456+00:00',
    visible: true,
    deleted: false,
    releases: { edges: [], __typename: 'ReleaseNodeConnection' },
    __typename: 'StudyNode',
  })
})

test('a sync answers the studies that are new and those that are gone (F-64)', async () => {
  const kept = sources
  sources = [kept[0] as ListedStudy, kept[2] as ListedStudy, study('SD_00000004')]
  const { syncStudies } = await sent('SyncStudies')
  expect(syncStudies).toMatchObject({ __typename: 'SyncStudies', new: { __typename: 'StudyNodeConnection' } })
  expect(nodesOf(syncStudies.new)).toMatchObject([{ kfId: 'SD_00000004', deleted: false }])
  expect(nodesOf(syncStudies.deleted)).toMatchObject([{ kfId: 'SD_00000002', deleted: true }])
  expect(nodesOf((await sent('SyncStudies')).syncStudies.new)).toEqual([])
  sources = [study('SD_00000009')]
  expect(await errorsOf(fixture, OPERATIONS.SyncStudies)).toEqual([
    expect.stringMatching(/^Problem getting studies from the Data Service: .+ would delete/),
  ])
  sources = kept
  await sent('SyncStudies')
})

test('a task service is registered, switched off, edited, and switched on', async () => {
  const service = await fixture.fake('one')
  const input = { name: 'one', description: 'does it', url: service.url }
  const { taskService } = (await sent('CreateService', { input })).createTaskService
  expect(taskService).toEqual({
    id: idOf('TaskServiceNode', taskService.kfId),
    kfId: expect.stringMatching(/^TS_/),
    ...input,
    createdAt: DATE,
    healthStatus: 'ok',
    enabled: true,
    __typename: 'TaskServiceNode',
  })
  const update = async (given: object) =>
    (await sent('UpdateService', { taskService: taskService.id, input: given })).updateTaskService.taskService
  // It does not answer any more, and can be switched off all the same: its address is not another one.
  service.status = { code: 500, body: '' }
  expect(await update({ name: 'one', url: service.url, enabled: false })).toMatchObject({ enabled: false })
  expect(await update({ name: 'uno', description: 'did it', url: service.url })).toMatchObject({
    name: 'uno',
    enabled: false,
  })
  expect(await update({ name: 'one', url: service.url, enabled: true })).toMatchObject({
    description: 'did it',
    enabled: true,
  })
  expect((await sent('GetService', { id: taskService.id })).taskService).toMatchObject({
    author: 'admin',
    createdAt: DATE,
  })
  expect(nodesOf((await sent('AllServices')).allTaskServices)).toEqual([
    {
      id: taskService.id,
      kfId: taskService.kfId,
      name: 'one',
      description: 'did it',
      enabled: true,
      url: service.url,
      author: 'admin',
      healthStatus: 'ok',
      __typename: 'TaskServiceNode',
    },
  ])
})

test('a release is started, and shown with its studies and tasks', async () => {
  const studies = ['SD_00000001', THIRD].map((id) => idOf('StudyNode', id))
  const input = { name: 'spring', description: '', studies, isMajor: true }
  const { startRelease } = await sent('StartRelease', { input })
  kfId = startRelease.release.kfId
  release = idOf('ReleaseNode', kfId)
  expect(startRelease).toMatchObject({
    __typename: 'StartRelease',
    release: { id: release, version: '0.0.0', name: 'spring', isMajor: true, __typename: 'ReleaseNode' },
  })
  await fixture.tasksReach(kfId, 'running')
  const shown = (await sent('GetRelease', { id: release })).release
  expect(shown).toMatchObject({ author: 'admin', state: 'running', createdAt: DATE, description: '' })
  expect(nodesOf(shown.studies).map(({ id }: any) => id)).toEqual(studies)
  // Asked by our own id, other than every other list.
  const tasks = nodesOf((await sent('AllTasks', { first: 10, release: kfId })).allTasks)
  expect(tasks).toEqual([
    {
      id: expect.any(String),
      kfId: expect.stringMatching(/^TA_/),
      state: 'running',
      createdAt: DATE,
      taskService: { id: expect.any(String), name: 'one', __typename: 'TaskServiceNode' },
      __typename: 'TaskNode',
    },
  ])
  expect(nodesOf((await sent('AllTasks', { first: 10 })).allTasks)).toEqual(tasks)
})

test('notes are written, changed and removed', async () => {
  const write = async (about: string, description: string) => {
    const input = { release, study: idOf('StudyNode', about), description }
    return (await sent('CreateReleaseNote', { input })).createReleaseNote.releaseNote.id
  }
  const [first, second] = [await write('SD_00000001', 'one'), await write(THIRD, 'two')]
  const { updateReleaseNote } = await sent('UpdateReleaseNote', {
    releaseNote: second,
    input: { description: 'three' },
  })
  expect(updateReleaseNote).toEqual({
    releaseNote: { id: second, __typename: 'ReleaseNoteNode' },
    __typename: 'UpdateReleaseNote',
  })
  // The page asks for them again with a variable that the query does not know.
  const { allReleaseNotes } = await sent('AllNotes', { release, study: first })
  expect(nodesOf(allReleaseNotes)).toMatchObject([
    { id: first, description: 'one', createdAt: DATE, study: { id: idOf('StudyNode', 'SD_00000001') } },
    { id: second, description: 'three', study: { id: idOf('StudyNode', THIRD) } },
  ])
  expect((await sent('RemoveReleaseNote', { releaseNote: first })).removeReleaseNote).toEqual({
    success: true,
    __typename: 'RemoveReleaseNote',
  })
  expect(nodesOf((await sent('GetRelease', { id: release })).release.notes)).toMatchObject([
    { id: second, description: 'three' },
  ])
})

test('its description is changed, then it is published, and told by its events', async () => {
  const { updateRelease } = await sent('UpdateRelease', { release, input: { description: 'about it' } })
  expect(updateRelease.release).toMatchObject({ description: 'about it', name: 'spring' })
  expect(await errorsOf(fixture, OPERATIONS.PublishRelease, { release })).toEqual([
    'The release in state running may not be published.',
  ])
  const [task] = (await fixture.release(kfId)).tasks
  await fixture.report(task.kf_id, { state: 'staged' })
  await fixture.reaches(kfId, 'staged')
  const { publishRelease } = await sent('PublishRelease', { release })
  expect(publishRelease.release).toMatchObject({ kfId, state: 'publishing' })
  await fixture.tasksReach(kfId, 'publishing')
  await fixture.report(task.kf_id, { state: 'published' })
  await fixture.reaches(kfId, 'published')
  const events = nodesOf((await sent('AllEvents', { release })).allEvents)
  expect(events[0]).toMatchObject({
    createdAt: DATE,
    message: expect.stringMatching(/published$/),
    release: { id: release, kfId, name: 'spring' },
    task: null,
    taskService: null,
    __typename: 'EventNode',
  })
  const ofTask = events.filter((event: any) => event.task)
  expect(ofTask.length).toBeGreaterThan(2)
  const { taskService } = ofTask[0]
  const ofService = nodesOf((await sent('AllEvents', { taskService: taskService.id, first: 2 })).allEvents)
  expect(ofService).toMatchObject([{ taskService }, { taskService }])
  expect(nodesOf((await sent('AllEvents', { first: 10 })).allEvents).length).toBe(10)
})

test('it is found by its state, and at its studies', async () => {
  const published = nodesOf((await sent('AllReleases', { state: 'published', first: 1 })).allReleases)
  expect(published).toMatchObject([
    { kfId, version: '1.0.0', notes: { edges: [{ node: { study: { id: idOf('StudyNode', THIRD) } } }] } },
  ])
  const of = async (id: string) => (await sent('GetStudy', { id: idOf('StudyNode', id) })).study
  expect(nodesOf((await of(THIRD)).releases)).toMatchObject([{ kfId, version: '1.0.0', createdAt: DATE }])
  expect(nodesOf((await of('SD_00000002')).releases)).toEqual([])
  const studies = nodesOf((await sent('AllStudies', { first: 10 })).allStudies)
  expect(studies.find(({ kfId: id }: any) => id === THIRD)).toMatchObject({
    releases: { edges: [{ node: { kfId, version: '1.0.0' } }] },
  })
})

test('another one is canceled', async () => {
  const studies = [idOf('StudyNode', 'SD_00000001')]
  const { startRelease } = await sent('StartRelease', { input: { name: 'again', studies, isMajor: false } })
  const { id, kfId: other } = startRelease.release
  await fixture.tasksReach(other, 'running')
  const { cancelRelease } = await sent('CancelRelease', { release: id })
  expect(cancelRelease.release).toMatchObject({ kfId: other, state: 'canceling', __typename: 'ReleaseNode' })
  await fixture.reaches(other, 'canceled')
  expect(await errorsOf(fixture, OPERATIONS.CancelRelease, { release: id })).toEqual([
    'The release in state canceled may not be canceled.',
  ])
  expect(await errorsOf(fixture, OPERATIONS.CancelRelease, { release })).toEqual([
    'The release in state published may not be canceled.',
  ])
  const all = nodesOf((await sent('AllReleases')).allReleases)
  expect(all.map(({ kfId: one }: any) => one)).toEqual([other, kfId])
  expect(nodesOf((await sent('AllReleases', { first: 5 })).allReleases)).toEqual(all)
})

test('what runs here is said; who nobody knows has no profile', async () => {
  expect((await sent('Status')).status).toEqual({
    name: 'Kids First Release Coordinator',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    commit: null,
    __typename: 'Status',
  })
  expect(await errorsOf(fixture, OPERATIONS.profile)).toEqual(['not authenticated as a user with a profile'])
})
