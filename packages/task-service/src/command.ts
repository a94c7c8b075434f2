import { isAbsolute, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProgramFolders } from './command-folder.ts'
import { runPhase, type PhaseRun, type ProgramTask } from './command-phase.ts'
import type { Program } from './command-run.ts'
import { processEnvironment, readShutdownGrace } from './config.ts'
import {
  defineTask,
  type Json,
  type PublishContext,
  type TaskContext,
  type TaskDefinition,
} from './define.ts'

export type { Program } from './command-run.ts'

const DEFAULT_GRACE_MS = 10 * 1000 // 10 s
/** At shutdown the programs must have ended before the service gives their tasks back. */
const PART_OF_SHUTDOWN = 0.8

/** A task whose phases are programs in any language (docs/programs.md). */
export interface CommandOptions {
  readonly name: string
  /** Change it with the programs: durable steps of one version are not given to another (WK-12). */
  readonly version: string
  /** A list is run as it is, without a shell; a text is run by `sh -c`. */
  readonly stage: Program
  readonly publish: Program
  readonly discard?: Program | undefined
  /** Where the programs are run; the folder in which the service was started where it is not given. */
  readonly cwd?: string
  /** Absolute; RELEASE_DIR of the environment where it is not given, else `.data/<name>/release`. */
  readonly releaseDir?: string
  /** Between SIGTERM and SIGKILL; at most 4/5 of SHUTDOWN_GRACE. 10 s where it is not given. */
  readonly graceMs?: number | undefined
  /** Variables that the programs get although their names look like secrets. */
  readonly pass?: readonly string[] | undefined
}

/**
 * A task service out of programs: what they are told, what they may say, and what their ends mean, is in
 * docs/programs.md. Everything that a program began is ended with it, before the next attempt begins.
 * @throws TypeError that names the missing or wrong field
 */
export function command(options: CommandOptions): TaskDefinition {
  checkOptions(options)
  const { name, version, stage, publish, discard } = options
  return defineTask({
    name,
    version,
    releaseDir: () => releaseDirOf(options),
    stage: (task) => runStage(options, { phase: 'stage', program: stage, task, staged: undefined }),
    publish: (task) =>
      runAfter(options, { phase: 'publish', program: publish, task, staged: stagedOf(task) }),
    discard: (task) =>
      // Also where there is nothing to undo, nothing that was begun may go on.
      runAfter(options, { phase: 'discard', program: discard ?? ':', task, staged: stagedOf(task) }),
  })
}

async function runStage(options: CommandOptions, run: PhaseRun) {
  const folders = new ProgramFolders(releaseDirOf(options))
  try {
    const { summary, staged = null } = await runPhase(programTask(options), run)
    const kept = { attempt: run.task.attempt, value: staged }
    return { ...(summary === undefined ? {} : { summary }), staged: kept }
  } catch (error) {
    await folders.remove(run.task)
    throw error
  }
}

async function runAfter(options: CommandOptions, run: PhaseRun): Promise<void> {
  const folders = new ProgramFolders(releaseDirOf(options))
  try {
    await runPhase(programTask(options), run)
    void removeOnceEnded(folders, run.task)
  } finally {
    await folders.remove(run.task)
  }
}

/** What `stage` left stays until the end is stored: a crash before that runs this phase again, and needs it. */
async function removeOnceEnded(folders: ProgramFolders, task: TaskContext): Promise<void> {
  for (const ms of [100, 1000, 10_000, 60_000]) {
    await sleep(ms, undefined, { ref: false })
    // Where it cannot be told, or it takes longer, the next run of a program does it.
    const underWay = await task.releasesUnderWay().catch(() => [task.releaseId])
    if (!underWay.includes(task.releaseId))
      return folders.removeEnded(() => task.releasesUnderWay()).catch(() => undefined)
  }
}

/** Another task of this name may have staged before this one took its place. */
function stagedOf({ staged }: PublishContext): { value: Json; attempt: number | null } {
  const { attempt, value } = (staged ?? {}) as { attempt?: Json; value?: Json }
  if (typeof attempt === 'number' && value !== undefined) return { attempt, value }
  return { attempt: null, value: staged }
}

function programTask(options: CommandOptions): ProgramTask {
  const { name, version, cwd, graceMs = DEFAULT_GRACE_MS, pass = [] } = options
  const grace = Math.min(graceMs, readShutdownGrace() * PART_OF_SHUTDOWN)
  return { name, version, releaseDir: releaseDirOf(options), cwd: resolve(cwd ?? '.'), graceMs: grace, pass }
}

function releaseDirOf({ name, releaseDir }: CommandOptions): string {
  return releaseDir ?? resolve(processEnvironment()['RELEASE_DIR'] || `.data/${name}/release`)
}

function checkOptions({ stage, publish, discard, releaseDir, graceMs }: CommandOptions): void {
  for (const [field, program] of Object.entries({
    stage,
    publish,
    ...(discard === undefined ? {} : { discard }),
  })) {
    const words: readonly unknown[] = Array.isArray(program) ? program : [program]
    if (!words.every((word) => typeof word === 'string') || !words[0])
      throw new TypeError(`command: "${field}" must be a text, or a list of a program and its arguments`)
  }
  if (releaseDir !== undefined && !isAbsolute(releaseDir))
    throw new TypeError('command: "releaseDir" must be an absolute path where it is given')
  if (graceMs !== undefined && !(graceMs >= 0)) throw new TypeError('command: "graceMs" must be 0 or more')
}
