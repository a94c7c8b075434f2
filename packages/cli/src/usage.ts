import type { Command, CommanderError } from 'commander'
import { CommandError, errorText } from './people/errors.ts'
import { EXIT } from './people/exit-codes.ts'

const wantsJson = (): boolean => process.argv.includes('--json')
const HOW = '--help shows how it is used'
const HOW_GROUP = '--help shows the commands; their options come after them'
/** Columns for a description; commander wraps none that has less than 40, as beside our options at 60 columns. */
const NARROW = 20

/**
 * Wrong usage ends with its own code, and with --json as JSON.
 * @param how what to do next; told with every error
 */
function strict(made: Command, how: string): Command {
  return made
    .configureHelp({ minWidthToWrap: NARROW })
    .configureOutput({
      writeErr: (text) => wantsJson() || process.stderr.write(text),
      outputError: (text, write) => write(inWords(text)),
    })
    .showHelpAfterError(`(${how})`)
    .exitOverride((error) => {
      if (error.exitCode === 0) process.exit(EXIT.done)
      if (wantsJson()) console.error(errorText(usageOf(error, made, how), true))
      process.exit(EXIT.usage)
    })
}

/** A command that does something. */
export const strictCommand = (made: Command): Command => strict(made, HOW)

/** A command that only has others below it. */
export const strictGroup = (made: Command): Command => strict(made, HOW_GROUP)

/** `command-argument value` is a word of the library, not of whoever typed. */
const inWords = (text: string): string => text.replace('command-argument value ', '')

function usageOf({ code, message }: CommanderError, made: Command, next: string): CommandError {
  // A group takes no options, and says of `--json` itself that it is unknown.
  const isMissing = code === 'commander.help' || isGroupAlone(made)
  const said = isMissing ? `A command is missing: ${namesOf(made)}` : inWords(message)
  return new CommandError('USAGE_INVALID', said.replace(/^error: /, '').replaceAll('\n', ' '), next)
}

const isGroupAlone = ({ commands, args }: Command): boolean =>
  commands.length > 0 && args.every((word) => word.startsWith('-'))

const namesOf = ({ commands }: Command): string => commands.map((one) => one.name()).join(', ')
