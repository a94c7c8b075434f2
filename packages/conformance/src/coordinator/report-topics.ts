import { fieldOf, inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { expectReaches, expectRefused, expectStays, isNoFault } from './claims.ts'
import { withOne, withTwo, type Kit } from './kit.ts'

/** What services report, at every moment (RC-12, RC-23 to RC-27). */
export const REPORT_TOPICS: readonly Topic<Kit>[] = [
  withOne('staged, reported before the answer to start', async ({ kit, findings, service }) => {
    service.stages = false
    service.on('start', async ({ task, release }) => {
      service.show(task, 'running')
      await service.reportDone(release, 'staged')
      return { status: 200, body: { state: 'running', progress: 0 } }
    })
    const release = await kit.release()
    const staged = { rule: 'RC-12', claim: 'the release is staged' }
    if (!(await expectReaches(findings, release, 'staged', staged))) return
    const task = { id: service.taskOf(release.id), state: 'staged' }
    const kept = { rule: 'RC-12', claim: 'the task stays staged: the answer to `start` does not undo it' }
    await expectStays(findings, release, { release: 'staged', task }, kept)
    await release.publish()
    await expectReaches(findings, release, 'published', { rule: 'RC-12', claim: 'it can be published' })
  }),
  withOne('published, reported before the answer to publish', async ({ kit, findings, service }) => {
    service.on('publish', async ({ release }) => {
      await service.reportDone(release, 'published')
      return { status: 200, body: { state: 'publishing', progress: 0 } }
    })
    const release = await (await kit.release()).leadTo('staged')
    await release.publish()
    const published = { rule: 'RC-12', claim: 'the release is published' }
    if (!(await expectReaches(findings, release, 'published', published))) return
    const task = { id: service.taskOf(release.id), state: 'published' }
    const kept = {
      rule: 'RC-12',
      claim: 'the task stays published: the answer to `publish` does not undo it',
    }
    await expectStays(findings, release, { release: 'published', task }, kept)
  }),
  withOne('staged and published, reported again', async ({ kit, findings, service }) => {
    const release = await (await kit.release()).leadTo('staged')
    const id = service.taskOf(release.id)
    const again = await service.report(id, { state: 'staged', progress: 100 })
    findings.must('RC-24', 'staged again is no error of the coordinator', isNoFault(again), inWords(again))
    findings.should('RC-24', 'staged again is answered 200', again.code === 200, inWords(again))
    const progress = await service.report(id, { progress: 100 })
    const claim = 'progress of a staged task is no error of the coordinator'
    findings.must('RC-24', claim, isNoFault(progress), inWords(progress))
    const kept = { rule: 'RC-24', claim: 'staged again changes nothing' }
    await expectStays(findings, release, { release: 'staged', task: { id, state: 'staged' } }, kept)
    await release.leadTo('published')
    const version = await release.version()
    const twice = await service.report(id, { state: 'published', progress: 100 })
    findings.must('RC-24', 'published again is no error of the coordinator', isNoFault(twice), inWords(twice))
    findings.should('RC-25', 'published again is answered 200', twice.code === 200, inWords(twice))
    const after = await release.version()
    findings.must('RC-24', 'published again raises no version', after === version, `${version} → ${after}`)
  }),
  withOne('a report that is wrong', async ({ kit, findings, service }) => {
    service.stages = false
    const release = await (await kit.release()).leadTo('running')
    const id = service.taskOf(release.id)
    const banana = await service.report(id, { state: 'banana' })
    expectRefused(findings, { rule: 'RC-23', what: 'the state `banana`', told: banana, codes: [400] })
    for (const progress of ['50%', null, 'much'] as const) {
      const told = await service.report(id, { progress })
      const what = `progress ${JSON.stringify(progress)}`
      expectRefused(findings, { rule: 'RC-27', what, told, codes: [400] })
    }
    const early = await service.report(id, { state: 'published' })
    const claim = 'published before any publish'
    expectRefused(findings, { rule: 'RC-24', what: claim, told: early, codes: [409] })
    const kept = { rule: 'RC-24', claim: 'nothing of it is stored' }
    await expectStays(findings, release, { release: 'running', task: { id, state: 'running' } }, kept)
  }),
  withOne('progress', async ({ kit, findings, service }) => {
    service.stages = false
    // A poll in between says nothing of progress.
    service.on('get_status', () => ({ status: 200, body: { state: 'running' } }))
    const release = await (await kit.release()).leadTo('running')
    const id = service.taskOf(release.id)
    const told = await service.report(id, { progress: 40 })
    const shown = (await release.task(id)).progress
    const isTaken = told.code === 200 && shown === 40
    findings.must('RC-27', 'a whole number is stored', isTaken, `shown ${String(shown)}; ${inWords(told)}`)
    await service.report(id, { progress: -5 })
    const negative = Number((await release.task(id)).progress)
    findings.must('RC-27', 'a negative one is not stored as it is', negative >= 0, String(negative))
    await service.report(id, { progress: 1000 })
    const more = Number((await release.task(id)).progress)
    findings.should('RC-27', 'one above 100 is not stored as it is', more <= 100, String(more))
    const staged = await service.reportDone(release.id, 'staged')
    const answered = fieldOf(staged.json, 'state')
    findings.must('CR-25', 'a report is answered with the task', answered === 'staged', inWords(staged))
  }),
  withTwo('failed, reported by one of two', async ({ kit, findings, one, two }) => {
    one.stages = two.stages = false
    const release = await (await kit.release()).leadTo('running')
    const id = one.taskOf(release.id)
    const told = await one.report(id, { state: 'failed', message: 'The disk is full.' })
    findings.must('CR-25', 'it is taken', told.code === 200, inWords(told))
    await expectReaches(findings, release, 'failed', { rule: 'RC-18', claim: 'the release ends failed' })
    const isTold = await two.isTold(release.id, 'cancel', kit.options.withinMs)
    findings.must('RC-19', 'the other service is told `cancel`', isTold, two.actions(release.id).join(', '))
    const { state } = await release.task(id)
    findings.should('RC-25', 'the task stays failed', state === 'failed', state)
  }),
  withOne('a report of a release that is over', async ({ kit, findings, service }) => {
    for (const over of ['published', 'canceled'] as const) {
      service.stages = service.publishes = true
      const release = await kit.release()
      if (over === 'published') await release.leadTo('published')
      else await (await release.leadTo('staged')).cancel()
      await release.reaches([over])
      const id = service.taskOf(release.id)
      const told = await service.report(id, { state: over === 'published' ? 'failed' : 'staged' })
      findings.must('RC-25', `${over}: is no error of the coordinator`, isNoFault(told), inWords(told))
      findings.should('RC-25', `${over}: is answered 409`, told.code === 409, inWords(told))
      const kept = { rule: 'RC-25', claim: `${over}: changes nothing` }
      await expectStays(findings, release, { release: over, task: { id, state: over } }, kept)
    }
  }),
]
