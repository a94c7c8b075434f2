import type { Action, ReleaseId, StudyId, TaskAnswer, TaskId } from '@release-task/protocol'
import type { Command } from '../decision.ts'
import type { Executed } from '../execute.ts'
import { taskAnswer } from '../views.ts'
import type { CoordinatorInProcess } from './fake-coordinator.ts'
import type { Life } from './life.ts'
import { ActionRefused, NoAnswer } from './task-kit.ts'

/** Of which task and release the test is. */
export interface Subject {
  readonly taskId: TaskId
  readonly releaseId: ReleaseId
  readonly studies: readonly StudyId[]
}

type Told = Exclude<Action, 'get_status'>
const WORK_OF = { start: 'stage', publish: 'publish', initialize: null, cancel: null } as const

/** One `POST /tasks`, from the request to the answer (WK-6). @throws ActionRefused, NoAnswer */
export async function act(
  life: Life | null,
  action: Told,
  { taskId, releaseId, studies }: Subject,
  coordinator: CoordinatorInProcess,
): Promise<TaskAnswer> {
  const version = life?.task.version ?? ''
  const command = { type: 'action', request: { action, taskId, releaseId, studies }, version } as const
  const { alive, decision, record } = await executed(life, action, taskId, command)
  if (decision.kind === 'next' && alive.passNow(`${action} accepted`)) await alive.end()
  const { state } = decision.answer
  if (alive.isDead || !record || !state) throw new NoAnswer(action)
  coordinator.accepted(action)
  const work = WORK_OF[action]
  if (work) await alive.orEnd(alive.execute(taskId, { type: 'answered', work }))
  return taskAnswer(alive.task.name, record, state)
}

/** A command of somebody outside. @throws ActionRefused, NoAnswer */
export async function executed(
  life: Life | null,
  what: string,
  taskId: string,
  command: Command,
): Promise<Executed & { readonly alive: Life }> {
  if (!life || life.isEnding()) throw new NoAnswer(what)
  const execution = life.execute(taskId, command)
  await life.orEnd(execution)
  if (life.isDead) throw new NoAnswer(what)
  const { decision, record } = await execution
  if (decision.kind === 'refused')
    throw new ActionRefused(decision.answer.code, decision.code, decision.message)
  return { alive: life, decision, record }
}
