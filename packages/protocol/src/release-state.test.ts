import { describe, expect, test } from 'vitest'
import {
  canMoveCoordinatorTask,
  canMoveRelease,
  COORDINATOR_TASK_STATES,
  isFinalCoordinatorTask,
  isFinalRelease,
  pathForward,
  printReleaseTables,
  RELEASE_STATES,
  taskProgressRank,
} from './release-state.ts'

/** Typed from RC-1 of docs/protocol.md; what is not here is not legal. */
const RELEASE_MOVES = `
  waiting       initializing
  initializing  running
  running       staged
  staged        publishing
  publishing    published
  waiting       canceling
  initializing  canceling
  running       canceling
  staged        canceling
  publishing    canceling
  canceling     canceled
  canceling     failed
`

/** Typed from RC-2 of docs/protocol.md. */
const TASK_MOVES = `
  waiting      initialized
  waiting      rejected
  initialized  running
  running      staged
  staged       publishing
  publishing   published
  waiting      failed
  initialized  failed
  running      failed
  staged       failed
  publishing   failed
  waiting      canceled
  initialized  canceled
  running      canceled
  staged       canceled
  publishing   canceled
`

const movesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' → '))
    .toSorted()

function legal<State extends string>(states: readonly State[], canMove: (from: State, to: State) => boolean) {
  const pairs = states.flatMap((from) => states.map((to) => [from, to] as const))
  return pairs
    .filter(([from, to]) => canMove(from, to))
    .map(([from, to]) => `${from} → ${to}`)
    .toSorted()
}

describe('moves are those of docs/protocol.md and no others', () => {
  test('of a release (RC-1)', () => {
    expect(legal(RELEASE_STATES, canMoveRelease)).toEqual(movesOf(RELEASE_MOVES))
  })

  test('of a task at the coordinator (RC-2)', () => {
    expect(legal(COORDINATOR_TASK_STATES, canMoveCoordinatorTask)).toEqual(movesOf(TASK_MOVES))
  })

  test('terminal states', () => {
    expect(RELEASE_STATES.filter(isFinalRelease)).toEqual(['published', 'canceled', 'failed'])
    expect(COORDINATOR_TASK_STATES.filter(isFinalCoordinatorTask)).toEqual([
      'published',
      'rejected',
      'failed',
      'canceled',
    ])
  })

  test('the printed tables hold every state and every move', () => {
    const printed = printReleaseTables()
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.includes('may become'))
      .flatMap((line) => {
        const [, from = '', to = ''] = line.split('|').map((cell) => cell.trim())
        return to === '(final)' ? [] : to.split(', ').map((state) => `${from} → ${state}`)
      })
    expect(printed.toSorted()).toEqual([...movesOf(RELEASE_MOVES), ...movesOf(TASK_MOVES)].toSorted())
  })
})

describe('the way forward (RC-14)', () => {
  test.each([
    ['waiting', 'initialized', ['initialized']],
    ['initialized', 'staged', ['running', 'staged']],
    ['running', 'staged', ['staged']],
    ['staged', 'published', ['publishing', 'published']],
    ['waiting', 'published', ['initialized', 'running', 'staged', 'publishing', 'published']],
    ['staged', 'staged', []],
    ['staged', 'running', []],
    ['running', 'failed', []],
    ['running', 'canceled', []],
    ['failed', 'staged', []],
    ['rejected', 'running', []],
    ['canceled', 'published', []],
  ] as const)('%s to %s passes %j', (from, to, path) => {
    expect(pathForward(from, to)).toEqual(path)
  })

  test('every step of a path is a legal move', () => {
    for (const from of COORDINATOR_TASK_STATES)
      for (const to of COORDINATOR_TASK_STATES) {
        const path = [from, ...pathForward(from, to)]
        for (const [index, state] of path.slice(1).entries())
          expect(canMoveCoordinatorTask(path[index]!, state)).toBe(true)
      }
  })

  test('the states that end elsewhere have no rank', () => {
    expect(COORDINATOR_TASK_STATES.map(taskProgressRank)).toEqual([0, 1, 2, 3, 4, 5, -1, -1, -1])
  })
})
