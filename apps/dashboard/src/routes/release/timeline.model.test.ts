import { describe, expect, test } from 'vitest'
import type { Release, ReleaseEvent } from '../../api-types.ts'
import {
  axisMarks,
  moveOf,
  phasesOf,
  phaseText,
  shortened,
  timelineOf,
  timelineText,
} from './timeline.model.ts'

const at = (second: number) => new Date(second * 1000).toISOString()
const moved = (second: number, id: string, from: string, to: string, task: string | null = null) =>
  ({
    message: task
      ? `task ${id} changed from ${from} to ${to}`
      : `release ${id}, version 0.0.1 changed from ${from} to ${to}`,
    created_at: at(second),
    task: task && `http://a/tasks/${task}`,
  }) as ReleaseEvent

const RELEASE = {
  kf_id: 'RE_1',
  state: 'running',
  created_at: at(0),
  tasks: [{ kf_id: 'TA_1', state: 'running', created_at: at(1), service_name: 'files' }],
} as unknown as Release

/** Newest first, as the coordinator lists them. */
const EVENTS = [
  moved(4, 'TA_1', 'initialized', 'running', 'TA_1'),
  moved(3, 'RE_1', 'initializing', 'running'),
  moved(2, 'TA_1', 'waiting', 'initialized', 'TA_1'),
  moved(1, 'RE_1', 'waiting', 'initializing'),
]

test('moves are read by the last words, other events are none', () => {
  expect(moveOf(moved(4, 'RE_1', 'staged', 'publishing'))).toEqual({
    source: 'staged',
    target: 'publishing',
    at: 4000,
  })
  expect(moveOf({ message: 'request to start task failed: status 500', created_at: at(0) })).toBeNull()
})

test('phases of the release and its tasks', () => {
  const { rows, from, to } = timelineOf(RELEASE, EVENTS)
  expect({ from, to }).toEqual({ from: 0, to: null })
  expect(rows).toEqual([
    {
      id: 'RE_1',
      label: 'Release',
      phases: [
        { state: 'waiting', from: 0, to: 1000 },
        { state: 'initializing', from: 1000, to: 3000 },
        { state: 'running', from: 3000, to: null },
      ],
    },
    {
      id: 'TA_1',
      label: 'files',
      phases: [
        { state: 'waiting', from: 1000, to: 2000 },
        { state: 'initialized', from: 2000, to: 4000 },
        { state: 'running', from: 4000, to: null },
      ],
    },
  ])
})

test('an ended release ends with the last of its moves', () => {
  const events = [
    moved(9, 'RE_1', 'canceling', 'failed'),
    moved(8, 'RE_1', 'running', 'canceling'),
    ...EVENTS,
  ]
  expect(timelineOf({ ...RELEASE, state: 'failed' }, events).to).toBe(9000)
})

describe('phases', () => {
  test('without events there is the present state', () =>
    expect(phasesOf(5, 'waiting', [])).toEqual([{ state: 'waiting', from: 5, to: null }]))

  test('the same state again is no new phase', () => {
    const moves = [
      { source: 'running', target: 'canceling', at: 6 },
      { source: 'canceling', target: 'canceling', at: 7 },
    ]
    expect(phasesOf(5, 'canceling', moves)).toHaveLength(2)
  })

  test('what lasted no time is left out', () => {
    const moves = [
      { source: 'waiting', target: 'running', at: 7 },
      { source: 'running', target: 'staged', at: 7 },
    ]
    expect(phasesOf(5, 'staged', moves).map(({ state }) => state)).toEqual(['waiting', 'staged'])
  })
})

test.each([
  [9000, 5, [0, 2000, 4000, 6000, 8000]],
  [60_000, 4, [0, 15_000, 30_000, 45_000, 60_000]],
  [0, 5, [0]],
])('an axis of %i ms', (length, most, marks) => expect(axisMarks(length, most)).toEqual(marks))

test('in words', () =>
  expect(timelineText(timelineOf(RELEASE, EVENTS), 10_000, (ms) => `${ms / 1000} s`)).toBe(
    'The release was waiting 1 s, then initializing 2 s, then running 7 s. So far 10 s, 1 task.',
  ))

test('a long name loses its middle', () => {
  expect(shortened('service-with-a-long-name-17', 12)).toBe('servic…me-17')
  expect(shortened('files', 12)).toBe('files')
})

test('each phase in words', () => {
  const { rows } = timelineOf(RELEASE, EVENTS)
  const of = (row: number, phase: number) =>
    phaseText(rows[row]?.phases[phase] as never, 0, 10_000, (ms) => `${ms / 1000} s`)
  expect(of(0, 0)).toBe('waiting for 1 s, from the beginning')
  expect(of(0, 2)).toBe('running for 7 s, 3 s after the beginning, until now')
  expect(of(1, 1)).toBe('initialized for 2 s, 2 s after the beginning')
  const failed = { state: 'failed', from: 4000, to: null } as const
  expect(phaseText(failed, 0, 10_000, (ms) => `${ms / 1000} s`)).toBe('failed 4 s after the beginning')
})
