import { newId, taskAnswerSchema } from '@release-task/protocol'
import type { Findings } from '../finding.ts'
import { fieldOf, inWords, type Told } from '../told.ts'
import type { Topic } from '../topic.ts'
import { expectCell } from './expectation.ts'
import type { Kit } from './kit.ts'
import { expectReports, expectSent } from './report-claims.ts'
import { NOBODY_THERE } from './stand-in.ts'
import type { Walk } from './walk.ts'

const SOON_MS = 1000

/** The way of a whole release, and what the table of section 4 says beside it. */
export const RELEASE_TOPICS: readonly Topic<Kit>[] = [
  {
    name: 'a release, from initialize to published',
    async check(kit, findings) {
      const manner = { reports: false, stageMs: null }
      try {
        Object.assign(manner, await release(kit.walk(), findings))
      } finally {
        kit.learn(manner)
      }
    },
  },
  {
    name: 'a task that nobody has heard of',
    async check(kit, findings) {
      for (const action of ['start', 'publish', 'get_status'] as const)
        expectCell(findings, 'unknown', action, await kit.walk().act(action))
    },
  },
  {
    name: 'a task that was initialized',
    async check(kit, findings) {
      const walk = kit.walk()
      await walk.leadTo('initialized')
      expectCell(findings, 'pending', 'initialize', await walk.act('initialize'))
      expectCell(findings, 'pending', 'publish', await walk.act('publish'))
      const other = await walk.act('start', { release_id: newId('RE', kit.options.random) })
      const claim = 'an action with the id of another release is answered 400'
      findings.should('TS-8', claim, other.code === 400, inWords(other))
      expectCell(findings, 'pending', 'get_status', await walk.act('get_status'))
      await walk.act('cancel')
    },
  },
  {
    name: 'start and publish, told again',
    async check(kit, findings) {
      const walk = kit.walk()
      await walk.leadTo('running')
      const working = ['running', 'staged'] as const
      expectCell(findings, working, 'start', await walk.act('start'))
      expectCell(findings, working, 'initialize', await walk.act('initialize'))
      await walk.reaches(['staged', 'failed'])
      expectCell(findings, 'staged', 'start', await walk.act('start'))
      expectCell(findings, 'staged', 'get_status', await walk.act('get_status'))
      await walk.act('publish')
      expectCell(findings, ['publishing', 'published'], 'publish', await walk.act('publish'))
      expectCell(findings, ['publishing', 'published'], 'start', await walk.act('start'))
      await walk.reaches(['published', 'failed'])
      expectCell(findings, 'published', 'publish', await walk.act('publish'))
      expectCell(findings, 'published', 'get_status', await walk.act('get_status'))
    },
  },
  {
    name: 'a task that is published',
    async check(kit, findings) {
      const walk = kit.walk()
      await walk.leadTo('published')
      for (const action of ['initialize', 'start', 'cancel'] as const)
        expectCell(findings, 'published', action, await walk.act(action))
      expectCell(findings, 'published', 'get_status', await walk.act('get_status'))
    },
  },
  {
    name: 'an old coordinator, which names no studies',
    async check(kit, findings) {
      const walk = kit.walk()
      const old = { studies: undefined, urls: [], kf_id: walk.task.id }
      const claims = 'fields that nobody knows do no harm, and none of `studies`'
      const told = await walk.act('initialize', old)
      findings.must('SV-8', `initialize: ${claims}`, told.code === 200, inWords(told))
      const started = await walk.act('start', old)
      findings.must('SV-7', `start: ${claims}`, started.code === 200, inWords(started))
      const claim = 'the studies are read from the release, and the task is staged'
      if (!kit.options.coordinator) return findings.unchecked('must', 'SV-7', claim, NOBODY_THERE)
      const state = started.code === 200 ? await walk.reaches(['staged', 'failed']) : null
      findings.must('SV-7', claim, state === 'staged', `it is ${(await walk.state()) ?? 'not known'}`)
      await walk.act('cancel')
    },
  },
]

async function release(walk: Walk, findings: Findings) {
  const initialized = await walk.act('initialize')
  expectCell(findings, 'unknown', 'initialize', initialized)
  expectFields(findings, walk, initialized)
  expectCell(findings, 'pending', 'get_status', await walk.act('get_status'))
  const started = await walk.act('start')
  expectCell(findings, 'pending', 'start', started)
  findings.should('SV-15', 'start is answered within 1 s', started.ms <= SOON_MS, `${started.ms} ms`)
  expectCell(findings, ['running', 'staged'], 'get_status', await walk.act('get_status'))
  const isStaged = await expectEnd(findings, walk, 'staged', started)
  const stageMs = isStaged ? performance.now() - started.at : null
  await expectSent(findings, walk, { state: 'staged', after: started })
  if (isStaged) await publish(walk, findings)
  return { reports: expectReports(findings, walk), stageMs }
}

async function publish(walk: Walk, findings: Findings): Promise<void> {
  const told = await walk.act('publish')
  expectCell(findings, 'staged', 'publish', told)
  findings.should('SV-15', 'publish is answered within 1 s', told.ms <= SOON_MS, `${told.ms} ms`)
  expectCell(findings, ['publishing', 'published'], 'get_status', await walk.act('get_status'))
  await expectEnd(findings, walk, 'published', told)
  await expectSent(findings, walk, { state: 'published', after: told })
}

/** By asking, as a coordinator does that polls; what was not accepted is not waited for. */
async function expectEnd(
  findings: Findings,
  walk: Walk,
  goal: 'staged' | 'published',
  { code }: Told,
): Promise<boolean> {
  const withinMs = code === 200 ? walk.kit.options.withinMs : 0
  const state = await walk.reaches([goal, 'failed', 'canceled'], withinMs)
  const found = `it is ${state ?? (await walk.state()) ?? 'not known'} after ${withinMs / 1000} s`
  findings.must('TS-3', `get_status says ${goal} when the work is done`, state === goal, found)
  return state === goal
}

/** The fields of every generation of readers (SV-11). */
function expectFields(findings: Findings, { task }: Walk, told: Told): void {
  const { success, error } = taskAnswerSchema.safeParse(told.json)
  const named = error?.issues.map(({ path }) => path.join('.')) ?? []
  const found = `${named.length > 0 ? `not right: ${named.join(', ')}; ` : ''}${inWords(told)}`
  const claim = 'an answer has the fields name, kf_id, task_id, release_id, state, progress, date_submitted'
  findings.should('SV-11', claim, success, found)
  const ids = [fieldOf(told.json, 'task_id'), fieldOf(told.json, 'kf_id')].filter((id) => id !== undefined)
  const isOwn = ids.every((id) => id === task.id) && fieldOf(told.json, 'release_id') === task.release
  findings.should('SV-11', 'an answer names the task and the release that it was asked about', isOwn, found)
}
