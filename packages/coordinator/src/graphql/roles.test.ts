// Who may do what over GraphQL: what the REST API lets them (AU-7), and not one thing more.
import { rawRequest } from '@release-task/auth/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { STUDY } from '../coordinator.fixture.ts'
import { AuthFixture, FOREIGN_STUDY, type CallerName } from '../http/auth.fixture.ts'
import { ask, idOf, OPERATIONS, post, type Variables } from './graphql.fixture.ts'

const CALLERS: readonly CallerName[] = ['anonymous', 'USER', 'DEV', 'ADMIN', 'machine', 'admin machine']
const ADMINS: readonly CallerName[] = ['ADMIN', 'admin machine']
const DEVELOPERS: readonly CallerName[] = ['DEV', ...ADMINS]

let auth: AuthFixture
let service: { readonly id: string; readonly url: string }
let release: string
let note: string

const asked = async (caller: CallerName, operation: keyof typeof OPERATIONS, variables: Variables) =>
  post(auth.coordinator, OPERATIONS[operation], variables, await auth.headersOf(caller))

/** Whatever anybody changes is in the trail. */
const changes = async () => (await auth.coordinator.call('GET', '/audit')).body.count as number

describe('with AUTH=on', () => {
  beforeAll(async () => {
    auth = await AuthFixture.start()
    service = await auth.coordinator.register('one')
  })
  afterAll(() => auth.close())

  beforeEach(async () => {
    release = await auth.coordinator.issue()
    const given = { description: 'a note', release: `/releases/${release}`, study: `/studies/${STUDY}` }
    note = (await auth.coordinator.call('POST', '/release-notes', given)).body.kf_id
  })

  const studies = [idOf('StudyNode', STUDY)]
  const ofRelease = () => ({ release: idOf('ReleaseNode', release) })
  const ofNote = () => ({ releaseNote: idOf('ReleaseNoteNode', note) })

  type Case = readonly [
    operation: keyof typeof OPERATIONS,
    refusal: string,
    who: readonly CallerName[],
    variables: () => Variables,
    /** Of who may: what is wrong with it all the same. */
    fault?: string,
  ]
  const CASES: readonly Case[] = [
    [
      'StartRelease',
      'Not authenticated to create a release.',
      DEVELOPERS,
      () => ({ input: { name: 'new', studies } }),
    ],
    [
      'UpdateRelease',
      'Not authenticated to update the release.',
      ADMINS,
      () => ({ ...ofRelease(), input: { description: 'changed' } }),
    ],
    ['CancelRelease', 'Not authenticated to cancel a release.', ADMINS, ofRelease],
    ['PublishRelease', 'Not authenticated to publish a release.', ADMINS, ofRelease, 'may not be published.'],
    [
      'CreateService',
      'Not authenticated to create a task service.',
      DEVELOPERS,
      () => ({ input: { name: 'two', description: 'd', url: service.url } }),
      'is registered already',
    ],
    [
      'UpdateService',
      'Not authenticated to create a task service.',
      DEVELOPERS,
      () => ({
        taskService: idOf('TaskServiceNode', service.id),
        input: { name: `name ${release}`, url: service.url },
      }),
    ],
    ['SyncStudies', 'Not authenticated to sync studies.', DEVELOPERS, () => ({})],
    [
      'CreateReleaseNote',
      'Not authenticated to create a release note.',
      ADMINS,
      () => ({ input: { ...ofRelease(), study: studies[0], description: 'new' } }),
    ],
    [
      'UpdateReleaseNote',
      'Not authenticated to update a release note.',
      ADMINS,
      () => ({ ...ofNote(), input: { description: 'changed' } }),
    ],
    ['RemoveReleaseNote', 'Not authenticated to delete a release note.', ADMINS, ofNote],
  ]

  for (const [operation, refusal, who, variables, fault] of CASES)
    test.each(CALLERS)(`${operation} as %s`, async (caller) => {
      const before = await changes()
      const { code, body } = await asked(caller, operation, variables())
      const messages = (body.errors ?? []).map(({ message }: { message: string }) => message)
      expect(code).toBe(200)
      if (!who.includes(caller)) {
        expect(messages).toEqual([refusal])
        expect(Object.values(body.data)).toEqual([null])
        expect(await changes()).toBe(before)
      } else expect(messages).toEqual(fault ? [expect.stringContaining(fault)] : [])
    })

  test('every mutation of the page is in this table', () => {
    const mutations = Object.entries(OPERATIONS).filter(([, text]) => text.startsWith('mutation'))
    expect(CASES.map(([name]) => name as string).toSorted()).toEqual(
      mutations.map(([name]) => name).toSorted(),
    )
  })

  test('a developer releases the studies of its groups alone', async () => {
    const input = { name: 'new', studies: [idOf('StudyNode', FOREIGN_STUDY)] }
    const { body } = await asked('DEV', 'StartRelease', { input })
    expect(body.errors).toMatchObject([{ message: 'Not authenticated to create a release.' }])
  })

  test('who asks is the author, and in the audit trail as for REST (F-59)', async () => {
    const { body } = await asked('DEV', 'StartRelease', { input: { name: 'new', studies } })
    expect(body.data.startRelease.release).toMatchObject({ name: 'new' })
    const { kfId } = body.data.startRelease.release
    const { author } = await auth.coordinator.release(kfId)
    expect(author).toBe('Dora')
    const audit = (await auth.coordinator.call('GET', `/audit?subject=${kfId}`)).body.results
    expect(audit).toMatchObject([{ actor: 'user:u-dev', action: 'release.create', subject: kfId }])
  })

  test('reads are open to everybody, as over REST', async () => {
    for (const caller of CALLERS) {
      const { body } = await asked(caller, 'GetRelease', { id: idOf('ReleaseNode', release) })
      expect(body).toMatchObject({ data: { release: { kfId: release } } })
    }
  })

  test('a profile is what the token says', async () => {
    const { body } = await asked('DEV', 'profile', {})
    expect(body.data.myProfile).toEqual({
      id: idOf('UserNode', 'u-dev'),
      username: 'Dora',
      email: expect.any(String),
      roles: ['DEV'],
      groups: [STUDY],
      picture: expect.any(String),
      slackNotify: false,
      slackMemberId: '',
      firstName: expect.any(String),
      lastName: expect.any(String),
      __typename: 'UserNode',
    })
    const query = '{ myProfile { dateJoined lastLogin } }'
    const dates = await ask(auth.coordinator, query, {}, await auth.headersOf('USER'))
    expect(dates.myProfile.dateJoined).toMatch(/^20.+\+00:00$/)
    for (const caller of ['anonymous', 'machine'] as const)
      expect((await asked(caller, 'profile', {})).body.errors).toMatchObject([
        { message: 'not authenticated as a user with a profile' },
      ])
  })

  test('of several tokens none counts, also not for what a mutation asks within', async () => {
    const { authorization = '' } = await auth.headersOf('ADMIN')
    const body = { query: OPERATIONS.CancelRelease, variables: ofRelease() }
    const sent = { method: 'POST', path: '/graphql', body }
    const twice = await rawRequest(auth.url, { ...sent, authorization: [authorization, authorization] })
    expect([twice.status, twice.body]).toMatchObject([
      200,
      { errors: [{ message: 'Not authenticated to cancel a release.' }] },
    ])
    const once = await rawRequest(auth.url, { ...sent, authorization: [authorization] })
    expect(once.body).not.toHaveProperty('errors')
  })

  test('the token of the page that nobody is signed in at is nobody', async () => {
    const { code, body } = await post(
      auth.coordinator,
      OPERATIONS.Status,
      {},
      { authorization: 'Bearer null' },
    )
    expect([code, body.errors]).toEqual([200, undefined])
  })
})

describe('with AUTH_READS=required', () => {
  beforeAll(async () => {
    auth = await AuthFixture.start({ AUTH_READS: 'required' })
  })
  afterAll(() => auth.close())

  const query = '{ status { name } allReleases { edges { node { id } } } }'

  test('who is not known is told so at every field (AU-3)', async () => {
    const message = 'Authentication credentials were not provided.'
    for (const headers of [{ authorization: '' }, { authorization: 'Bearer null' }]) {
      const { code, body } = await post(auth.coordinator, query, {}, headers)
      expect([code, body.data]).toEqual([200, { status: null, allReleases: null }])
      expect(body.errors).toMatchObject([
        { message, path: ['status'] },
        { message, path: ['allReleases'] },
      ])
      const get = `/graphql?query=${encodeURIComponent(query)}`
      expect((await auth.coordinator.call('GET', get, undefined, headers)).body.data).toEqual(body.data)
    }
  })

  test('nor does a change show them anything', async () => {
    const input = { name: 'new', studies: [idOf('StudyNode', STUDY)] }
    const { body } = await asked('anonymous', 'StartRelease', { input })
    expect(body.errors).toMatchObject([{ message: 'Not authenticated to create a release.' }])
  })

  test('everybody who is known reads', async () => {
    const data = await ask(auth.coordinator, query, {}, await auth.headersOf('USER'))
    expect(data.allReleases).toEqual({ edges: [] })
  })
})
