import { request } from '@release-task/http'
import { Command, InvalidArgumentError } from 'commander'
import { AUDIENCES, issueToken, readNote } from './dev/local-issuer.ts'

const ROLES = { viewer: 'USER', developer: 'DEV', admin: 'ADMIN' } as const
const TIMEOUT_MS = 5000

type RoleName = keyof typeof ROLES
type Receiver = keyof typeof AUDIENCES

function oneOf<Words extends object>(words: Words) {
  return (text: string): keyof Words => {
    if (Object.hasOwn(words, text)) return text as keyof Words
    throw new InvalidArgumentError(`It must be one of ${Object.keys(words).join(', ')}.`)
  }
}

interface TokenFlags {
  readonly role: RoleName
  readonly for: Receiver
  readonly data: string
}

/** `release-task token`: a token of the issuer of `dev`, for one hour, to be put into a variable. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('print a token for a system that `dev` runs, for use with curl')
    .requiredOption('--role <role>', 'viewer, developer or admin', oneOf(ROLES))
    .option('--for <side>', 'whose calls: coordinator or task', oneOf(AUDIENCES), 'coordinator')
    .option('--data <folder>', 'the folder that `dev` keeps its state in', '.data')
    .addHelpText('after', '\n  curl -H "authorization: Bearer $(npx release-task token --role admin)" …')
    .action(async (flags: TokenFlags) => {
      const role = ROLES[flags.role]
      const studies = role === 'DEV' ? await studiesOf(readNote(flags.data).coordinator) : []
      console.log(await issueToken(flags.data, { role, audience: AUDIENCES[flags.for], studies }))
    })
}

/** A developer may release the studies of its groups: here all that there are. */
async function studiesOf(coordinator: string): Promise<string[]> {
  const answer = await request(`${coordinator}/studies?limit=1000`, { timeoutMs: TIMEOUT_MS }).catch(
    () => null,
  )
  const { results = [] } = (answer?.json ?? {}) as { results?: { kf_id: string }[] }
  return results.map((study) => study.kf_id)
}
