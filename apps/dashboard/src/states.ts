import type { CoordinatorTaskState, ReleaseState } from './api-types.ts'

export type AnyState = ReleaseState | CoordinatorTaskState

/** How a state is shown: never by its colour alone. */
export interface StateLook {
  readonly sign: string
  readonly tone: 'idle' | 'busy' | 'ready' | 'going-out' | 'good' | 'stopped' | 'bad'
  readonly meaning: string
}

// Typed once more and not imported: only types come from the protocol, whose schemas would come along otherwise. A state
// that is missing here is an error below, where each has its look.
export const RELEASE_STATES = [
  'waiting',
  'initializing',
  'running',
  'staged',
  'publishing',
  'published',
  'canceling',
  'canceled',
  'failed',
] as const satisfies readonly ReleaseState[]

export const TASK_STATES = [
  'waiting',
  'initialized',
  'running',
  'staged',
  'publishing',
  'published',
  'rejected',
  'failed',
  'canceled',
] as const satisfies readonly CoordinatorTaskState[]

const LOOKS: { readonly [state in AnyState]: StateLook } = {
  waiting: { sign: '○', tone: 'idle', meaning: 'not begun' },
  initializing: { sign: '◐', tone: 'busy', meaning: 'asking the services to take part' },
  initialized: { sign: '◐', tone: 'idle', meaning: 'the service takes part' },
  running: { sign: '▶', tone: 'busy', meaning: 'the work is being prepared, nothing is public' },
  staged: { sign: '◆', tone: 'ready', meaning: 'prepared, waits to be published' },
  publishing: { sign: '▲', tone: 'going-out', meaning: 'is being made public' },
  published: { sign: '✓', tone: 'good', meaning: 'public' },
  canceling: { sign: '■', tone: 'stopped', meaning: 'is being stopped' },
  canceled: { sign: '■', tone: 'stopped', meaning: 'was stopped' },
  failed: { sign: '✕', tone: 'bad', meaning: 'ended by an error' },
  rejected: { sign: '✕', tone: 'bad', meaning: 'the service refused to take part' },
}

/** An unknown word is shown as it is: a newer coordinator may know more states. Pure. */
export function lookOf(state: string): StateLook {
  return (
    LOOKS[state as AnyState] ?? { sign: '?', tone: 'idle', meaning: 'a state that this page does not know' }
  )
}

/** Nothing leaves these. Pure. */
export function isFinal(state: AnyState): boolean {
  return ['published', 'canceled', 'failed', 'rejected'].includes(state)
}
