import { serve } from '@release-task/task-service'
import { Command, InvalidArgumentError } from 'commander'
import { settingsText, taskServiceConfig } from './config.ts'
import { loadTask } from './load-task.ts'
import { port } from './options.ts'
import { runUntilSignal } from './run-until-signal.ts'

const ROLES = ['all', 'api', 'worker'] as const
type Role = (typeof ROLES)[number]

function role(text: string): Role {
  const found = ROLES.find((one) => one === text)
  if (found) return found
  throw new InvalidArgumentError(`It must be one of ${ROLES.join(', ')}.`)
}

interface ServeFlags {
  role?: Role
  port?: number
  coordinator?: string
  data?: string
}

/** `release-task serve`: one task service, or one of several processes of it. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run one task service: API and worker in one process, or one of several processes')
    .argument('<task file>', 'the file that exports defineTask({...})')
    .option('--role <role>', 'all, api or worker, before ROLE', role)
    .option('--port <port>', 'port of the API, before PORT', port)
    .option('--coordinator <url>', 'address of the coordinator, before COORDINATOR_API')
    .option('--data <folder>', 'keep the state under this folder, before DATABASE_URL')
    .addHelpText('after', settingsText('task service'))
    .action(async (file: string, flags: ServeFlags) => {
      await runUntilSignal(async () => {
        const task = await loadTask(file)
        const { coordinator: coordinatorApi, ...others } = flags
        const overrides = { ...others, coordinatorApi }
        return serve(task, taskServiceConfig(task.name, overrides))
      })
    })
}
