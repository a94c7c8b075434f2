import { ACTIONS, type Action } from './action.ts'

/** States of a task in its task service, in the order of a release that goes well (docs/protocol.md, section 4). */
export const TASK_STATES = [
  'pending',
  'running',
  'staged',
  'publishing',
  'published',
  'failed',
  'canceled',
] as const
export type TaskState = (typeof TASK_STATES)[number]

/** Nothing leaves these (TS-1). */
export const FINAL_TASK_STATES = ['published', 'failed', 'canceled'] as const satisfies readonly TaskState[]

/** Moves that a task makes without being asked (docs/protocol.md, section 4); stored before they are told (WK-5). */
const OWN_MOVES: { readonly [from in TaskState]: readonly TaskState[] } = {
  pending: ['failed', 'canceled'],
  running: ['staged', 'failed', 'canceled'],
  staged: ['failed', 'canceled'],
  publishing: ['published', 'failed', 'canceled'],
  published: [],
  failed: [],
  canceled: [],
}

export function isFinal(state: TaskState): boolean {
  return (FINAL_TASK_STATES as readonly TaskState[]).includes(state)
}

/** Whether a task may move from one state to another without being asked by an action. */
export function canMove(from: TaskState, to: TaskState): boolean {
  return OWN_MOVES[from].includes(to)
}

/** The rows of the action table: a stored state, an id never heard of, or one known only from a cancel that came first. */
export const TABLE_ROWS = ['unknown', ...TASK_STATES, 'tombstone'] as const
export type TableRow = (typeof TABLE_ROWS)[number]

/**
 * One cell of the action table.
 * `move`: the state is stored and answered. `replay`: nothing is stored, `answer` is said again (it may be an
 * earlier state than the stored one: the coordinator fails a release over any other word). `show`: the stored
 * state. `entomb`: 404, and the id is remembered as canceled.
 */
export type Cell =
  | { readonly kind: 'move'; readonly to: TaskState }
  | { readonly kind: 'replay'; readonly answer: TaskState }
  | { readonly kind: 'show' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'entomb' }

const move = (to: TaskState): Cell => ({ kind: 'move', to })
const replay = (answer: TaskState): Cell => ({ kind: 'replay', answer })
const show: Cell = { kind: 'show' }
const refuse: Cell = { kind: 'refuse' }
const missing: Cell = { kind: 'missing' }
const entomb: Cell = { kind: 'entomb' }

type Row = { readonly [action in Action]: Cell }

// prettier-ignore
const ACTION_TABLE: { readonly [row in TableRow]: Row } = {
  unknown:    { initialize: move('pending'),   start: missing,           publish: missing,              get_status: missing, cancel: entomb },
  pending:    { initialize: replay('pending'), start: move('running'),   publish: refuse,               get_status: show,    cancel: move('canceled') },
  running:    { initialize: refuse,            start: replay('running'), publish: refuse,               get_status: show,    cancel: move('canceled') },
  staged:     { initialize: refuse,            start: replay('running'), publish: move('publishing'),   get_status: show,    cancel: move('canceled') },
  publishing: { initialize: refuse,            start: refuse,            publish: replay('publishing'), get_status: show,    cancel: move('canceled') },
  published:  { initialize: refuse,            start: refuse,            publish: replay('publishing'), get_status: show,    cancel: refuse },
  failed:     { initialize: refuse,            start: refuse,            publish: refuse,               get_status: show,    cancel: replay('failed') },
  canceled:   { initialize: refuse,            start: refuse,            publish: refuse,               get_status: show,    cancel: replay('canceled') },
  tombstone:  { initialize: refuse,            start: refuse,            publish: refuse,               get_status: missing, cancel: replay('canceled') },
}

/** What the contract says of `action` on a task in `row`. */
export function actionCell(row: TableRow, action: Action): Cell {
  return ACTION_TABLE[row][action]
}

/** The HTTP code that a cell answers. */
export function cellCode(cell: Cell): 200 | 400 | 404 {
  if (cell.kind === 'refuse') return 400
  return cell.kind === 'missing' || cell.kind === 'entomb' ? 404 : 200
}

/** The state that a cell answers, where it answers one. */
export function cellAnswer(row: TableRow, cell: Cell): TaskState | null {
  if (cell.kind === 'move') return cell.to
  if (cell.kind === 'replay') return cell.answer
  return cell.kind === 'show' && row !== 'unknown' && row !== 'tombstone' ? row : null
}

function cellText(row: TableRow, cell: Cell): string {
  const answer = cellAnswer(row, cell)
  const mark = cell.kind === 'replay' ? '↺ ' : ''
  const note = cell.kind === 'entomb' ? ' + tombstone' : ''
  return `${mark}${cellCode(cell)}${answer ? ` ${answer}` : ''}${note}`
}

/** The whole table as Markdown: committed, and compared by a test. */
export function printActionTable(): string {
  const lines = [`| state \\ action | ${ACTIONS.join(' | ')} |`, `|---|${ACTIONS.map(() => '---|').join('')}`]
  for (const row of TABLE_ROWS) {
    lines.push(`| ${row} | ${ACTIONS.map((action) => cellText(row, actionCell(row, action))).join(' | ')} |`)
  }
  return lines.join('\n')
}
