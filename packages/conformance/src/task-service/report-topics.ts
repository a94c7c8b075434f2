import type { Findings } from '../finding.ts'
import { inWords } from '../told.ts'
import type { Topic } from '../topic.ts'
import { comesTrue, eventually, pause } from '../waiting.ts'
import type { Kit } from './kit.ts'
import { REPORT_WITHIN_MS } from './report-claims.ts'
import { NOBODY_THERE, type Reply, type TaskHere } from './stand-in.ts'

const RETRY_AFTER_S = 2
/** A timer may fire a moment early. */
const MARGIN_MS = 100
/** The first three times that our services read a report back (N-7). */
const READ_BACK_WITHIN_MS = 45_000
const REFUSED_FOR_MS = 5000

type Trouble = (task: TaskHere, findings: Findings, kit: Kit) => Promise<void>

/** A topic whose task is led to staged, while the coordinator takes the report as it likes. */
function trouble(name: string, reply: () => TaskHere['reply'], judge: Trouble): Topic<Kit> {
  return {
    name,
    async check(kit, findings) {
      const { reports } = await kit.manner
      const why = kit.options.coordinator ? 'it reports nothing here' : NOBODY_THERE
      if (!reports) return findings.unchecked('must', 'N-1', 'a report is not lost', why)
      const walk = kit.walk()
      walk.task.reply = reply()
      await walk.leadTo('running')
      const within = kit.options.withinMs + kit.patient(REPORT_WITHIN_MS)
      const isThere = await comesTrue(within, () => walk.task.reported('staged').length > 0)
      if (!isThere) throw new Error(`after start no staged was reported in ${within / 1000} s`)
      await judge(walk.task, findings, kit)
      walk.task.reply = () => null
      await walk.act('cancel')
    },
  }
}

const isStaged = (body: unknown): boolean => (body as { state?: unknown } | undefined)?.state === 'staged'

/** What the coordinator answers to the first reports of staged, and to no other. */
function first(count: number, answer: Reply | 'cut'): () => TaskHere['reply'] {
  return () => {
    let seen = 0
    return ({ body }) => (isStaged(body) && seen++ < count ? answer : null)
  }
}

const again = (kit: Kit, task: TaskHere, count: number) =>
  comesTrue(kit.patient(REPORT_WITHIN_MS), () => task.reported('staged').length >= count)
const times = (task: TaskHere): string => `staged was reported ${task.reported('staged').length} times`

const AWAY: Reply = { status: 503, body: { message: 'away' } }
const LATER: Reply = {
  status: 429,
  body: { detail: 'Later.' },
  headers: { 'retry-after': String(RETRY_AFTER_S) },
}
/** What the original answers where it has stored the report and its release could not follow. */
const SAVED: Reply = { status: 500, body: '<h1>Server Error (500)</h1>', shows: 'staged' }
const WRONG: Reply = { status: 400, body: { state: ['It is not right.'] } }
const STALE: Reply = { status: 409, body: { detail: 'The release was canceled.' }, shows: 'canceled' }
/** 200, and a moment later the coordinator has written an older row over it (F-01, F-03). */
const OVERWRITTEN: Reply = { status: 200, body: {}, shows: 'running' }

/** Reports go on until the coordinator agrees (section 6). */
export const REPORT_TOPICS: readonly Topic<Kit>[] = [
  trouble('a coordinator that is away for a while', first(2, AWAY), async (task, findings, kit) => {
    findings.must(
      'N-1',
      'a report that got 503 twice comes a third time',
      await again(kit, task, 3),
      times(task),
    )
  }),
  trouble('a coordinator that cuts the connection', first(1, 'cut'), async (task, findings, kit) => {
    findings.must('N-1', 'a report without an answer comes again', await again(kit, task, 2), times(task))
  }),
  trouble('a coordinator that says when to come again', first(1, LATER), async (task, findings, kit) => {
    findings.must('N-1', 'a report that got 429 comes again', await again(kit, task, 2), times(task))
    const [one, two] = task.reported('staged')
    const ms = one && two ? two.at - one.at : 0
    const claim = 'it comes again no sooner than `Retry-After` says'
    if (two)
      findings.should('N-1', claim, ms >= RETRY_AFTER_S * 1000 - MARGIN_MS, `after ${Math.round(ms)} ms`)
  }),
  trouble(
    'a coordinator that stores a report and answers 500',
    first(1, SAVED),
    async (task, findings, kit) => {
      await comesTrue(
        kit.patient(REPORT_WITHIN_MS),
        () => task.reads.length > 0 || task.reported('staged').length > 1,
      )
      const [report, repeated] = task.reported('staged')
      const read = task.reads.find((at) => report !== undefined && at > report.at)
      const isFirst = read !== undefined && (repeated === undefined || read < repeated.at)
      findings.should('N-1', 'after a 500 it reads the task before it reports again', isFirst, times(task))
    },
  ),
  trouble(
    'a coordinator that loses a report afterwards',
    first(1, OVERWRITTEN),
    async (task, findings, kit) => {
      const isBack = await comesTrue(
        kit.patient(READ_BACK_WITHIN_MS),
        () => task.reported('staged').length > 1,
      )
      const claim = 'a report that the coordinator has written over is seen, and comes again'
      findings.should('N-2', claim, isBack, `${times(task)}, the task was read ${task.reads.length} times`)
    },
  ),
  trouble('a coordinator that refuses a report', first(1, WRONG), async (task, findings, kit) => {
    await pause(kit.patient(REFUSED_FOR_MS))
    const claim = 'a report that got 400 is not repeated'
    findings.should('N-11', claim, task.reported('staged').length === 1, times(task))
  }),
  trouble('a coordinator that has canceled meanwhile', first(1, STALE), async (task, findings, kit) => {
    const claim = 'a 409, and a task shown as canceled, cancel it'
    let last = ''
    const seen = await eventually(kit.patient(REPORT_WITHIN_MS), async () => {
      last = inWords(await kit.act('get_status', task))
      return /"state":"cancel/.test(last) ? last : null
    })
    findings.should('N-9', claim, seen !== null, `get_status says ${last}`)
  }),
]
