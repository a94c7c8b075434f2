// Somebody upgrades in the middle of releases: today's migrations and processes go on with the databases that an earlier
// version left (scripts/record-upgrade.ts), a release in every phase in them, and all of them end.
import { absent } from '@release-task/test-servers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  recordedVersions,
  rowsOf,
  SIDES,
  UpgradedSystem,
  type Place,
  type Row,
  type SideName,
} from './upgrade.fixture.ts'

interface Rule {
  /** The state in which the release was left. */
  readonly from: string
  readonly to: 'published' | 'canceled' | 'failed'
  /** What each service does from then on, to its end; where there are several, any of them. */
  readonly main: readonly string[]
  readonly second: readonly string[]
}

const rule = (from: string, to: Rule['to'], main: string | string[], second: string | string[]): Rule => ({
  from,
  to,
  main: [main].flat(),
  second: [second].flat(),
})

/** Phase by phase, by hand: what the rules of docs/protocol.md make of it, and that nothing done is done again. */
const RULES: { readonly [phase: string]: Rule } = {
  waiting: rule('waiting', 'published', 'step stage publish', 'step stage publish'),
  initializing: rule('initializing', 'published', 'step stage publish', 'step stage publish'),
  'initializing, answer lost': rule('initializing', 'published', 'step stage publish', 'step stage publish'),
  'running, start not delivered': rule('running', 'published', 'publish', 'step stage publish'),
  'running, answer to start lost': rule('running', 'published', 'publish', 'stage publish'),
  running: rule('running', 'published', 'stage publish', 'stage publish'),
  'running, between two tries': rule('running', 'published', 'stage publish', 'publish'),
  'running, one task staged': rule('running', 'published', 'publish', 'stage publish'),
  'running, staged not reported': rule('running', 'published', 'publish', 'publish'),
  // The cancel that follows may find the second stage still under way, or done by then.
  'running, failed not reported': rule('running', 'failed', 'discard', ['discard', 'stage discard']),
  staged: rule('staged', 'published', 'publish', 'publish'),
  'publishing, publish not delivered': rule('publishing', 'published', '', 'publish'),
  publishing: rule('publishing', 'published', 'publish', 'publish'),
  'publishing, needs attention': rule('publishing', 'published', 'publish', ''),
  'publishing, one task published': rule('publishing', 'published', '', 'publish'),
  'publishing, published not reported': rule('publishing', 'published', '', ''),
  canceling: rule('canceling', 'canceled', '', 'discard'),
  'canceled, cancel not delivered': rule('canceled', 'canceled', '', 'discard'),
  'canceled, discard under way': rule('canceled', 'canceled', 'discard', 'discard'),
  published: rule('published', 'published', '', ''),
  canceled: rule('canceled', 'canceled', '', ''),
  failed: rule('failed', 'failed', '', ''),
}

/** What the service may show for each state in which a task ends at the coordinator. */
const AGREEING: { readonly [state: string]: readonly string[] } = {
  published: ['published'],
  failed: ['failed', 'canceled'],
  canceled: ['canceled', 'failed'],
}

/** What is never changed once it is written. */
const KEPT: { readonly [side in SideName]: readonly string[] } = {
  coordinator: ['events', 'release_studies', 'studies', 'task_services'],
  main: ['events', 'steps', 'identity'],
  second: ['events', 'steps', 'identity'],
}
/** How often a service did not answer says nothing of a release; a revision counts what is told of it afterwards. */
const COUNTED = ['last_ok_status', 'check_due_at', 'revision']

const SERVICES = ['main', 'second'] as const

/** The columns that the recording has: a later version may have more. */
function like(columns: readonly string[], row: Row): Row {
  const kept = columns.filter((column) => !COUNTED.includes(column))
  return Object.fromEntries(kept.map((column) => [column, row[column] ?? null]))
}

const hasEnded = ({ state }: Row) => ['published', 'canceled', 'failed'].includes(String(state))
const byText = (row: Row) => JSON.stringify(row)

function upgrades(version: string, place: Place): void {
  const upgraded = new UpgradedSystem(version, place)
  let left: string[] = []
  beforeAll(async () => {
    await upgraded.start()
    left = await upgraded.runToTheEnd()
  }, 180_000)
  afterAll(() => upgraded.end())

  const before = (side: SideName, table: string) => rowsOf(upgraded.before.get(side)!, table)
  const columns = (side: SideName, table: string) => upgraded.before.get(side)!.tables[table]!.columns
  const ruleOf = ({ name }: Row) => RULES[String(name)]

  test('every phase that was recorded has its rule, and was recorded as the rule says', () => {
    const releases = before('coordinator', 'releases')
    expect(releases.length).toBeGreaterThan(0)
    expect(releases.map(({ name, state }) => [name, state])).toEqual(
      releases.map((release) => [release['name'], ruleOf(release)?.from]),
    )
  })

  test('every release ends, as the rules say for its phase', async () => {
    const releases = await upgraded.rows('coordinator', 'releases')
    const ends = Object.fromEntries(releases.map(({ name, state }) => [name, state]))
    const wanted = before('coordinator', 'releases').map((release) => [release['name'], ruleOf(release)?.to])
    expect(ends).toEqual(Object.fromEntries(wanted))
  })

  test('nothing is left to be told, reported or worked on', () => {
    expect(left).toEqual([])
  })

  test('what had ended is as it was', async () => {
    const releases = before('coordinator', 'releases').filter(hasEnded)
    const now = await upgraded.rows('coordinator', 'releases')
    const names = columns('coordinator', 'releases')
    for (const release of releases) {
      const same = now.find(({ kf_id }) => kf_id === release['kf_id'])
      expect(same && like(names, same)).toEqual(like(names, release))
    }
    for (const [side, id] of [
      ['coordinator', 'kf_id'],
      ['main', 'id'],
      ['second', 'id'],
    ] as const) {
      const after = new Map((await upgraded.rows(side, 'tasks')).map((task) => [task[id], task['state']]))
      // At a task's end only its cleanup goes on, and whether everybody has heard of it.
      for (const task of before(side, 'tasks').filter(hasEnded))
        expect([task[id], after.get(task[id] ?? null)]).toEqual([task[id], task['state']])
    }
  })

  test.each(SIDES)('nothing that was written is missing or changed: %s', async (side) => {
    for (const table of KEPT[side]) {
      const names = columns(side, table)
      const now = new Set((await upgraded.rows(side, table)).map((row) => byText(like(names, row))))
      const missing = before(side, table).filter((row) => !now.has(byText(like(names, row))))
      expect({ table, missing }).toEqual({ table, missing: [] })
    }
  })

  test.each(SIDES)('new events follow the old ones: %s', async (side) => {
    const names = columns(side, 'events')
    const old = before(side, 'events').map((event) => like(names, event))
    const now = await upgraded.rows(side, 'events')
    const inOrder = now.toSorted((a, b) => Number(a['position']) - Number(b['position']))
    expect(inOrder.slice(0, old.length).map((event) => like(names, event))).toEqual(old)
    expect(new Set(now.map(({ position }) => position)).size).toBe(now.length)
    expect(now.length).toBeGreaterThan(old.length)
  })

  test('work that was done is not done again, and none is left out', () => {
    const effects = upgraded.effects().filter(({ edge }) => edge === 'end')
    for (const release of before('coordinator', 'releases'))
      for (const service of SERVICES) {
        const own = effects.filter((one) => one.release === release['kf_id'] && one.service === service)
        const done = own.map(({ work }) => work).join(' ')
        const allowed = ruleOf(release)?.[service] ?? []
        expect(allowed, `${release['name']} at ${service}`).toContain(done)
      }
  })

  test('the coordinator and the services agree', async () => {
    const services = await upgraded.rows('coordinator', 'task_services')
    const shown = await Promise.all(SERVICES.map((service) => upgraded.rows(service, 'tasks')))
    for (const task of await upgraded.rows('coordinator', 'tasks')) {
      const service = services.find(({ kf_id }) => kf_id === task['task_service_id'])!['name'] as 'main'
      const at = shown[SERVICES.indexOf(service)]!.find(({ id }) => id === task['kf_id'])
      expect(AGREEING[String(task['state'])], `${task['kf_id']} at ${service}`).toContain(at?.['state'])
      expect(at?.['cleanup']).toBe(at?.['state'] === 'published' ? 'none' : 'done')
    }
  })

  test('no two releases have the same version', async () => {
    const releases = await upgraded.rows('coordinator', 'releases')
    const versions = releases.map(({ version }) => version)
    expect(new Set(versions).size).toBe(versions.length)
  })

  test('a cancel that came before its task is remembered', async () => {
    const tombs = (tasks: Row[]) => tasks.filter(({ tombstone }) => tombstone === 1).map(({ id }) => id)
    const recorded = tombs(before('main', 'tasks'))
    expect(recorded).toHaveLength(1)
    expect(tombs(await upgraded.rows('main', 'tasks'))).toEqual(expect.arrayContaining(recorded))
  })
}

const versions = recordedVersions()

test('there is a recording', () => {
  expect(versions).not.toEqual([])
})

describe.each(versions)('a system of version %s', (version) => {
  describe('on SQLite, started again on the same host', () => upgrades(version, 'sqlite'))
  describe.skipIf(absent('postgresql') || absent('redis'))('on PostgreSQL, started on other hosts', () =>
    upgrades(version, 'postgresql'),
  )
})
