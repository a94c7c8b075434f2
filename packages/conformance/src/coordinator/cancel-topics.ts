import { fieldOf, inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { comesTrue } from '../waiting.ts'
import { expectReaches, settle, told } from './claims.ts'
import { withOne, withTwo, type Kit, type TwoServices } from './kit.ts'
import type { Release } from './release.ts'

/** A cancel at every moment (RC-5, RC-18 to RC-20). */
export const CANCEL_TOPICS: readonly Topic<Kit>[] = [
  withTwo('canceled while a service is slow to answer initialize', async (scene) => {
    const { kit, one, two } = scene
    const letGo = two.hold('initialize')
    const release = await kit.release()
    for (const service of [one, two]) await service.isTold(release.id, 'initialize', kit.options.withinMs)
    await cancel(scene, release)
    await whileCanceling(scene, release)
    letGo()
    await expectCanceled(scene, release)
  }),
  withTwo('canceled while the services are slow to answer start', async (scene) => {
    const { kit, one, two } = scene
    const letGo = [one.hold('start'), two.hold('start')]
    const release = await kit.release()
    // One after the other, or both at once: the original tells the second when the first has answered.
    const isStarted = () => [one, two].some((service) => service.asked(release.id, 'start').length > 0)
    await comesTrue(kit.options.withinMs, isStarted)
    await cancel(scene, release)
    await whileCanceling(scene, release)
    for (const go of letGo) go()
    await expectCanceled(scene, release)
  }),
  withTwo('canceled while it runs', async (scene) => {
    scene.one.stages = scene.two.stages = false
    const release = await (await scene.kit.release()).leadTo('running')
    await cancel(scene, release)
    await expectCanceled(scene, release)
  }),
  withTwo('canceled when it is staged', async (scene) => {
    const release = await (await scene.kit.release()).leadTo('staged')
    await cancel(scene, release)
    await expectCanceled(scene, release)
  }),
  withTwo('canceled while it is publishing', async (scene) => {
    scene.one.publishes = scene.two.publishes = false
    const release = await (await scene.kit.release()).leadTo('publishing')
    await cancel(scene, release)
    await expectCanceled(scene, release)
    const { findings } = scene
    const again = await release.cancel()
    const isSame = again.code === 200 && fieldOf(again.json, 'state') === 'canceled'
    findings.must('CR-20', 'canceled again: 200, and unchanged', isSame, inWords(again))
  }),
  withOne('a cancel that a service does not take at first', async ({ kit, findings, service }) => {
    service.stages = false
    const release = await (await kit.release()).leadTo('running')
    service.on('cancel', ({ release }) =>
      service.asked(release, 'cancel').length === 1 ? { status: 500, body: { message: 'Not now.' } } : null,
    )
    await release.cancel()
    await expectReaches(findings, release, 'canceled', { rule: 'RC-20', claim: 'the release ends canceled' })
    const isAgain = () => service.asked(release.id, 'cancel').length > 1
    const holds = await comesTrue(kit.options.withinMs, isAgain)
    findings.should('RC-20', '`cancel` is told again after a 500', holds, told(service, release))
  }),
  withOne('a cancel that a service answers in its own way', async ({ kit, findings, service }) => {
    const ways = [
      { how: 'with `cancelling`', reply: { status: 200, body: { state: 'cancelling' } } },
      { how: 'with 400', reply: { status: 400, body: { message: 'It may not be canceled.' } } },
      { how: 'with 200 that is no JSON', reply: { status: 200, body: 'ok' } },
    ]
    service.stages = false
    for (const { how, reply } of ways) {
      const release = await (await kit.release()).leadTo('running')
      service.on('cancel', () => reply)
      await release.cancel()
      const claim = `${how}: the release ends canceled`
      await expectReaches(findings, release, 'canceled', { rule: 'RC-10', claim })
    }
  }),
  withOne('a cancel when it is published', async ({ kit, findings, service }) => {
    const release = await (await kit.release()).leadTo('published')
    const answer = await release.cancel()
    const isSame = answer.code === 200 && fieldOf(answer.json, 'state') === 'published'
    findings.must('CR-20', 'is answered 200, and changes nothing', isSame, inWords(answer))
    await settle()
    const isLeft = service.asked(release.id, 'cancel').length === 0
    findings.must('RC-1', 'no service is told `cancel`', isLeft, told(service, release))
    const state = await release.state()
    findings.must('RC-1', 'it stays published', state === 'published', state)
  }),
]

async function cancel({ findings }: TwoServices, release: Release): Promise<void> {
  const answer = await release.cancel()
  const state = String(fieldOf(answer.json, 'state'))
  const isTaken = answer.code === 200 && ['canceling', 'canceled'].includes(state)
  findings.must(
    'CR-20',
    'DELETE is answered 200 with the release that is canceling',
    isTaken,
    inWords(answer),
  )
}

/** Long enough for a coordinator that tells `cancel` beside the action that is under way. */
async function whileCanceling({ one, two }: TwoServices, release: Release): Promise<void> {
  const isCanceled = () => [one, two].some((service) => service.asked(release.id, 'cancel').length > 0)
  await comesTrue(1000, isCanceled)
}

async function expectCanceled({ kit, findings, one, two }: TwoServices, release: Release): Promise<void> {
  await expectReaches(findings, release, 'canceled', { rule: 'RC-18', claim: 'the release ends canceled' })
  for (const service of [one, two]) {
    const name = service === one ? 'one' : 'the other'
    if (service.actions(release.id).length === 0) continue
    const isTold = await service.isTold(release.id, 'cancel', kit.options.withinMs)
    findings.must('RC-19', `${name} service is told \`cancel\``, isTold, told(service, release))
  }
  await settle()
  for (const service of [one, two]) {
    const actions = service.actions(release.id)
    const late = actions.slice(actions.indexOf('cancel')).filter((action) => action !== 'cancel')
    const isClean = !actions.includes('cancel') || late.length === 0
    const claim = `${service === one ? 'one' : 'the other'} service is told nothing else after \`cancel\``
    findings.must('RC-5', claim, isClean, told(service, release))
  }
  const states = (await release.tasks()).map(({ state }) => state)
  const isAll = states.length === 2 && states.every((state) => state === 'canceled')
  findings.must('RC-2', 'its tasks end canceled', isAll, states.join(', '))
}
