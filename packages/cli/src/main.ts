import { serve as serveCoordinator } from '@release-task/coordinator'
import { Command } from 'commander'
import { backupCommand } from './backup.ts'
import { coordinatorConfig, settingsText } from './config.ts'
import { runDev, type DevOptions } from './dev/dev.ts'
import { explain, type Place } from './explain.ts'
import { newCommand } from './new/new-command.ts'
import { port } from './options.ts'
import { releasesCommand } from './people/release-commands.ts'
import { servicesCommand } from './people/service-commands.ts'
import { tasksCommand } from './people/task-commands.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { serveCommand } from './serve-command.ts'
import { tokenCommand } from './token.ts'

const VERSION = '0.1.0'
const SIDES: { readonly [command: string]: Place['side'] } = {
  serve: 'task service',
  coordinator: 'coordinator',
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
    .enablePositionalOptions()
    .addCommand(newCommand(VERSION))
    .addCommand(devCommand())
    .addCommand(serveCommand())
    .addCommand(coordinatorCommand())
    .addCommand(backupCommand())
    .addCommand(tokenCommand())
    .addCommand(releasesCommand())
    .addCommand(tasksCommand())
    .addCommand(servicesCommand())
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    const line = explain(error, { side: SIDES[argv[2] ?? ''] ?? 'dev', underDev: process.send !== undefined })
    process.send?.({ type: 'failed', line })
    console.error(line)
    process.exit(1)
  }
}
