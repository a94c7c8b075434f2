import { isFinalRelease, RELEASE_STATES, type ReleaseState } from '@release-task/protocol'
import { EXIT } from './exit-codes.ts'

/** The way of a release that goes well, in its order. */
const FORWARD = ['waiting', 'initializing', 'running', 'staged', 'publishing', 'published'] as const
/** The states that a release is stopped through: `canceling` leads to one of the others. */
const STOPPED = ['canceling', 'canceled', 'failed'] as const

/** What may be waited for. */
export const WANTED = [...FORWARD, ...STOPPED] as const
export type Wanted = (typeof WANTED)[number]

/** How a release stands to what is waited for; `underway` is the only one that may still change. */
export type Verdict = 'reached' | 'underway' | 'failed' | 'canceled' | 'other end'

const isState = (state: string): state is ReleaseState =>
  (RELEASE_STATES as readonly string[]).includes(state)

/** A release has ended; a state that is not known has not. */
export const isEnd = (state: string): boolean => isState(state) && isFinalRelease(state)

/**
 * Beyond counts as reached: whatever is publishing has been staged. A release that failed is a failure although it may
 * have been staged before: what was waited for is not there any more.
 */
export function verdictOf(state: string, wanted: Wanted): Verdict {
  if (state === wanted || isBeyond(state, wanted)) return 'reached'
  if (state === 'failed' || state === 'canceled') return state
  return isEnd(state) ? 'other end' : 'underway'
}

function isBeyond(state: string, wanted: Wanted): boolean {
  const [at, from] = [rank(state), rank(wanted)]
  if (at >= 0 && from >= 0) return at > from
  return wanted === 'canceling' && (state === 'canceled' || state === 'failed')
}

const rank = (state: string): number => (FORWARD as readonly string[]).indexOf(state)

/** How `watch` ends with a release that has ended. */
export function exitCodeOfEnd(state: string): number {
  return { published: EXIT.done, failed: EXIT.failed, canceled: EXIT.canceled }[state] ?? EXIT.refused
}
