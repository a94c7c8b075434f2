import type { TableRow } from '@release-task/protocol'
import type { Findings } from '../finding.ts'
import { inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { pause } from '../waiting.ts'
import { expectCell } from './expectation.ts'
import type { Kit } from './kit.ts'
import { NOBODY_THERE } from './stand-in.ts'
import { stateOf, type Walk } from './walk.ts'

/** How much longer than a whole stage a canceled one is watched. */
const LONGER_MS = 2000
/** What was sent before the cancel may arrive after its answer. */
const ON_THE_WAY_MS = 50

/** A cancel at every moment, and what may come after it (TS-1, TS-2, TS-7). */
export const CANCEL_TOPICS: readonly Topic<Kit>[] = [
  canceledAt('canceled after initialize', 'initialized', 'pending'),
  {
    name: 'canceled while it works',
    async check(kit, findings) {
      const walk = kit.walk()
      await walk.leadTo('running')
      const canceled = await walk.act('cancel')
      expectCell(findings, 'running', 'cancel', canceled)
      await expectCanceled(findings, walk)
      await expectSilence(findings, walk, canceled.at)
    },
  },
  canceledAt('canceled when it is staged', 'staged', 'staged'),
  {
    name: 'canceled before it was initialized',
    async check(kit, findings) {
      const walk = kit.walk()
      expectCell(findings, 'unknown', 'cancel', await walk.act('cancel'))
      for (const action of ['initialize', 'start'] as const)
        expectCell(findings, 'tombstone', action, await walk.act(action))
    },
  },
  {
    name: 'start and cancel at the same time',
    async check(kit, findings) {
      const walk = kit.walk()
      await walk.leadTo('initialized')
      const [, canceled] = await Promise.all([walk.act('start'), walk.act('cancel')])
      findings.must('TS-7', 'the cancel is answered 200', canceled.code === 200, inWords(canceled))
      const told = await walk.act('get_status')
      findings.must('TS-7', 'the task ends canceled', stateOf(told) === 'canceled', inWords(told))
    },
  },
]

function canceledAt(name: string, goal: 'initialized' | 'staged', row: TableRow): Topic<Kit> {
  return {
    name,
    async check(kit, findings) {
      const walk = kit.walk()
      await walk.leadTo(goal)
      expectCell(findings, row, 'cancel', await walk.act('cancel'))
      await expectCanceled(findings, walk)
    },
  }
}

async function expectCanceled(findings: Findings, walk: Walk): Promise<void> {
  for (const action of ['cancel', 'start', 'publish', 'initialize', 'get_status'] as const)
    expectCell(findings, 'canceled', action, await walk.act(action))
}

/** Longer than the work would have taken, nothing is heard of it. */
async function expectSilence(findings: Findings, { kit, task }: Walk, since: number): Promise<void> {
  const claim = 'its work is never reported as staged'
  if (!kit.options.coordinator) return findings.unchecked('must', 'TS-2', claim, NOBODY_THERE)
  const { stageMs, reports } = await kit.manner
  const why = reports ? 'its work never ended in the way of a release' : 'it reports nothing here'
  if (stageMs === null || !reports) return findings.unchecked('must', 'TS-2', claim, why)
  await pause(stageMs + kit.patient(LONGER_MS))
  const late = task.reported('staged').find(({ at }) => at > since + ON_THE_WAY_MS)
  const ms = late ? Math.round(late.at - since) : 0
  findings.must('TS-2', claim, late === undefined, `it was reported ${ms} ms after the cancel`)
}
