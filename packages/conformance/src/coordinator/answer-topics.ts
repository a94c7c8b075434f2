import type { Action } from '@release-task/protocol'
import type { Topic } from '../topic.ts'
import { expectReaches, settle, told } from './claims.ts'
import { withOne, withTwo, type Kit, type OneService } from './kit.ts'
import type { Release } from './release.ts'
import type { Handler, Reply } from './wire.ts'

const NO: Reply = { status: 400, body: { message: 'No.' } }
const ERROR: Reply = { status: 500, body: { message: 'Something broke.' } }
const BUSY: Reply = { status: 503, body: { message: 'Not now.' } }
const LATER: Reply = { status: 202, body: { state: 'running' } }
const says = (state: string): Reply => ({ status: 200, body: { state } })
/** 200, and no JSON. */
const TEXT: Reply = { status: 200, body: 'ok' }
const NO_STATE: Reply = { status: 200, body: {} }

/** Badly once, and well from then on. */
function once(reply: Reply): Handler {
  let count = 0
  return () => (count++ === 0 ? reply : null)
}

/** What is taken for a yes, and what is not (RC-7 to RC-11). */
export const ANSWER_TOPICS: readonly Topic<Kit>[] = [
  withOne('initialize is answered 500 once', async ({ kit, findings, service }) => {
    let yes = 0
    service.on('initialize', (asked) => {
      const reply = service.asked(asked.release, 'initialize').length === 1 ? ERROR : null
      if (reply === null) yes = asked.at
      return reply
    })
    const release = await kit.release()
    await release.reaches(['running', 'staged'])
    await settle()
    const [start] = service.asked(release.id, 'start')
    const claim = 'it is not taken for a yes: `start` does not come before an `initialize` was accepted'
    const isRight = start === undefined || (yes > 0 && start.at > yes)
    findings.must('RC-10', claim, isRight, told(service, release))
    const again = {
      rule: 'RC-7',
      claim: 'it is told again, and the release goes on',
      level: 'should',
    } as const
    await expectReaches(findings, release, 'staged', again)
  }),
  withOne('initialize is answered 400', async (scene) => {
    scene.service.on('initialize', () => NO)
    const release = await scene.kit.release()
    await expectFailed(scene, release, 'initialize', 'answered 400')
    const isStarted = scene.service.asked(release.id, 'start').length > 0
    scene.findings.must('RC-10', '`start` is not told', !isStarted, told(scene.service, release))
  }),
  withOne('initialize is answered with the state failed', async (scene) => {
    scene.service.on('initialize', () => says('failed'))
    const release = await scene.kit.release()
    await expectFailed(scene, release, 'initialize', 'the state failed')
    const isStarted = scene.service.asked(release.id, 'start').length > 0
    scene.findings.must('RC-10', '`start` is not told', !isStarted, told(scene.service, release))
  }),
  withTwo('start is refused by one of two', async ({ kit, findings, one, two }) => {
    one.on('start', () => NO)
    two.stages = false
    const release = await kit.release()
    await expectFailed({ kit, findings, service: one }, release, 'start', 'answered 400')
    const isTold = await two.isTold(release.id, 'cancel', kit.options.withinMs)
    findings.must('RC-19', 'the other service is told `cancel`', isTold, told(two, release))
    const isToldToo = await one.isTold(release.id, 'cancel', kit.options.withinMs)
    findings.should('RC-19', 'the one that refused is told `cancel` too', isToldToo, told(one, release))
  }),
  refused('start', '200 that is no JSON', TEXT),
  refused('start', '202', LATER),
  refused('start', 'the state failed', says('failed')),
  withOne('start is answered with staged', async ({ kit, findings, service }) => {
    service.on('start', ({ task }) => {
      service.show(task, 'staged')
      return says('staged')
    })
    const release = await kit.release()
    const claim = 'it is accepted, and the release is staged'
    await expectReaches(findings, release, 'staged', { rule: 'RC-10', claim, level: 'should' })
  }),
  withOne('answers without a state', async ({ kit, findings, service }) => {
    const states = { initialize: 'pending', start: 'running', publish: 'publishing' } as const
    for (const action of ['initialize', 'start', 'publish'] as const)
      service.on(action, ({ task }) => {
        service.show(task, states[action])
        return NO_STATE
      })
    const release = await kit.release()
    if (!(await release.tasksReach('running'))) {
      const found = `the release is ${await release.state()}; ${told(service, release)}`
      return findings.must('RC-10', 'to initialize and start are accepted', false, found)
    }
    findings.must('RC-10', 'to initialize and start are accepted', true, '')
    await service.reportDone(release.id, 'staged')
    await release.leadTo('publishing')
    await service.reportDone(release.id, 'published')
    await expectReaches(findings, release, 'published', { rule: 'RC-10', claim: 'to publish are accepted' })
  }),
  withOne('initialize is answered with initialized', async ({ kit, findings, service }) => {
    service.on('initialize', () => says('initialized'))
    const release = await kit.release()
    const claim = 'an existing service says so, and it is accepted'
    await expectReaches(findings, release, 'staged', { rule: 'RC-13', claim })
  }),
  withOne('start is answered 503 once', async ({ kit, findings, service }) => {
    service.on('start', once(BUSY))
    const release = await kit.release()
    const again = 'it is told again, and the release is staged'
    await expectReaches(findings, release, 'staged', { rule: 'RC-7', claim: again, level: 'should' })
    const over = await release.reaches(['staged', 'failed', 'canceled'])
    const found = `the release is ${await release.state()}`
    findings.must('RC-7', 'the release does not hang', over !== null, found)
  }),
  withOne('the answer to start is lost', async ({ kit, findings, service }) => {
    service.stages = false
    service.on('start', ({ task, release }) => {
      const isFirst = service.asked(release, 'start').length === 1
      if (isFirst) service.show(task, 'running')
      return isFirst ? 'cut' : null
    })
    const release = await kit.release()
    await release.reaches(['running'])
    const isKnown = (await release.tasksReach('running')) || (await release.isOver())
    const found = `the release is ${await release.state()}`
    findings.must('RC-7', 'the task does not hang', isKnown, found)
    const count = service.asked(release.id, 'start').length
    const claim = 'the service is asked whether it has begun, and not told `start` again'
    findings.should('RC-8', claim, count === 1, told(service, release))
  }),
  refused('publish', '400', NO),
  refused('publish', '200 that is no JSON', TEXT),
]

/** A topic whose one service refuses an action in its own way. */
function refused(action: 'start' | 'publish', how: string, reply: Reply): Topic<Kit> {
  return withOne(`${action} is answered ${how}`, async (scene) => {
    scene.service.on(action, () => reply)
    const release = await scene.kit.release()
    if (action === 'publish') await (await release.leadTo('staged')).publish()
    await expectFailed(scene, release, action, how)
  })
}

/** The code of an answer, or that its state was wrong. */
const REASON = /\b(?:\d{3}|state)\b/

async function expectFailed({ findings }: OneService, release: Release, action: Action, how: string) {
  const rule = action === 'publish' ? 'RC-22' : 'RC-10'
  await expectReaches(findings, release, 'failed', { rule, claim: 'the release ends failed' })
  const events = await release.events()
  const reason = events.find(({ type, message }) => type === 'error' && message.startsWith('request to '))
  const isNamed = reason?.message.startsWith(`request to ${action} task failed: `) === true
  const isRight = isNamed && REASON.test(reason?.message.split(': ').slice(1).join(': ') ?? '')
  const claim = `an error event says that ${action} failed, and why (${how})`
  findings.should('RC-11', claim, isRight, reason?.message ?? 'there is none')
}
