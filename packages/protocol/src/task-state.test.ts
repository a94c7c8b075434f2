import { describe, expect, test } from 'vitest'
import { ACTIONS } from './action.ts'
import {
  actionCell,
  canMove,
  cellAnswer,
  cellCode,
  isFinal,
  printActionTable,
  TABLE_ROWS,
  TASK_STATES,
} from './task-state.ts'

/**
 * The table "State × action" of docs/protocol.md, typed by hand. ↺ is a replay, † leaves a tombstone. The columns:
 * initialize, start, publish, get_status, cancel.
 */
const TABLE = `
  unknown    | 200 pending    | 404            | 404               | 404            | 404 †
  pending    | ↺ 200 pending  | 200 running    | 400               | 200 pending    | 200 canceled
  running    | 400            | ↺ 200 running  | 400               | 200 running    | 200 canceled
  staged     | 400            | ↺ 200 running  | 200 publishing    | 200 staged     | 200 canceled
  publishing | 400            | 400            | ↺ 200 publishing  | 200 publishing | 200 canceled
  published  | 400            | 400            | ↺ 200 publishing  | 200 published  | 400
  failed     | 400            | 400            | 400               | 200 failed     | ↺ 200 failed
  canceled   | 400            | 400            | 400               | 200 canceled   | ↺ 200 canceled
  tombstone  | 400            | 400            | 400               | 404            | ↺ 200 canceled
`

const rows = TABLE.trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
const cells = rows.flatMap(([row, ...texts]) =>
  texts.map((text, index) => ({ row: row as (typeof TABLE_ROWS)[number], action: ACTIONS[index]!, text })),
)

/** As the table above writes it. `get_status` is no replay: it has no first time. */
function written(row: (typeof TABLE_ROWS)[number], action: (typeof ACTIONS)[number]): string {
  const cell = actionCell(row, action)
  const answer = cellAnswer(row, cell)
  const mark = cell.kind === 'replay' ? '↺ ' : ''
  const note = cell.kind === 'entomb' ? ' †' : ''
  return `${mark}${cellCode(cell)}${answer ? ` ${answer}` : ''}${note}`
}

test('the hand-typed table is whole: nine rows, five actions', () => {
  expect(rows.map(([row]) => row)).toEqual(TABLE_ROWS)
  expect(ACTIONS).toEqual(['initialize', 'start', 'publish', 'get_status', 'cancel'])
  expect(cells).toHaveLength(45)
})

describe('state × action', () => {
  test.each(cells)('$row, $action → $text', ({ row, action, text }) => {
    expect(written(row, action)).toBe(text)
  })

  test('the printed table has the same cells', () => {
    const printed = printActionTable()
      .split('\n')
      .slice(2)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim().replace(' + tombstone', ' †')),
      )
    expect(printed).toEqual(rows)
  })

  test('nothing leaves a terminal state by an action (TS-1), and get_status changes nothing (TS-10)', () => {
    for (const row of ['published', 'failed', 'canceled', 'tombstone'] as const)
      for (const action of ACTIONS)
        expect(['move', 'entomb'], `${row} ${action}`).not.toContain(actionCell(row, action).kind)
    for (const row of TABLE_ROWS)
      expect(['show', 'missing'], row).toContain(actionCell(row, 'get_status').kind)
  })
})

describe('moves that a task makes by itself', () => {
  /** Typed from the table of that name in docs/protocol.md. */
  const OWN = [
    'running → staged',
    'publishing → published',
    'pending → failed',
    'running → failed',
    'staged → failed',
    'publishing → failed',
    'pending → canceled',
    'running → canceled',
    'staged → canceled',
    'publishing → canceled',
  ]

  test('are those and no others', () => {
    const pairs = TASK_STATES.flatMap((from) => TASK_STATES.map((to) => [from, to] as const))
    const legal = pairs.filter(([from, to]) => canMove(from, to)).map(([from, to]) => `${from} → ${to}`)
    expect(legal.toSorted()).toEqual(OWN.toSorted())
  })

  test('published, failed and canceled are terminal (TS-1)', () => {
    expect(TASK_STATES.filter(isFinal)).toEqual(['published', 'failed', 'canceled'])
    for (const from of TASK_STATES.filter(isFinal))
      expect(TASK_STATES.some((to) => canMove(from, to))).toBe(false)
  })
})
