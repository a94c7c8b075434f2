import type { Findings } from '../finding.ts'
import { fieldOf, type Told } from '../told.ts'
import { comesTrue } from '../waiting.ts'
import { NOBODY_THERE, type ReceivedReport } from './stand-in.ts'
import type { Walk } from './walk.ts'

/** From the end of the work to its report, on a machine that is busy. */
export const REPORT_WITHIN_MS = 10_000
/** Two sockets of one process may be read in the other order. */
const SAME_TIME_MS = 20

/** A report of the end of a phase, after the answer to the action that began it (N-4). */
export async function expectSent(
  findings: Findings,
  { kit, task }: Walk,
  { state, after }: { readonly state: 'staged' | 'published'; readonly after: Told },
): Promise<void> {
  const claim = `${state} is reported to the coordinator`
  if (!kit.options.coordinator) return findings.unchecked('must', 'WK-5', claim, NOBODY_THERE)
  await comesTrue(kit.patient(REPORT_WITHIN_MS), () => task.reported(state).length > 0)
  const [first] = task.reported(state)
  const found = 'no such report came: is COORDINATOR_API of the service the address of this checker?'
  findings.must('WK-5', claim, first !== undefined, found)
  if (!first) return
  const early = after.at - first.at
  const order = `${state} is not reported before the action that began it is answered`
  findings.must('N-4', order, early < SAME_TIME_MS, `the report came ${Math.round(early)} ms before`)
}

/** What every report must be. @returns whether there is any */
export function expectReports(findings: Findings, { kit, task }: Walk): boolean {
  const { reports } = task
  if (!kit.options.coordinator || reports.length === 0) return false
  const wrong = reports.filter(({ body }) => !isWholeProgress(fieldOf(body, 'progress')))
  const shown = JSON.stringify(wrong[0]?.body)
  findings.must('N-13', 'progress is reported as a whole number from 0 to 100', wrong.length === 0, shown)
  const bare = reports.filter((report) => !hasCookiePair(report))
  const claim = 'a report carries the cookie `csrftoken` and the same in `X-CSRFToken`, as the original asks'
  findings.should('N-10', claim, bare.length === 0, `${bare.length} of ${reports.length} do not`)
  return true
}

function isWholeProgress(progress: unknown): boolean {
  if (progress === undefined) return true
  return Number.isInteger(progress) && Number(progress) >= 0 && Number(progress) <= 100
}

function hasCookiePair({ headers }: ReceivedReport): boolean {
  const [, cookie] = /(?:^|;\s*)csrftoken=([^;]+)/.exec(headers.cookie ?? '') ?? []
  return cookie !== undefined && cookie === headers['x-csrftoken']
}
