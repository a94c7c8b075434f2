import { CheckRefused, NobodyThere } from '@release-task/conformance'
import { Command } from 'commander'
import { address } from '../people/arguments.ts'
import { CommandError } from '../people/errors.ts'
import { exitCodesHelp } from '../people/exit-codes.ts'
import { strictCommand } from '../usage.ts'

interface Checking {
  readonly about: string
  readonly url: string
  /** Whose token it is, and what it comes before. */
  readonly token: string
  readonly help: string
}

const LEVELS = `
The numbers are those of docs/protocol.md. \`must\`: whoever breaks it breaks releases. \`should\`: the other side
survives it.`

/** A check, with what both of them take. */
export function checkOf(name: string, { about, url, token, help }: Checking): Command {
  return strictCommand(new Command(name).description(about))
    .argument('[url]', 'its address', address, url)
    .option('--only <text>', 'only topics with this in their name')
    .option('--strict', 'what should be must be', false)
    .option('--token <token>', token)
    .option('--data <folder>', 'the folder that `dev` keeps its state in, for a token of its issuer', '.data')
    .option('--json', 'all findings as JSON, and errors too', false)
    .addHelpText('after', `${help}\n${LEVELS}\n${exitCodesHelp()}`)
}

/** Why there is nothing to show, in the words of a command; any other error as it is. */
export function checkError(error: unknown): unknown {
  if (error instanceof NobodyThere)
    return new CommandError('NOT_REACHABLE', error.message, 'look at the address, and start it', error)
  if (error instanceof CheckRefused)
    return new CommandError('CHECK_REFUSED', error.message, '--help says what a check does', error)
  return error
}
