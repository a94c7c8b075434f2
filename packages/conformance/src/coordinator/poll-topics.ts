import type { Findings } from '../finding.ts'
import { fieldOf, inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { eventually } from '../waiting.ts'
import { expectReaches, expectStays } from './claims.ts'
import { withNone, withOne, type Kit, type OneService } from './kit.ts'
import type { Release } from './release.ts'

const CHECKS = [
  { path: '/tasks/status_checks', rule: 'CR-27' },
  { path: '/releases/status_checks', rule: 'CR-22' },
  { path: '/task-services/health_checks', rule: 'CR-33' },
]
const NOT_THERE = 'POST /tasks/status_checks is not answered 200'

/** What the coordinator makes of answers to `get_status` (RC-13 to RC-16), which it is told to ask. */
export const POLL_TOPICS: readonly Topic<Kit>[] = [
  withNone('POST …/status_checks and …/health_checks', async ({ kit, findings }) => {
    for (const { path, rule } of CHECKS) {
      const told = await kit.api.post(path)
      const isRight = told.code === 200 && fieldOf(told.json, 'status') === 'ok'
      findings.must(rule, `${path} is answered 200 {"status":"ok"}`, isRight, inWords(told))
    }
  }),
  polled('a poll that is answered 500', async ({ kit, findings, service }, release) => {
    service.on('get_status', () => ({ status: 500, body: { message: 'Something broke.' } }))
    if (!(await ask({ kit, findings, service }, release, 2))) return
    const task = { id: service.taskOf(release.id), state: 'running' }
    const claim = 'it changes nothing: the release goes on'
    await expectStays(findings, release, { release: 'running', task }, { rule: 'RC-16', claim })
  }),
  polled('a poll that is answered 200 and no JSON', async (scene, release) => {
    scene.service.on('get_status', () => ({ status: 200, body: 'ok' }))
    if (!(await ask(scene, release, 2))) return
    const task = { id: scene.service.taskOf(release.id), state: 'running' }
    const claim = 'it changes nothing: the release goes on'
    await expectStays(scene.findings, release, { release: 'running', task }, { rule: 'RC-16', claim })
  }),
  polled('a poll that is answered with "37.5%"', async (scene, release) => {
    const { findings, service } = scene
    service.on('get_status', () => ({ status: 200, body: { state: 'running', progress: '37.5%' } }))
    if (!(await ask(scene, release, 2))) return
    const task = { id: service.taskOf(release.id), state: 'running' }
    const kept = { rule: 'RC-13', claim: 'it does not end the task' }
    await expectStays(findings, release, { release: 'running', task }, kept)
    const { progress } = await release.task(task.id)
    findings.should('RC-13', 'it is read as 37', progress === 37, String(progress))
  }),
  polled('a service that never reports', async (scene, release) => {
    const { findings, service } = scene
    service.show(service.taskOf(release.id), 'staged')
    const staged = await pollUntil(scene, release, 'staged')
    findings.must('RC-14', 'its staged is seen by polls', staged, `the release is ${await release.state()}`)
    if (!staged) return
    await release.leadTo('publishing')
    service.show(service.taskOf(release.id), 'published')
    const published = await pollUntil(scene, release, 'published')
    const found = `the release is ${await release.state()}`
    findings.must('RC-14', 'its published is seen by polls', published, found)
  }),
  polled('a poll that is answered with failed', async (scene, release) => {
    scene.service.show(scene.service.taskOf(release.id), 'failed')
    await pollUntil(scene, release, 'failed')
    await expectReaches(scene.findings, release, 'failed', {
      rule: 'RC-18',
      claim: 'the release ends failed',
    })
    const { state } = await release.task(scene.service.taskOf(release.id))
    scene.findings.should('RC-2', 'the task is stored as failed', state === 'failed', state)
  }),
]

/** A topic with one task that runs and is not going to report, at a coordinator that can be told to poll. */
function polled(name: string, act: (scene: OneService, release: Release) => Promise<void>): Topic<Kit> {
  return withOne(name, async (scene) => {
    const { kit, findings, service } = scene
    const told = await kit.api.post('/tasks/status_checks')
    if (told.code !== 200) return findings.unchecked('must', 'RC-15', 'it polls', NOT_THERE)
    service.stages = service.publishes = false
    await act(scene, await (await kit.release()).leadTo('running'))
  })
}

const polls = ({ service }: OneService): number =>
  service.received.filter(({ action, answeredAt }) => action === 'get_status' && answeredAt !== null).length

/** Lets it poll until that many polls were answered, or one of them has moved the release. @returns whether it did */
async function ask(scene: OneService, release: Release, count: number): Promise<boolean> {
  const before = polls(scene)
  const isAsked = await eventually(scene.kit.options.withinMs, async () => {
    await scene.kit.api.post('/tasks/status_checks')
    const seen = polls(scene) - before
    return seen >= count || (seen > 0 && (await release.state()) !== 'running') || null
  })
  return expectAsked(scene.findings, isAsked === true)
}

function expectAsked(findings: Findings, isAsked: boolean): boolean {
  if (!isAsked) findings.must('RC-15', '`get_status` is asked when it is told to poll', false, 'it was not')
  return isAsked
}

async function pollUntil({ kit }: OneService, release: Release, goal: string): Promise<boolean> {
  const seen = await eventually(kit.options.withinMs, async () => {
    await kit.api.post('/tasks/status_checks')
    return (await release.state()) === goal || null
  })
  return seen === true
}
