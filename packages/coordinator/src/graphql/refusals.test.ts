import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fixture, STUDY } from '../coordinator.fixture.ts'
import { ask, errorsOf, idOf, OPERATIONS, type Variables } from './graphql.fixture.ts'

const OTHER = 'SD_9PYZAHHE'

let fixture: Fixture
let release: string
let taskService: string
beforeAll(async () => {
  fixture = await Fixture.start()
  taskService = idOf('TaskServiceNode', (await fixture.register('one')).id)
  release = idOf('ReleaseNode', await fixture.issue())
  await ask(fixture, '{ status { name } }')
})
afterAll(() => fixture.close())

const refused = (operation: keyof typeof OPERATIONS, variables: Variables) =>
  errorsOf(fixture, OPERATIONS[operation], variables)

const studies = [idOf('StudyNode', STUDY)]

test.each<[string, object, string]>([
  ['no studies', { name: 'x', studies: [] }, 'studies: Must have at least one study'],
  ['no name', { name: ' ', studies }, 'name: This field may not be blank.'],
  [
    'a long name',
    { name: 'x'.repeat(257), studies },
    'name: Ensure this field has no more than 256 characters.',
  ],
  [
    'an unknown study',
    { name: 'x', studies: [idOf('StudyNode', 'SD_00000000')] },
    'studies: Invalid pk "SD_00000000"',
  ],
  [
    'an id of something else',
    { name: 'x', studies: [idOf('ReleaseNode', STUDY)] },
    'studies: Invalid pk "none"',
  ],
  ['our own id', { name: 'x', studies: [STUDY] }, 'studies: Invalid pk "none"'],
  ['null', { name: 'x', studies: [null] }, 'studies: Invalid pk "none"'],
])('a release with %s is not started, and nothing is left of it (F-58)', async (_, input, message) => {
  const before = (await fixture.call('GET', '/releases')).body.count
  expect(await refused('StartRelease', { input })).toEqual([expect.stringContaining(message)])
  expect((await fixture.call('GET', '/releases')).body.count).toBe(before)
})

test.each([
  ['an unknown one', idOf('ReleaseNode', 'RE_00000000')],
  ['no id', 'garbage'],
  ['a path', idOf('ReleaseNode', '../x')],
  ['the id of a study', idOf('StudyNode', STUDY)],
])('%s is no release', async (_, id) => {
  const missing = ['The release was not found.']
  expect(await refused('UpdateRelease', { release: id, input: { name: 'x' } })).toEqual(missing)
  expect(await refused('PublishRelease', { release: id })).toEqual(missing)
  expect(await refused('CancelRelease', { release: id })).toEqual(missing)
})

test('a release keeps what is not given, also where it is null', async () => {
  const variables = { release, input: { name: null, description: 'd' } }
  expect((await ask(fixture, OPERATIONS.UpdateRelease, variables)).updateRelease.release).toMatchObject({
    name: 'spring',
    description: 'd',
  })
})

test('a task service whose address is none of a task service', async () => {
  const create = (input: object) =>
    refused('CreateService', { input: { name: 'x', description: 'd', ...input } })
  expect(await create({ url: 'ftp://x' })).toEqual([
    "There was a problem with the service url: ['Enter a valid URL.']",
  ])
  expect(await create({ url: 'http://127.0.0.1:1' })).toEqual([
    "There was a problem with the service url: ['could not reach http://127.0.0.1:1: no connection']",
  ])
  const url = (await fixture.fake()).url
  expect(await create({ url, name: '' })).toEqual(['name: This field may not be blank.'])
  expect(await refused('UpdateService', { taskService, input: { name: 'x', url: 'ftp://x' } })).toEqual([
    "There was a problem with the service url: ['Enter a valid URL.']",
  ])
  const unknown = idOf('TaskServiceNode', 'TS_00000000')
  expect(await refused('UpdateService', { taskService: unknown, input: { name: 'x', url } })).toEqual([
    'TaskService matching query does not exist.',
  ])
})

test.each([undefined, null, ''])(
  'a task service with the description %j is described by its name',
  async (given) => {
    const { url } = await fixture.fake()
    const input = {
      name: 'plain',
      url,
      enabled: false,
      ...(given === undefined ? {} : { description: given }),
    }
    const { createTaskService } = await ask(fixture, OPERATIONS.CreateService, { input })
    expect(createTaskService.taskService).toMatchObject({
      name: 'plain',
      description: 'plain',
      enabled: false,
    })
  },
)

test('a note about what there is not', async () => {
  const create = (given: object) =>
    refused('CreateReleaseNote', { input: { description: 'x', release, study: studies[0], ...given } })
  const kfId = atob(release).split(':')[1]
  expect(await create({ study: idOf('StudyNode', 'SD_00000000') })).toEqual([
    'Study SD_00000000 does not exist',
  ])
  expect(await create({ release: idOf('ReleaseNode', 'RE_00000000') })).toEqual([
    'Release RE_00000000 does not exist',
  ])
  expect(await create({ study: idOf('StudyNode', OTHER) })).toEqual([
    `Study ${OTHER} is not in release ${kfId}`,
  ])
  expect(await create({ description: '' })).toEqual(['description: This field may not be blank.'])
  const note = idOf('ReleaseNoteNode', 'RN_00000000')
  const missing = ['Release note RN_00000000 does not exist']
  expect(await refused('UpdateReleaseNote', { releaseNote: note, input: { description: 'x' } })).toEqual(
    missing,
  )
  expect(await refused('RemoveReleaseNote', { releaseNote: note })).toEqual(missing)
})

test('of several changes in one request each is done, in their order', async () => {
  const change = (alias: string, text: string) =>
    `${alias}: updateRelease(release: "${release}", input: {description: "${text}"}) { release { description } }`
  const data = await ask(fixture, `mutation { ${change('a', 'first')} ${change('b', 'second')} }`)
  expect(data).toEqual({
    a: { release: { description: 'first' } },
    b: { release: { description: 'second' } },
  })
})

test('each change counts as a request of its own', async () => {
  const limited = await Fixture.start({ env: { RATE_LIMIT: '1' } })
  const change = (alias: number) => `a${alias}: cancelRelease(release: "x") { release { id } }`
  const all = Array.from({ length: 10 }, (_, index) => change(index)).join(' ')
  const messages = await errorsOf(limited, `mutation { ${all} }`)
  await limited.close()
  expect(messages.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'The release was not found.'))
  expect(messages.at(-1)).toMatch(/^Too many requests/)
})
