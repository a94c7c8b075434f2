import { serve } from '@release-task/coordinator'
import { Command } from 'commander'
import { coordinatorConfig, settingsText } from './config.ts'
import { port } from './options.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { strictCommand } from './usage.ts'

/** `release-task coordinator`: the coordinator, until it is told to stop. */
export function coordinatorCommand(): Command {
  return strictCommand(new Command('coordinator'))
    .option('--port <port>', 'port of the API, before PORT', port)
    .option('--data <folder>', 'keep the state in this folder, before DATABASE_URL')
    .addHelpText('after', settingsText('coordinator'))
    .action(async (flags: { port?: number; data?: string }) => {
      await runUntilSignal(() => serve(coordinatorConfig(flags)))
    })
}
