import { isAbsolute } from 'node:path'
import type { Release, Study, TaskDefinitionState } from './author-types.ts'

export type * from './author-types.ts'

/** Any value that survives `JSON.stringify` and back. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What the author's code may write to the log; task and release id are on every line already. */
export interface TaskLog {
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** What it takes to speak to the coordinator. */
export interface CoordinatorAccess {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string | null
}

/** Reads from the coordinator; every call is retried briefly and ends early when `signal` aborts. */
export interface TaskCoordinator {
  /**
   * Where the coordinator is, and a token that it takes; null where nobody checks who calls. For code that speaks to
   * it by itself: a token ends after a while, so ask again instead of keeping it, and never log it.
   * @throws AuthError where no token can be had now
   */
  access(): Promise<CoordinatorAccess>
  /** The release of this task as the coordinator shows it now. */
  release(): Promise<Release>
  /** One study by id. */
  study(studyId: string): Promise<Study>
}

/** What every phase is given. */
export interface TaskContext {
  readonly id: string
  readonly releaseId: string
  /** Study ids: from the request, or from the release where an older coordinator sent none. */
  readonly studies: readonly string[]
  /** Counts every start of any phase of this task, from 1; later attempts fence off earlier ones (WK-2). */
  readonly attempt: number
  /** Aborts on cancel, on a lost lease and on shutdown. Pass it on to whatever takes long. */
  readonly signal: AbortSignal
  readonly log: TaskLog
  readonly coordinator: TaskCoordinator
  /** Tell how far the work is: 0 to 100, and a short text for people. Cheap: call it as often as you like. */
  progress(percent: number, message?: string): void
  /**
   * A durable step: runs `fn` once, keeps its JSON result, and returns that result in every later attempt
   * of the same task version instead of running it again (WK-12).
   */
  step<T extends Json>(name: string, fn: () => Promise<T> | T): Promise<T>
  /** What durable steps of this phase have kept so far, by name, in this task version: what `step` would not run again. */
  steps(): Promise<{ readonly [name: string]: Json }>
  /**
   * Ids of the releases with a task here that has not ended, in any process of this service; the own one is among
   * them. What belongs to any other release nobody works on: ask after you have looked at what is there, not before.
   */
  releasesUnderWay(): Promise<readonly string[]>
  /** Throws unless this attempt still holds the task. Call it right before the move that cannot be undone (WK-14). */
  assertCurrent(): Promise<void>
}

/** What `stage` may return: it is kept on the record and handed to `publish` and `discard`. */
export interface StageResult {
  /** A small JSON object for whoever decides to publish: counts, bytes, a link to what was staged. */
  readonly summary?: { readonly [key: string]: Json }
  /** Anything `publish` and `discard` need, for example the folder of this attempt. Never leaves the service. */
  readonly staged?: Json
}

export interface StageContext extends TaskContext {}

export interface PublishContext extends TaskContext {
  /** `staged` of what the winning `stage` returned; null when it returned none. */
  readonly staged: Json
}

export interface DiscardContext extends TaskContext {
  /** `staged` of the last `stage` that finished; null when none did. */
  readonly staged: Json
  /** The state that the task was in when it was canceled or failed. */
  readonly from: TaskDefinitionState
}

/** A task service, as its author writes it. Every phase may be run again after a crash at any line. */
export interface TaskDefinition {
  readonly name: string
  readonly version: string
  /**
   * The folder that every worker of this service must see as one and the same, where it writes to one: absolute, or
   * a function that tells it, asked anew each time. A worker that sees another folder there does no work (WK-13).
   */
  readonly releaseDir?: string | (() => string)
  /** Prepare; nothing may become public (TS-4). */
  stage(task: StageContext): Promise<StageResult | void> | StageResult | void
  /** Make public what was staged. */
  publish(task: PublishContext): Promise<void> | void
  /** Canceled or failed: undo, told from which state. */
  discard?(task: DiscardContext): Promise<void> | void
}

/** Thrown by an author's phase: trying again cannot help. Fails `stage` at once (WK-8). */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
}

/**
 * Declares a task service. Checks the shape at once, so that a mistake shows at start and not in a release.
 * @throws TypeError that names the missing or wrong field
 */
export function defineTask(definition: TaskDefinition): TaskDefinition {
  for (const field of ['name', 'version'] as const) {
    if (typeof definition[field] !== 'string' || definition[field] === '')
      throw new TypeError(`defineTask: "${field}" must be a text that is not empty`)
  }
  for (const field of ['stage', 'publish'] as const) {
    if (typeof definition[field] !== 'function')
      throw new TypeError(`defineTask: "${field}" must be a function`)
  }
  if (definition.discard !== undefined && typeof definition.discard !== 'function')
    throw new TypeError('defineTask: "discard" must be a function where it is given')
  checkReleaseDirField(definition.releaseDir)
  return definition
}

/** What a function would answer is not asked yet: settings are read when work begins. */
function checkReleaseDirField(releaseDir: unknown): void {
  if (releaseDir === undefined || typeof releaseDir === 'function') return
  if (typeof releaseDir !== 'string' || !isAbsolute(releaseDir))
    throw new TypeError('defineTask: "releaseDir" must be an absolute path or a function where it is given')
}
