import type { Logger } from '@release-task/http'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { DiscardContext, Json, Release, TaskContext, TaskDefinitionState } from './define.ts'
import { TaskServiceError } from './errors.ts'
import type { ProgressSender } from './progress.ts'
import type { TaskRecord, Work } from './record.ts'

export interface ContextDependencies {
  readonly coordinator: CoordinatorClient
  readonly log: Logger
  readonly signal: AbortSignal
  readonly progress: ProgressSender
  /** Keeps the studies that the release told. @throws TaskServiceError LEASE_LOST */
  readonly saveStudies: (studies: readonly string[]) => Promise<void>
  readonly savedStep: (name: string) => Promise<Json | undefined>
  readonly savedSteps: () => Promise<{ readonly [name: string]: Json }>
  /** @throws TaskServiceError LEASE_LOST */
  readonly saveStep: (name: string, result: Json) => Promise<void>
  readonly releasesUnderWay: () => Promise<readonly string[]>
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
  const studies = await studiesOf(record, work, { release, save: deps.saveStudies })
  const steps = new Map<string, Promise<Json>>()
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
    coordinator: {
      access: () => coordinator.access(),
      release,
      study: (studyId) => coordinator.study(studyId, signal),
    },
    progress: (percent, message) => deps.progress.set(percent, textOrNull(message)),
    step: (name, fn) => oneStep(steps, name, () => runStep(deps, name, fn)),
    steps: deps.savedSteps,
    releasesUnderWay: deps.releasesUnderWay,
    assertCurrent: deps.assertCurrent,
  }
  return { ...base, staged: record.staged, from: (record.endedFrom ?? record.state) as TaskDefinitionState }
}

/** Authors may write JavaScript: what is no text is not kept. */
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/**
 * An older coordinator sends no studies; then the release is asked, once (SV-7). Not to undo work: where nobody
 * ever knew the studies, the author's code never began, and a coordinator that lost the release must not be in
 * the way.
 */
async function studiesOf(
  record: TaskRecord,
  work: Work,
  { release, save }: { release: () => Promise<Release>; save: ContextDependencies['saveStudies'] },
): Promise<readonly string[]> {
  if (record.studies !== null) return record.studies
  if (work === 'discard') return []
  const { studies } = await release()
  if (!Array.isArray(studies) || !studies.every((study) => typeof study === 'string'))
    throw new TaskServiceError(
      'COORDINATOR_ANSWER',
      `The coordinator shows release ${record.releaseId} without a list of study ids`,
    )
  await save(studies)
  return studies
}

/** Two calls of one step at a time share one run of it. */
function oneStep<T extends Json>(
  running: Map<string, Promise<Json>>,
  name: string,
  run: () => Promise<T>,
): Promise<T> {
  const known = running.get(name)
  if (known) return known as Promise<T>
  const started = run().finally(() => running.delete(name))
  running.set(name, started)
  return started
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

const MOST_JSON_CHARS = 256 * 1024 // 256 Ki characters

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
