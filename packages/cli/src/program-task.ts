import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { command, type TaskDefinition } from '@release-task/task-service'
import { CliError } from './errors.ts'

/** What a command line says of a task that is made of programs. */
export interface ProgramFlags {
  readonly stage?: string
  readonly publish?: string
  readonly discard?: string
  readonly name?: string
  readonly version?: string
  /** Milliseconds. */
  readonly grace?: number
  readonly pass?: readonly string[]
}

/** Whether anything on the command line speaks of programs. */
export const hasPrograms = (flags: ProgramFlags): boolean =>
  [flags.stage, flags.publish, flags.discard].some((program) => program !== undefined)

/**
 * The task that programs on a command line are.
 * @throws CliError PROGRAMS_MISSING
 */
export function programTask(flags: ProgramFlags, folder = process.cwd()): TaskDefinition {
  const { stage, publish, discard, grace, pass } = flags
  if (!stage || !publish)
    throw new CliError(
      'PROGRAMS_MISSING',
      `There is no program to ${stage ? 'publish' : 'stage'}`,
      "npx release-task serve --stage 'python3 stage.py' --publish 'python3 publish.py', or a task file",
    )
  const programs = { stage, publish, discard }
  return command({
    name: flags.name ?? nameOfFolder(folder),
    version: flags.version ?? versionOf(Object.values(programs), folder),
    ...programs,
    cwd: folder,
    graceMs: grace,
    pass,
  })
}

/** The name of a task appears in paths and addresses: a folder `My data` is `my-data`. */
function nameOfFolder(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
  return name.replaceAll(/^[-.]+|-+$/g, '') || 'task'
}

/**
 * What was typed, and the files that it names: changed programs never get the steps of older ones (WK-12). What
 * these files use in turn is not looked at.
 */
function versionOf(programs: readonly (string | undefined)[], folder: string): string {
  const hash = createHash('sha256')
  for (const program of programs) {
    hash.update(JSON.stringify(program ?? null))
    for (const word of program?.split(/[\s;&|<>()'"]+/) ?? []) hash.update(fileText(word, folder))
  }
  return `sha-${hash.digest('hex').slice(0, 12)}`
}

const MOST_BYTES = 1024 * 1024 // 1 MiB: a script is smaller, and what is larger is a program of the system

function fileText(word: string, folder: string): string {
  const path = resolve(folder, word)
  const found = word === '' ? undefined : statSync(path, { throwIfNoEntry: false })
  return found?.isFile() && found.size <= MOST_BYTES ? readFileSync(path, 'utf8') : ''
}
