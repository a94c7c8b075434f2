// What was said over the lines: nothing is reported before it is done.
import type { HistoryLine, Work } from './history.ts'
import type { Violation } from './judge.ts'

const DONE_BY: { readonly [state: string]: Work } = { staged: 'stage', published: 'publish' }

export function judgeRequests(history: readonly HistoryLine[]): Violation[] {
  const done = new Set<string>()
  const found: Violation[] = []
  for (const line of history) {
    if (line.type === 'effect' && line.edge === 'end') done.add(`${line.task} ${line.work}`)
    if (line.type !== 'request' || line.link !== 'coordinator') continue
    const task = /^\/tasks\/(TA_\w{8})/.exec(line.path)?.[1]
    const state = (line.body as { state?: unknown } | null)?.state
    const work = typeof state === 'string' ? DONE_BY[state] : undefined
    if (task && work && !done.has(`${task} ${work}`))
      found.push({
        kind: 'early report',
        about: task,
        what: `${String(state)} was reported before ${work} ended`,
      })
  }
  return found
}
