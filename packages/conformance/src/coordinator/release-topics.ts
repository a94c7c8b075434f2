import { isId } from '@release-task/protocol'
import type { Findings } from '../finding.ts'
import { fieldOf, inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { expectReaches, expectStays, settle, told } from './claims.ts'
import { withTwo, type Kit, type TwoServices } from './kit.ts'
import type { Release } from './release.ts'
import type { ServiceStandIn } from './stand-in.ts'
import { isLater } from './version.ts'

const RELEASES_IN_A_ROW = 5
const WAY = ['initializing', 'running', 'staged', 'publishing', 'published']

/** The way of a whole release (section 1), and who is told what on it. */
export const RELEASE_TOPICS: readonly Topic<Kit>[] = [
  withTwo('a release, from initialize to published', async (scene) => {
    const { kit, findings, one, two } = scene
    for (const service of [one, two]) service.stages = service.publishes = false
    const letGo = two.hold('initialize')
    const release = await kit.release()
    await expectInitialize(scene, release)
    letGo()
    await release.leadTo('running')
    expectOrder(findings, release, scene)
    const before = await release.version()
    const running = { rule: 'RC-1', claim: 'it is not staged while a task is not' }
    await one.reportDone(release.id, 'staged')
    await expectStays(findings, release, { release: 'running' }, running)
    await two.reportDone(release.id, 'staged')
    const staged = { rule: 'RC-1', claim: 'it is staged when all tasks are' }
    if (!(await expectReaches(findings, release, 'staged', staged))) return
    await expectPublishing(scene, release, before)
    await expectHistory(scene, release)
  }),
  withTwo('five releases, one after the other', async ({ kit, findings, one, two }) => {
    const wrong: string[] = []
    for (let count = 0; count < RELEASES_IN_A_ROW; count++) {
      const release = await (await kit.release()).leadTo('staged')
      for (const service of [one, two])
        if (service.asked(release.id, 'start').length !== 1) wrong.push(told(service, release))
      await release.cancel()
      await release.reaches(['canceled'])
    }
    findings.must(
      'RC-5',
      'each service gets `start` once for each release',
      wrong.length === 0,
      wrong.join('; '),
    )
  }),
]

/** While the second service has not yet answered. */
async function expectInitialize(scene: TwoServices, release: Release): Promise<void> {
  const { kit, findings, one, two } = scene
  for (const service of [one, two]) {
    const isTold = await service.isTold(release.id, 'initialize', kit.options.withinMs)
    const claim = `${service === one ? 'one' : 'the other'} service is told \`initialize\``
    findings.must('RC-1', claim, isTold, told(service, release))
    expectBody(scene, service, release)
  }
  const claim = 'it is not running while a service has not accepted `initialize`'
  await expectStays(findings, release, { release: 'initializing' }, { rule: 'RC-1', claim })
}

function expectBody({ kit, findings }: TwoServices, service: ServiceStandIn, release: Release): void {
  const [first] = service.asked(release.id, 'initialize')
  if (!first) return
  const isNamed = isId('TA', first.task) && first.release === release.id
  const shown = JSON.stringify(first.body)
  findings.must('SV-6', '`initialize` has action, task_id and release_id', isNamed, shown)
  const studies = fieldOf(first.body, 'studies')
  const isSame = Array.isArray(studies) && studies.length === 1 && studies[0] === kit.options.study
  findings.must('SV-6', '`initialize` has the studies of the release', isSame, shown)
  const type = String(first.headers['content-type'])
  findings.must('SV-9', 'it is sent as application/json', type.startsWith('application/json'), type)
}

function expectOrder(findings: Findings, release: Release, { one, two }: TwoServices): void {
  const accepted = two.asked(release.id, 'initialize')[0]?.answeredAt ?? Number.POSITIVE_INFINITY
  const starts = [one, two].flatMap((service) => service.asked(release.id, 'start'))
  const isLater = starts.length > 0 && starts.every(({ at }) => at > accepted)
  const claim = 'no service is told `start` before all have accepted `initialize`'
  findings.must('RC-1', claim, isLater, [one, two].map((service) => told(service, release)).join('; '))
}

async function expectPublishing(scene: TwoServices, release: Release, before: string): Promise<void> {
  const { kit, findings, one, two } = scene
  const answer = await release.publish()
  const isTaken = answer.code === 200 && fieldOf(answer.json, 'message') === 'publishing'
  findings.must('CR-21', 'its publish is answered 200 {"message":"publishing"}', isTaken, inWords(answer))
  for (const service of [one, two]) await service.isTold(release.id, 'publish', kit.options.withinMs)
  await release.leadToPublishing()
  await one.reportDone(release.id, 'published')
  const claim = 'it is not published while a task is not'
  await expectStays(findings, release, { release: 'publishing' }, { rule: 'RC-1', claim })
  const meanwhile = await release.version()
  findings.must('RC-30', 'its version is not raised before it is published', meanwhile === before, meanwhile)
  await two.reportDone(release.id, 'published')
  const published = { rule: 'RC-1', claim: 'it is published when all tasks are' }
  if (!(await expectReaches(findings, release, 'published', published))) return
  const version = await release.version()
  findings.must('RC-29', 'its version is raised then', isLater(version, before), `${before} → ${version}`)
  await settle()
  const after = await release.version()
  findings.must('RC-29', 'its version is raised once', after === version, `${version} → ${after}`)
}

async function expectHistory({ kit, findings, one, two }: TwoServices, release: Release): Promise<void> {
  for (const service of [one, two]) {
    const actions = service.actions(release.id).join(', ')
    const isOnce = actions === 'initialize, start, publish'
    const claim = `${service === one ? 'one' : 'the other'} service is told each action once, in order`
    findings.must('RC-5', claim, isOnce, actions)
  }
  const rows = await kit.api.all(`/tasks?release=${release.id}`)
  const states = rows.map((row) => String(fieldOf(row, 'state'))).join(', ')
  findings.must('CR-24', 'its tasks are listed, and published', states === 'published, published', states)
  const moves = (await release.moves()).join(', ')
  const claim = 'each of its moves has an event that ends with the new state'
  findings.must('RC-31', claim, moves === WAY.join(', '), moves)
  const ofTask = (await release.moves(one.taskOf(release.id))).join(', ')
  const all = ['initialized', ...WAY.slice(1)].join(', ')
  const isTold = ['initialized', 'running', 'publishing'].every((state) => ofTask.includes(state))
  findings.must('RC-31', 'the actions that a service accepted have their events', isTold, ofTask)
  findings.should('RC-32', 'moves made by a report have their events too', ofTask === all, ofTask)
}
