import type { Logger } from '@release-task/http'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { DiscardContext, Json, TaskContext, TaskDefinitionState } from './define.ts'
import { TaskServiceError } from './errors.ts'
import type { ProgressSender } from './progress.ts'
import type { TaskRecord, Work } from './record.ts'

export interface ContextDependencies {
  readonly coordinator: CoordinatorClient
  readonly log: Logger
  readonly signal: AbortSignal
  readonly progress: ProgressSender
  readonly savedStep: (name: string) => Promise<Json | undefined>
  /** @throws TaskServiceError LEASE_LOST */
  readonly saveStep: (name: string, result: Json) => Promise<void>
  /** @throws TaskServiceError LEASE_LOST */
  readonly assertCurrent: () => Promise<void>
}

/** What one attempt hands to the author's code. */
export async function createContext(
  record: TaskRecord,
  work: Work,
  deps: ContextDependencies,
): Promise<DiscardContext> {
  const { id, releaseId, attempt } = record
  const { coordinator, signal } = deps
  const log = deps.log.child({ task_id: id, release_id: releaseId, attempt, work })
  const release = () => coordinator.release(releaseId, signal)
  // An older coordinator sends no studies; then the release itself is asked, but not to undo work (SV-7).
  const studies = record.studies ?? (work === 'discard' ? [] : (await release()).studies)
  const base: TaskContext = {
    id,
    releaseId,
    studies,
    attempt,
    signal,
    log: {
      info: (message, fields) => log.info(fields ?? {}, message),
      warn: (message, fields) => log.warn(fields ?? {}, message),
      error: (message, fields) => log.error(fields ?? {}, message),
    },
    coordinator: { release, study: (studyId) => coordinator.study(studyId, signal) },
    progress: (percent, message) => deps.progress.set(percent, message ?? null),
    step: (name, fn) => runStep(deps, name, fn),
    assertCurrent: deps.assertCurrent,
  }
  return { ...base, staged: record.staged, from: (record.endedFrom ?? record.state) as TaskDefinitionState }
}

async function runStep<T extends Json>(
  deps: ContextDependencies,
  name: string,
  fn: () => Promise<T> | T,
): Promise<T> {
  const saved = await deps.savedStep(name)
  if (saved !== undefined) return saved as T
  deps.signal.throwIfAborted()
  const result = asJson(`the result of step "${name}"`, (await fn()) ?? null) as T
  await deps.saveStep(name, result)
  return result
}

const MOST_JSON_CHARS = 256 * 1024 // 256 Ki

/** @throws TaskServiceError RESULT_INVALID where it is not JSON, or too much to keep on a record */
export function asJson(what: string, value: unknown): Json {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new TaskServiceError('RESULT_INVALID', `${what} cannot be kept: it is not JSON`, error)
  }
  if (text === undefined)
    throw new TaskServiceError('RESULT_INVALID', `${what} cannot be kept: it is not JSON`)
  if (text.length > MOST_JSON_CHARS)
    throw new TaskServiceError(
      'RESULT_INVALID',
      `${what} cannot be kept: ${text.length} characters are too many`,
    )
  return JSON.parse(text) as Json
}
