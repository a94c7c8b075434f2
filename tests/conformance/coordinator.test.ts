import { describe, expect, test, type TestContext } from 'vitest'
import {
  checkCoordinator,
  CheckRefused,
  COORDINATOR_TOPICS,
  NobodyThere,
  type CoordinatorCheck,
  type Finding,
  type TopicTold,
} from '@release-task/conformance'
import { checking, COORDINATOR, openIssuer, person } from '../flaws/access.fixture.ts'
import { openCoordinator } from '../flaws/coordinator.fixture.ts'
import { FlawedCoordinator } from './flawed-coordinator.fixture.ts'
import type { Flaw } from './flawed-records.fixture.ts'

const MINUTES_MS = 60_000
const OVER = ['published', 'canceled', 'failed']

const checkOf = (url: string, fields: Partial<CoordinatorCheck> = {}): CoordinatorCheck => ({
  url,
  token: null,
  listenHost: '127.0.0.1',
  study: null,
  withinMs: 3000,
  random: Math.random,
  told: () => {},
  ...fields,
})

type Ends = Pick<TestContext, 'onTestFinished'>

async function open({ onTestFinished }: Ends, ...flaws: readonly Flaw[]): Promise<FlawedCoordinator> {
  const coordinator = await new FlawedCoordinator(...flaws).listen()
  onTestFinished(() => coordinator.close())
  return coordinator
}

const broken = (findings: readonly Finding[], level?: Finding['level']): readonly string[] =>
  findings
    .filter(({ outcome, level: own }) => outcome === 'broken' && (level ?? own) === own)
    .map(({ level, rule, topic, claim, found }) => `${level} ${rule} ${topic}: ${claim} (${found})`)

test('ours keeps all of it, and nothing is left behind', { timeout: 3 * MINUTES_MS }, async () => {
  const coordinator = await openCoordinator()
  const foreign = await coordinator.register('of somebody else, and disabled')
  await coordinator.call('PATCH', `/task-services/${foreign.id}`, { enabled: false })
  const topics: string[] = []
  const told: CoordinatorCheck['told'] = ({ topic }) => void topics.push(topic)
  const findings = await checkCoordinator(checkOf(coordinator.url, { withinMs: 10_000, told }))
  expect(broken(findings)).toEqual([])
  expect(findings.filter(({ outcome }) => outcome === 'unchecked')).toEqual([])
  expect(topics).toEqual(COORDINATOR_TOPICS)
  const services = await coordinator.call('GET', '/task-services')
  expect(services.body.results).toMatchObject([{ kf_id: foreign.id, enabled: false }])
  expect(foreign.received).toEqual([])
  const releases = await coordinator.call('GET', '/releases?limit=1000')
  const states = releases.body.results.map(({ state }: { state: string }) => state)
  expect(states.filter((state: string) => !OVER.includes(state))).toEqual([])
})

const FLAWS: readonly (readonly [flaw: Flaw, topic: string, level: Finding['level'], rule: string])[] = [
  ['F-01 writes an old row over staged', 'staged, reported before the answer to start', 'must', 'RC-12'],
  [
    'F-02 writes an old row over published',
    'published, reported before the answer to publish',
    'must',
    'RC-12',
  ],
  ['F-05 tells start twice', 'five releases, one after the other', 'must', 'RC-5'],
  ['F-07 tells start after cancel', 'canceled while it runs', 'must', 'RC-5'],
  [
    'F-08 writes initialized over canceled',
    'canceled while a service is slow to answer initialize',
    'must',
    'RC-2',
  ],
  ['F-11 gives two releases one version', 'two releases side by side', 'must', 'RC-29'],
  ['F-16 takes a refusal for a yes', 'initialize is answered 500 once', 'must', 'RC-10'],
  ['F-16 takes a refusal for a yes', 'initialize is answered 400', 'must', 'RC-10'],
  [
    'F-17 does not read the answer to initialize',
    'initialize is answered with the state failed',
    'must',
    'RC-10',
  ],
  ['F-18 hangs when start is refused', 'start is refused by one of two', 'must', 'RC-10'],
  ['F-18 hangs when start is refused', 'start is answered 200 that is no JSON', 'must', 'RC-10'],
  ['F-19 hangs when publish is refused', 'publish is answered 400', 'must', 'RC-22'],
  ['F-23 tells cancel once', 'a cancel that a service does not take at first', 'should', 'RC-20'],
  ['F-25 leaves no reason', 'start is answered 202', 'should', 'RC-11'],
  ['F-34 fails a release after one poll', 'a poll that is answered 500', 'must', 'RC-16'],
  [
    'F-42 deletes the tasks with the service',
    'a service that is deleted while a release needs it',
    'must',
    'RC-35',
  ],
  ['F-45 stores any word', 'a report that is wrong', 'must', 'RC-23'],
  ['F-46 stumbles over a repeated report', 'staged and published, reported again', 'must', 'RC-24'],
  ['F-48 changes what is over', 'a report of a release that is over', 'must', 'RC-25'],
  ['F-49 publishes what is not staged', 'publish of a release that is not staged', 'must', 'CR-21'],
  ['F-60 stumbles over an unknown id', 'an id that is none', 'must', 'CR-14'],
  ['stages with the first task', 'a release, from initialize to published', 'must', 'RC-1'],
  ['starts before all have accepted', 'a release, from initialize to published', 'must', 'RC-1'],
  ['raises the version too early', 'a release, from initialize to published', 'must', 'RC-30'],
  ['writes no events', 'a release, from initialize to published', 'must', 'RC-31'],
  ['registers what it cannot reach', 'registering what is no task service', 'must', 'CR-29'],
  ['does not cancel the others', 'failed, reported by one of two', 'must', 'RC-19'],
  ['repeats without asking', 'the answer to start is lost', 'should', 'RC-8'],
  ['lets a running release be renamed', 'an edit of a release that runs', 'should', 'RC-37'],
  ['takes its state from a body', 'an edit of a release that runs', 'must', 'CR-8'],
  ['does not poll', 'a poll that is answered 500', 'must', 'RC-15'],
]

describe('a small coordinator', () => {
  test.concurrent(
    'the small one without flaws keeps all that it must',
    { timeout: 3 * MINUTES_MS },
    async (context) => {
      const coordinator = await open(context)
      const findings = await checkCoordinator(checkOf(coordinator.url))
      expect(broken(findings, 'must')).toEqual([])
      expect(coordinator.services).toEqual([])
    },
  )
  test.concurrent.for(FLAWS)(
    '%s: is found out by %s (%s %s)',
    async ([flaw, topic, level, rule], context) => {
      const coordinator = await open(context, flaw)
      const findings = await checkCoordinator(checkOf(coordinator.url), [topic])
      expect(broken(findings).map((found) => found.split(' ', 2).join(' '))).toContain(`${level} ${rule}`)
    },
  )
})

describe('a check that cannot be made', () => {
  const refusal = async (fields: Partial<CoordinatorCheck> & { readonly url: string }): Promise<string> => {
    const error: unknown = await checkCoordinator(checkOf(fields.url, fields)).catch(
      (error: unknown) => error,
    )
    expect(error).toBeInstanceOf(CheckRefused)
    return error instanceof Error ? error.message : ''
  }

  test('a service of somebody else is enabled: it is named, and nothing is made', async () => {
    const coordinator = await openCoordinator()
    const { id, name } = await coordinator.register('of somebody else')
    expect(await refusal({ url: coordinator.url })).toContain(`${name} (${id})`)
    expect((await coordinator.call('GET', '/releases')).body.count).toBe(0)
    expect((await coordinator.call('GET', '/task-services')).body.count).toBe(1)
  })

  test('the token is refused, or there is none', async () => {
    const issuer = await openIssuer()
    const coordinator = await openCoordinator({ env: checking(issuer) })
    expect(await refusal({ url: coordinator.url })).toContain('refuses the token')
    expect(await refusal({ url: coordinator.url, token: 'of nobody' })).toContain('refuses the token')
    coordinator.token = await issuer.token(person('ADMIN'), COORDINATOR)
    expect((await coordinator.call('GET', '/task-services')).body.count).toBe(0)
    const topic = 'a release, from initialize to published'
    const findings = await checkCoordinator(checkOf(coordinator.url, { token: coordinator.token }), [topic])
    expect(broken(findings)).toEqual([])
  })

  test('there is no study, or not the one that was named', async (context) => {
    const coordinator = await open(context)
    expect(await refusal({ url: coordinator.url, study: 'SD_00000000' })).toContain('SD_00000000')
    coordinator.studies = [{ kf_id: 'SD_BHJXBDQK', visible: false, deleted: false }]
    expect(await refusal({ url: coordinator.url })).toContain('POST /studies/sync')
    expect(coordinator.writes).toEqual([])
  })

  test('nobody is there, or somebody else', async (context) => {
    const coordinator = await open(context)
    expect(await refusal({ url: `${coordinator.url}/elsewhere` })).toContain('no release coordinator')
    await coordinator.close()
    await expect(checkCoordinator(checkOf(coordinator.url))).rejects.toThrow(NobodyThere)
  })
})

test('whoever has seen enough ends it after the topic that is under way, and nothing of it is left', async (context) => {
  const coordinator = await open(context)
  const stop = new AbortController()
  const topics: string[] = []
  const told = ({ topic }: TopicTold) => {
    topics.push(topic)
    stop.abort()
  }
  await checkCoordinator(checkOf(coordinator.url, { told, signal: stop.signal }))
  expect(topics).toHaveLength(1)
  expect(coordinator.services).toEqual([])
})
