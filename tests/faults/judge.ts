// Whether a round kept every promise, from nothing but its history and what both sides show afterwards. Pure: the same
// facts come to the same verdict, wherever they come from.
import type { ReleaseEvidence } from './evidence.ts'
import type { HistoryLine } from './history.ts'
import { SERVICES, type Intent } from './plan.ts'
import { judgeEffects } from './judge-effects.ts'
import { judgeEvents } from './judge-events.ts'
import { judgeRequests } from './judge-requests.ts'

/** How a promise was broken. */
export type Kind =
  /** It never reached an end, or what was public is not there. */
  | 'lost'
  /** Two attempts of one task at work at the same time, or work that was done already done once more. */
  | 'doubled'
  /** Another end than the rules give. */
  | 'wrong end'
  | 'public before publish'
  | 'public after cancel'
  /** What a fenced attempt did was counted. */
  | 'fenced'
  /** A state changed that was final, or changed as no rule allows. */
  | 'illegal change'
  /** Reported before it was done. */
  | 'early report'
  /** The sides do not agree at the end. */
  | 'disagreement'

export const KINDS: readonly Kind[] = [
  'lost', 'doubled', 'wrong end', 'public before publish', 'public after cancel', 'fenced', 'illegal change',
  'early report', 'disagreement',
] // prettier-ignore

export interface Violation {
  readonly kind: Kind
  readonly about: string
  readonly what: string
}

export interface Ended {
  readonly intent: Intent
  /** null: it was never created. */
  readonly id: string | null
  readonly state: string
  /** null: it could not be read. */
  readonly evidence: ReleaseEvidence | null
}

/** @param services how many tasks each release has: one at each service */
export function judge(
  history: readonly HistoryLine[],
  ends: readonly Ended[],
  services: number = SERVICES.length,
): Violation[] {
  return [
    ...judgeEffects(history, ends),
    ...judgeRequests(history),
    ...ends.flatMap((end) => [...judgeEnd(history, end), ...judgeEvents(end, services)]),
    ...judgeVersions(ends),
  ]
}

function judgeEnd(history: readonly HistoryLine[], end: Ended): Violation[] {
  const about = end.id ?? `a release to ${end.intent.type}`
  if (end.id === null || end.evidence === null)
    return [{ kind: 'lost', about, what: `last seen: ${end.state}` }]
  const { state } = end.evidence
  if (!['published', 'canceled', 'failed'].includes(state))
    return [{ kind: 'lost', about, what: `it is ${state}, and everything has been well for long` }]
  const right = rightEnds(history, end.id, end.intent)
  return right.includes(state)
    ? []
    : [{ kind: 'wrong end', about, what: `${state}, not ${right.join(' or ')}` }]
}

/** The ends that the rules give. Nothing else in a round may end a release: no deadline is as short as it. */
function rightEnds(history: readonly HistoryLine[], release: string, intent: Intent): string[] {
  if (intent.type === 'fail') return ['failed']
  const cancels = history.filter(
    (line) => line.type === 'person' && line.what === 'cancel' && line.release === release,
  )
  const answers = cancels.flatMap((line) => (line.type === 'person' && line.state) || [])
  if (answers.includes('canceling') || answers.includes('canceled')) return ['canceled']
  // Whoever got no answer does not know whether it was canceled; whoever did not ask does.
  const isUnknown = cancels.length > 0 && !answers.includes('published')
  return isUnknown ? ['canceled', 'published'] : ['published']
}

function judgeVersions(ends: readonly Ended[]): Violation[] {
  const taken = new Map<string, string>()
  return ends.flatMap(({ evidence }) => {
    if (evidence?.state !== 'published') return []
    const other = taken.get(evidence.version)
    taken.set(evidence.version, evidence.id)
    if (other === undefined) return []
    const what = `version ${evidence.version} was published as ${other} already`
    return [{ kind: 'doubled' as const, about: evidence.id, what }]
  })
}
