// What both sides say of themselves at the end: every change legal and told once, and the same end on both.
import type { ReleaseEvidence, TaskEvidence } from './evidence.ts'
import type { Ended, Violation } from './judge.ts'

// Typed from the contract, not from the code that is judged.
const RELEASE_MOVES: { readonly [from: string]: string } = {
  waiting: 'initializing canceling',
  initializing: 'running canceling',
  running: 'staged canceling',
  staged: 'publishing canceling',
  publishing: 'published canceling',
  canceling: 'canceled failed',
}
const TASK_MOVES: { readonly [from: string]: string } = {
  waiting: 'initialized rejected failed canceled',
  initialized: 'running failed canceled',
  running: 'staged failed canceled',
  staged: 'publishing failed canceled',
  publishing: 'published failed canceled',
}

export function judgeEvents({ evidence }: Ended, services: number): Violation[] {
  if (evidence === null) return []
  return [
    ...changes(evidence),
    ...together(evidence, services),
    ...evidence.tasks.flatMap((task) => [...agreement(task, evidence.state), ...ownEnd(task)]),
  ]
}

/** Follows every object from one change to the next: none may be missing, doubled, or after the end. */
function changes({ id, state, events, tasks }: ReleaseEvidence): Violation[] {
  const at = new Map<string, string>([[id, 'waiting'], ...tasks.map((task) => [task.id, 'waiting'] as const)])
  const found: Violation[] = []
  for (const message of events) {
    const [, kind, about, from, to] =
      /^(release|task) (\w{11}).* changed from (\w+) to (\w+)$/.exec(message) ?? []
    if (!about || !from || !to) continue
    const moves = (kind === 'release' ? RELEASE_MOVES : TASK_MOVES)[from] ?? ''
    const isLegal = moves.split(' ').includes(to)
    if (at.get(about) !== from || !isLegal) found.push({ kind: 'illegal change', about, what: `${from} to ${to} while it was ${at.get(about)}` }) // prettier-ignore
    at.set(about, to)
  }
  const shown = new Map([[id, state], ...tasks.map((task) => [task.id, task.state] as const)])
  for (const [about, last] of at)
    if (shown.get(about) !== last)
      found.push({
        kind: 'illegal change',
        about,
        what: `it is ${shown.get(about)}, and its events end with ${last}`,
      })
  return found
}

const RANK = ['waiting', 'initialized', 'running', 'staged', 'publishing', 'published']
/** How far every task must be when a release changes to this. */
const LEAST: { readonly [release: string]: string } = {
  running: 'initialized',
  staged: 'staged',
  publishing: 'staged',
  published: 'published',
}

/** A release goes on when all of its tasks have, and it has a task at each service. */
function together({ id, events, tasks }: ReleaseEvidence, services: number): Violation[] {
  const at = new Map(tasks.map((task) => [task.id, 'waiting']))
  return events.flatMap((message) => {
    const [, kind, about, to] = /^(release|task) (\w{11}).* changed from \w+ to (\w+)$/.exec(message) ?? []
    if (kind === 'task' && about && to) at.set(about, to)
    const least = kind === 'release' && to !== undefined ? LEAST[to] : undefined
    if (least === undefined) return []
    const behind = [...at].filter(([, state]) => RANK.indexOf(state) < RANK.indexOf(least))
    const what = `it is ${to} with ${tasks.length} tasks, and of them ${behind.map((one) => one.join(' ')).join()}`
    const isWhole = tasks.length === services && behind.length === 0
    return isWhole ? [] : [{ kind: 'disagreement' as const, about: id, what }]
  })
}

const AGREES: { readonly [state: string]: readonly string[] } = {
  published: ['published'],
  failed: ['failed', 'canceled'],
  canceled: ['canceled', 'failed'],
  rejected: ['canceled', 'failed'],
}

function agreement(task: TaskEvidence, release: string): Violation[] {
  const about = `${task.id} of ${task.service}`
  const broken = (what: string): Violation[] => [{ kind: 'disagreement', about, what }]
  if (!AGREES[task.state]) return broken(`the release is ${release}, and the task ${task.state}`)
  // What was canceled before anybody told its service is not known there.
  if (task.own === null) return task.state === 'published' ? broken('its service does not know it') : []
  const { state, cleanup } = task.own
  if (!AGREES[task.state]?.includes(state)) return broken(`${task.state} there, ${state} at its service`)
  return state !== 'published' && cleanup === 'pending' ? broken(`${state}, and not cleaned up`) : []
}

/** A service's own record ends once. */
function ownEnd({ id, service, own }: TaskEvidence): Violation[] {
  const ends = (own?.events ?? []).filter(({ type }) => ['published', 'failed', 'canceled'].includes(type))
  if (ends.length <= 1) return []
  const what = `its record ended ${ends.length} times: ${ends.map(({ type }) => type).join()}`
  return [{ kind: 'illegal change', about: `${id} of ${service}`, what }]
}
