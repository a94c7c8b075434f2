import { fieldOf, inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { expectReaches, expectStays, isNoFault, settle, told } from './claims.ts'
import { withOne, withTwo, type Kit } from './kit.ts'
import { isLater } from './version.ts'

/** What may be published, under which version, and what holds a release together (RC-28, RC-29, RC-35, CR-21). */
export const PUBLISH_TOPICS: readonly Topic<Kit>[] = [
  withOne('publish of a release that is not staged', async ({ kit, findings, service }) => {
    service.stages = false
    const release = await (await kit.release()).leadTo('running')
    const answer = await release.publish()
    findings.must('CR-21', 'is no error of the coordinator', isNoFault(answer), inWords(answer))
    findings.should('CR-21', 'is answered 409', answer.code === 409, inWords(answer))
    await expectStays(
      findings,
      release,
      { release: 'running' },
      { rule: 'CR-21', claim: 'it goes on running' },
    )
    const isLeft = service.asked(release.id, 'publish').length === 0
    findings.must('CR-21', 'no service is told `publish`', isLeft, told(service, release))
  }),
  withOne('publish, twice', async ({ kit, findings, service }) => {
    service.publishes = false
    const release = await (await kit.release()).leadTo('publishing')
    const again = await release.publish()
    findings.must('CR-21', 'the second is no error of the coordinator', isNoFault(again), inWords(again))
    findings.should('CR-21', 'the second is answered 409', again.code === 409, inWords(again))
    await settle()
    const count = service.asked(release.id, 'publish').length
    findings.must('RC-5', 'the service is told `publish` once', count === 1, told(service, release))
    await service.reportDone(release.id, 'published')
    await expectReaches(findings, release, 'published', { rule: 'RC-1', claim: 'it is published' })
  }),
  withOne('two releases side by side', async ({ kit, findings }) => {
    const [first, second] = [await kit.release(), await kit.release()]
    const made = [await first.version(), await second.version()] as const
    findings.must('RC-28', 'they get versions of their own', made[0] !== made[1], made.join(', '))
    for (const release of [first, second]) await release.leadTo('staged')
    for (const release of [first, second]) await release.leadTo('published')
    const published = [await first.version(), await second.version()] as const
    const isHigher = isLater(published[1], published[0])
    findings.must('RC-29', 'the one published last has the higher version', isHigher, published.join(', '))
    const { study } = kit.options
    const shown = await kit.api.get(`/studies/${study}`)
    const isShown = fieldOf(shown.json, 'last_pub_version') === published[1]
    findings.should('CR-38', 'the study shows the version of the newest release', isShown, inWords(shown))
  }),
  withOne('an edit of a release that runs', async ({ kit, findings, service }) => {
    service.stages = false
    const release = await (await kit.release()).leadTo('running')
    const described = await kit.api.patch(`/releases/${release.id}`, { description: 'Edited.' })
    const isTaken = described.code === 200 && fieldOf(described.json, 'description') === 'Edited.'
    findings.must('RC-37', 'its description may be changed', isTaken, inWords(described))
    const named = await kit.api.patch(`/releases/${release.id}`, { name: 'Conformance, renamed' })
    findings.should('RC-37', 'its name may not: 400', named.code === 400, inWords(named))
    const moved = await kit.api.patch(`/releases/${release.id}`, { state: 'published', version: '9.9.9' })
    findings.must('CR-8', 'state and version are not taken from a body', isNoFault(moved), inWords(moved))
    const claim = 'it goes on running'
    await expectStays(findings, release, { release: 'running' }, { rule: 'CR-8', claim })
    const version = await release.version()
    findings.must('RC-29', 'its version is not changed', version !== '9.9.9', version)
  }),
  withTwo('a service that is deleted while a release needs it', async ({ kit, findings, one, two }) => {
    one.stages = two.stages = false
    const release = await (await kit.release()).leadTo('running')
    const answer = await kit.api.delete(`/task-services/${one.id}`)
    findings.must('RC-35', 'is no error of the coordinator', isNoFault(answer), inWords(answer))
    findings.should('RC-35', 'is answered 409', answer.code === 409, inWords(answer))
    const count = (await release.tasks()).length
    findings.must('RC-35', 'the release keeps both tasks', count === 2, `it has ${count}`)
    for (const service of [one, two]) await service.reportDone(release.id, 'staged')
    await expectReaches(findings, release, 'staged', { rule: 'RC-35', claim: 'the release is staged' })
  }),
]
