import { settingsHelp } from '@release-task/settings'
import { Command, type CommanderError } from 'commander'
import { address } from './arguments.ts'
import { CommandError, errorText } from './errors.ts'
import { EXIT, exitCodesHelp } from './exit-codes.ts'
import { COMMAND_SETTINGS } from './settings.ts'

/** A group of commands: `releases`, `tasks`, `services`. */
export function group(name: string, about: string): Command {
  return strict(new Command(name).description(about)).addHelpText('after', exitCodesHelp())
}

/** One command, with what all of them take. */
export function command(name: string, about: string): Command {
  return strict(new Command(name).description(about))
    .option('--coordinator <url>', 'address of the coordinator, before COORDINATOR_API', address)
    .option('--token <token>', 'token for the coordinator, before RELEASE_TASK_TOKEN')
    .option('--data <folder>', 'the folder that `dev` keeps its state in, for a token of its issuer', '.data')
    .option('--json', 'the answer as JSON, and errors too', false)
    .addHelpText('after', `\nSettings (environment):\n${settingsHelp(COMMAND_SETTINGS)}\n${exitCodesHelp()}`)
}

const wantsJson = (): boolean => process.argv.includes('--json')

/** Wrong usage ends with its own code, and with --json as JSON. */
function strict(made: Command): Command {
  return made
    .configureOutput({ writeErr: (text) => wantsJson() || process.stderr.write(text) })
    .showHelpAfterError('(--help shows how it is used)')
    .exitOverride((error) => {
      if (error.exitCode === 0) process.exit(EXIT.done)
      if (wantsJson()) console.error(errorText(usageOf(error), true))
      process.exit(EXIT.usage)
    })
}

function usageOf({ code, message }: CommanderError): CommandError {
  const said = code === 'commander.help' ? 'A command is missing' : message.replace(/^error: /, '')
  return new CommandError('USAGE_INVALID', said, '--help shows how it is used')
}
