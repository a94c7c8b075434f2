import type { LocalRole } from '@release-task/auth'
import { Command } from 'commander'
import type { Receiver } from './dev/role-token.ts'
import { oneOf } from './options.ts'
import { strictCommand } from './usage.ts'

const ROLES: readonly LocalRole[] = ['viewer', 'developer', 'admin']
const RECEIVERS: readonly Receiver[] = ['coordinator', 'task']

interface TokenFlags {
  readonly role: LocalRole
  readonly for: Receiver
  readonly data: string
}

/** `release-task token`: a token of the issuer of `dev`, for one hour, to be put into a variable. */
export function tokenCommand(): Command {
  return strictCommand(new Command('token'))
    .requiredOption('--role <role>', 'viewer, developer or admin', oneOf(ROLES))
    .option('--for <side>', 'whose calls: coordinator or task', oneOf(RECEIVERS), 'coordinator')
    .option('--data <folder>', 'the folder that `dev` keeps its state in', '.data')
    .addHelpText('after', '\n  curl -H "authorization: Bearer $(npx release-task token --role admin)" …')
    .action(async (flags: TokenFlags) => {
      const { issueToken } = await import('./dev/local-issuer.ts')
      console.log(await issueToken(flags.data, { role: flags.role, receiver: flags.for }))
    })
}
