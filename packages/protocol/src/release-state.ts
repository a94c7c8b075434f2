/** States of a release (RC-1). */
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
] as const
export type ReleaseState = (typeof RELEASE_STATES)[number]

/** The coordinator's word for a task (RC-2); not the task service's own (`pending` there is `initialized` here). */
export const COORDINATOR_TASK_STATES = [
  'waiting',
  'initialized',
  'running',
  'staged',
  'publishing',
  'published',
  'rejected',
  'failed',
  'canceled',
] as const
export type CoordinatorTaskState = (typeof COORDINATOR_TASK_STATES)[number]

/** How a release that is being stopped will end; decided once, with the move to `canceling` (RC-18). */
export type ReleaseOutcome = 'canceled' | 'failed'

/** RC-1. */
const RELEASE_MOVES: { readonly [from in ReleaseState]: readonly ReleaseState[] } = {
  waiting: ['initializing', 'canceling'],
  initializing: ['running', 'canceling'],
  running: ['staged', 'canceling'],
  staged: ['publishing', 'canceling'],
  publishing: ['published', 'canceling'],
  published: [],
  canceling: ['canceled', 'failed'],
  canceled: [],
  failed: [],
}

/** RC-2: `failed` and `canceled` from every state that is not terminal. */
const TASK_MOVES: { readonly [from in CoordinatorTaskState]: readonly CoordinatorTaskState[] } = {
  waiting: ['initialized', 'rejected', 'failed', 'canceled'],
  initialized: ['running', 'failed', 'canceled'],
  running: ['staged', 'failed', 'canceled'],
  staged: ['publishing', 'failed', 'canceled'],
  publishing: ['published', 'failed', 'canceled'],
  published: [],
  rejected: [],
  failed: [],
  canceled: [],
}

export function isFinalRelease(state: ReleaseState): boolean {
  return RELEASE_MOVES[state].length === 0
}

export function isFinalCoordinatorTask(state: CoordinatorTaskState): boolean {
  return TASK_MOVES[state].length === 0
}

export function canMoveRelease(from: ReleaseState, to: ReleaseState): boolean {
  return RELEASE_MOVES[from].includes(to)
}

export function canMoveCoordinatorTask(from: CoordinatorTaskState, to: CoordinatorTaskState): boolean {
  return TASK_MOVES[from].includes(to)
}

const FORWARD: readonly CoordinatorTaskState[] = [
  'waiting',
  'initialized',
  'running',
  'staged',
  'publishing',
  'published',
]

/** How far a task is on the way to `published`; -1 for the states that end elsewhere. */
export function taskProgressRank(state: CoordinatorTaskState): number {
  return FORWARD.indexOf(state)
}

/**
 * The states that a task passes on its way forward from one to another, the last included (RC-14); empty if it is
 * not ahead.
 */
export function pathForward(
  from: CoordinatorTaskState,
  to: CoordinatorTaskState,
): readonly CoordinatorTaskState[] {
  const start = taskProgressRank(from)
  const end = taskProgressRank(to)
  return start < 0 || end <= start ? [] : FORWARD.slice(start + 1, end + 1)
}

function printMoves(title: string, moves: { readonly [from: string]: readonly string[] }): string {
  const lines = [`| ${title} | may become |`, '|---|---|']
  for (const [from, to] of Object.entries(moves)) lines.push(`| ${from} | ${to.join(', ') || '(final)'} |`)
  return lines.join('\n')
}

/** Both tables of the coordinator as Markdown: committed, and compared by a test. */
export function printReleaseTables(): string {
  return `${printMoves('release', RELEASE_MOVES)}\n\n${printMoves('task, as the coordinator sees it', TASK_MOVES)}`
}
