import {
  actionCell,
  cellAnswer,
  cellCode,
  parseServiceState,
  type Action,
  type Cell,
  type TableRow,
} from '@release-task/protocol'
import type { Findings, Level } from '../finding.ts'
import { fieldOf, inWords, isObject, type Told } from '../told.ts'
import { stateOf } from './walk.ts'

/**
 * Judges the answer to an action by the table of section 4.
 * @param row the state that the task is in, or may be in, where it moves by itself
 */
export function expectCell(
  findings: Findings,
  row: TableRow | readonly TableRow[],
  action: Action,
  told: Told,
): void {
  const rows = [row].flat()
  const [first = 'unknown'] = rows
  const cell = actionCell(first, action)
  const level = levelOf(first, action)
  const task = `${action} of a task that ${IN_WORDS[first] ?? `is ${first}`}`
  if (cellCode(cell) !== 200) return expectRefusal(findings, { level, task, code: cellCode(cell), told })
  const states = [...new Set(rows.flatMap((one) => cellAnswer(one, actionCell(one, action)) ?? []))]
  const claim = `${task} is answered 200 ${states.join(' or ')}`
  findings[level](ruleOf(cell), claim, isRight(told, cell, states), inWords(told))
}

const IN_WORDS: { readonly [row in TableRow]?: string } = {
  unknown: 'is not known',
  tombstone: 'was canceled before it was known',
}

/** An answer without a state is as good, but to the question for the state (RC-10). */
function isRight(told: Told, cell: Cell, states: readonly string[]): boolean {
  if (told.code !== 200 || !isObject(told.json)) return false
  if (fieldOf(told.json, 'state') === undefined) return cell.kind !== 'show'
  return states.some((state) => parseServiceState(state) === stateOf(told))
}

interface Refusal {
  readonly level: Level
  readonly task: string
  readonly code: number
  readonly told: Told
}

function expectRefusal(findings: Findings, { level, task, code, told }: Refusal): void {
  const isRefused = told.code >= 400 && told.code < 500
  findings[level]('SV-13', `${task} is refused`, isRefused, inWords(told))
  if (!isRefused) return
  const isExact = told.code === code && typeof fieldOf(told.json, 'message') === 'string'
  findings.should('SV-14', `${task} is answered ${code}, with a JSON \`message\``, isExact, inWords(told))
}

/** Cells that are our own choice, and that no coordinator stumbles over. */
function levelOf(row: TableRow, action: Action): Level {
  if (action === 'initialize') return row === 'unknown' ? 'must' : 'should'
  if (action === 'cancel') return ['pending', 'running', 'staged'].includes(row) ? 'must' : 'should'
  return 'must'
}

const ruleOf = ({ kind }: Cell): string => (kind === 'replay' ? 'TS-6' : kind === 'show' ? 'TS-10' : 'SV-12')
