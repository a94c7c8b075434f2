import type { DiscardContext, PublishContext } from '@release-task/task-service'

import type { FileSystem } from '../file-system.ts'
import type { Retention } from '../retention.ts'
import type { Workplace } from '../workplace.ts'
import { fakeTask } from './fake-task.ts'
import type { Phases } from './phases.ts'

/** A phase as it is run: `discard` tells from which state. */
export type Phase = 'stage' | 'publish' | `discard ${DiscardContext['from']}`

/** One release's way through some phases; plain data, so that a child process can be told it. */
export interface Scenario {
  /** Address of the file with the phases. */
  readonly phases: string
  readonly root: string
  readonly source: string
  readonly releaseId: string
  readonly studies: readonly string[]
  /** The clock stands still, so that two runs can be compared. */
  readonly now: string
  /** Absent: nothing of other releases is removed. */
  readonly retention?: Retention
}

type Staged = PublishContext['staged']

/** Runs one phase; gives what the record keeps for the phases after it. */
export async function runPhase(
  fs: FileSystem,
  scenario: Scenario,
  phase: Phase,
  attempt: number,
  staged: Staged,
): Promise<Staged> {
  const { default: phases } = (await import(scenario.phases)) as { default: Phases }
  const { root, retention } = scenario
  const now = () => new Date(scenario.now)
  const place: Workplace = { fs, root, now, ...(retention && { retention }) }
  const from = (phase.split(' ')[1] ?? 'staged') as DiscardContext['from']
  const task = fakeTask({ ...scenario, attempt, staged, from })
  if (phase === 'stage') return (await phases.stage(place, task, scenario.source)).staged ?? null
  if (phase === 'publish') await phases.publish(place, task)
  else await phases.discard(place, task)
  return staged
}

/** Where a run stands: the attempt that comes next, and what the task's record keeps of `stage`. */
export interface Standing {
  readonly attempt: number
  readonly staged: Staged
}

export const START: Standing = { attempt: 1, staged: null }

/** Runs phases one after the other, each as an attempt of its own. */
export async function runPhases(
  fs: FileSystem,
  scenario: Scenario,
  phases: readonly Phase[],
  start: Standing,
): Promise<Standing> {
  let { staged, attempt } = start
  for (const phase of phases) staged = await runPhase(fs, scenario, phase, attempt++, staged)
  return { staged, attempt }
}
