import { parseDuration } from '@release-task/settings'
import { serve, type TaskDefinition } from '@release-task/task-service'
import { Command, InvalidArgumentError } from 'commander'
import { settingsText, taskServiceConfig } from './config.ts'
import { CliError } from './errors.ts'
import { loadTask } from './load-task.ts'
import { oneOf, port } from './options.ts'
import { hasPrograms, programTask, type ProgramFlags } from './program-task.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { strictCommand } from './usage.ts'

const ROLES = ['all', 'api', 'worker'] as const
type Role = (typeof ROLES)[number]

function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  throw new InvalidArgumentError('It must be a duration, such as 10s.')
}

interface ServeFlags extends ProgramFlags {
  role?: Role
  port?: number
  coordinator?: string
  data?: string
}

/** `release-task serve`: one task service, or one of several processes of it. */
export function serveCommand(): Command {
  return strictCommand(new Command('serve'))
    .argument('[task file]', 'the file that exports defineTask({...}); none where programs are given')
    .option('--stage <program>', 'program that stages, run by sh -c: a task without any TypeScript')
    .option('--publish <program>', 'program that publishes')
    .option('--discard <program>', 'program that undoes, after a cancel or a failure')
    .option('--name <name>', 'name of the task of these programs (default: the name of the folder)')
    .option('--version <version>', 'its version (default: changes with the programs and the files they name)')
    .option('--grace <duration>', 'how long a program may take to stop (default: 10s)', duration)
    .option('--pass <names...>', 'variables that the programs get although they look like secrets')
    .option('--role <role>', 'all, api or worker, before ROLE', oneOf(ROLES))
    .option('--port <port>', 'port of the API, before PORT', port)
    .option('--coordinator <url>', 'address of the coordinator, before COORDINATOR_API')
    .option('--data <folder>', 'keep the state under this folder, before DATABASE_URL')
    .addHelpText('after', settingsText('task service'))
    .action(async (file: string | undefined, flags: ServeFlags) => {
      await runUntilSignal(async () => {
        const task = await taskOf(file, flags)
        const { role, port, data, coordinator: coordinatorApi } = flags
        return serve(task, taskServiceConfig(task.name, { role, port, data, coordinatorApi }))
      })
    })
}

async function taskOf(file: string | undefined, flags: ServeFlags): Promise<TaskDefinition> {
  if (file === undefined) return programTask(flags)
  if (!hasPrograms(flags)) return loadTask(file)
  throw new CliError(
    'PROGRAMS_MISSING',
    `The task file ${file} and programs are two tasks`,
    'npx release-task serve with a task file, or with --stage and --publish',
  )
}
