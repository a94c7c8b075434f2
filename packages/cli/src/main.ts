import { serve as serveCoordinator } from '@release-task/coordinator'
import { serve as serveTask } from '@release-task/task-service'
import { Command, InvalidArgumentError } from 'commander'
import { backupCommand } from './backup.ts'
import { coordinatorConfig, settingsText, taskServiceConfig } from './config.ts'
import { runDev, type DevOptions } from './dev/dev.ts'
import { loadTask } from './load-task.ts'
import { explain, type Place } from './explain.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { tokenCommand } from './token.ts'

const VERSION = '0.1.0'
const ROLES = ['all', 'api', 'worker'] as const
const SIDES: { readonly [command: string]: Place['side'] } = {
  serve: 'task service',
  coordinator: 'coordinator',
}

function port(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= 65535) return number
  throw new InvalidArgumentError('It must be a port, 0 to 65535.')
}

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

function serveCommand(): Command {
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
        return serveTask(task, taskServiceConfig(task.name, overrides))
      })
    })
}

function coordinatorCommand(): Command {
  return new Command('coordinator')
    .description('run a release coordinator')
    .option('--port <port>', 'port of the API, before PORT', port)
    .option('--data <folder>', 'keep the state in this folder, before DATABASE_URL')
    .addHelpText('after', settingsText('coordinator'))
    .action(async (flags: { port?: number; data?: string }) => {
      await runUntilSignal(() => serveCoordinator(coordinatorConfig(flags)))
    })
}

function devCommand(): Command {
  return new Command('dev')
    .description('run a coordinator and task services, and show a release from start to published')
    .argument('<task files...>', 'files that export defineTask({...})')
    .option('--once', 'end with the release: 0 when it is published, 1 otherwise', false)
    .option('--new', 'issue another release although there is one already', false)
    .option('--data <folder>', 'folder of all state; it survives a restart', '.data')
    .option('--dashboard <folder>', 'folder of the sources of the page, which is built where they are newer')
    .option('--coordinator-port <port>', 'port of the coordinator', port, 5001)
    .option('--issuer-port <port>', 'port of the issuer of tokens', port, 5002)
    .option('--task-port <port>', 'port of the first task service; further ones follow', port, 8282)
    .action(async (files: string[], flags: Omit<DevOptions, 'files' | 'version'>) => {
      process.exitCode = await runDev({ ...flags, files, version: VERSION })
    })
}

/** The command line. Errors end as the cause and what to type next, never as a stack. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('release-task')
    .description('Coordinated data releases over many task services')
    .version(VERSION)
    .addCommand(devCommand())
    .addCommand(serveCommand())
    .addCommand(coordinatorCommand())
    .addCommand(backupCommand())
    .addCommand(tokenCommand())
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    const line = explain(error, { side: SIDES[argv[2] ?? ''] ?? 'dev', underDev: process.send !== undefined })
    process.send?.({ type: 'failed', line })
    console.error(line)
    process.exit(1)
  }
}
