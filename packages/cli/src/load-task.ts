import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineTask, type TaskDefinition } from '@release-task/task-service'
import { CliError } from './errors.ts'

/**
 * The task that a file exports by default.
 * @throws CliError TASK_FILE_INVALID
 */
export async function loadTask(file: string): Promise<TaskDefinition> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new CliError(
      'TASK_FILE_INVALID',
      `There is no task file ${file}`,
      'npx release-task dev PATH, with the path of a file that exports defineTask({...})',
    )
  try {
    const { default: task } = (await import(pathToFileURL(path).href)) as { default?: TaskDefinition }
    if (!task) throw new TypeError('it has no default export')
    return defineTask(task)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CliError(
      'TASK_FILE_INVALID',
      `Cannot load the task of ${file}: ${why}`,
      'write: export default defineTask({ name, version, stage, publish })',
      error,
    )
  }
}
