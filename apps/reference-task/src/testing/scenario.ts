import type { DiscardContext, PublishContext } from '@release-task/task-service'

import type { FileSystem } from '../file-system.ts'
import { discardRelease, publishRelease } from '../publication.ts'
import { readSourceFolder } from '../source-folder.ts'
import { stageRelease } from '../staging.ts'
import { fakeTask } from './fake-task.ts'

/** A phase as the crash tests run it: `discard` tells from which state. */
export type Phase = 'stage' | 'publish' | `discard ${DiscardContext['from']}`

/** One release's way through some phases; plain data, so that a child process can be told it. */
export interface Scenario {
  readonly root: string
  readonly source: string
  readonly releaseId: string
  readonly studies: readonly string[]
  /** The clock stands still, so that two runs can be compared. */
  readonly now: string
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
  const place = { fs, root: scenario.root, now: () => new Date(scenario.now) }
  const from = (phase.split(' ')[1] ?? 'staged') as DiscardContext['from']
  const task = fakeTask({ ...scenario, attempt, staged, from })
  if (phase === 'publish') await publishRelease(place, task)
  else if (phase !== 'stage') await discardRelease(place, task)
  else {
    const maker = { name: 'crash-test', version: '1.0.0' }
    return (await stageRelease(place, task, readSourceFolder(fs, scenario.source), maker)).staged ?? null
  }
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
