import { settingsHelp } from '@release-task/settings'
import { Command } from 'commander'
import { strictCommand, strictGroup } from '../usage.ts'
import { address } from './arguments.ts'
import { exitCodesHelp } from './exit-codes.ts'
import { COMMAND_SETTINGS } from './settings.ts'

/** A group of commands: `releases`, `tasks`, `services`. */
export function group(name: string): Command {
  return strictGroup(new Command(name)).addHelpText('after', exitCodesHelp())
}

/** One command, with what all of them take. */
export function command(name: string, about: string): Command {
  return strictCommand(new Command(name).description(about))
    .option('--coordinator <url>', 'address of the coordinator, before COORDINATOR_API', address)
    .option('--token <token>', 'token for the coordinator, before RELEASE_TASK_TOKEN')
    .option('--data <folder>', 'the folder that `dev` keeps its state in, for a token of its issuer', '.data')
    .option('--json', 'the answer as JSON, and errors too', false)
    .addHelpText('after', `\nSettings (environment):\n${settingsHelp(COMMAND_SETTINGS)}\n${exitCodesHelp()}`)
}
