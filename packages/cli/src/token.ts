import { LOCAL_ROLES, type LocalRole } from '@release-task/auth'
import { Command, InvalidArgumentError } from 'commander'
import { issueToken } from './dev/local-issuer.ts'
import { AUDIENCES, type Receiver } from './dev/role-token.ts'

function oneOf<Words extends object>(words: Words) {
  return (text: string): keyof Words => {
    if (Object.hasOwn(words, text)) return text as keyof Words
    throw new InvalidArgumentError(`It must be one of ${Object.keys(words).join(', ')}.`)
  }
}

interface TokenFlags {
  readonly role: LocalRole
  readonly for: Receiver
  readonly data: string
}

/** `release-task token`: a token of the issuer of `dev`, for one hour, to be put into a variable. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('print a token for a system that `dev` runs, for use with curl')
    .requiredOption('--role <role>', 'viewer, developer or admin', oneOf(LOCAL_ROLES))
    .option('--for <side>', 'whose calls: coordinator or task', oneOf(AUDIENCES), 'coordinator')
    .option('--data <folder>', 'the folder that `dev` keeps its state in', '.data')
    .addHelpText('after', '\n  curl -H "authorization: Bearer $(npx release-task token --role admin)" …')
    .action(async (flags: TokenFlags) => {
      console.log(await issueToken(flags.data, { role: flags.role, receiver: flags.for }))
    })
}
