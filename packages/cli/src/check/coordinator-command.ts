import { checkCoordinator, COORDINATOR_TOPICS, type Finding } from '@release-task/conformance'
import type { StudyId } from '@release-task/protocol'
import type { Command } from 'commander'
import { duration, idOf } from '../people/arguments.ts'
import { run, type CommonFlags } from '../people/desk.ts'
import { checkError, checkOf } from './check-options.ts'
import { showFindings, type ShowFlags, type Watching } from './show.ts'
import { tokenOf } from './token-of.ts'

interface Flags extends ShowFlags {
  readonly listenHost: string
  readonly study?: StudyId
  readonly within: number
  readonly only?: string
}

const HELP = `
It registers task services of its own, creates releases, publishes and cancels them, and answers as well or as badly as
a topic wants it. It refuses where other task services are enabled: they would get tasks of these releases. At its end,
also after Ctrl-C, it cancels what is left and takes its services back. Its releases stay on record, some of them
published: they raise the version. So do not check a coordinator whose releases somebody reads.`

/** `release-task check coordinator URL` */
export function coordinatorCheckCommand(): Command {
  return checkOf('coordinator', {
    about: 'check a running coordinator',
    url: 'http://127.0.0.1:5001',
    token: 'token of an admin, before RELEASE_TASK_TOKEN',
    help: HELP,
  })
    .option('--listen-host <host>', 'where it can reach the services of this checker', '127.0.0.1')
    .option('--study <id>', 'the study of its releases; the first that it knows unless given', idOf('SD'))
    .option('--within <duration>', 'how long one step may take', duration, 30_000)
    .action((url: string, flags: Flags & CommonFlags) =>
      run(flags, 'admin', () => showFindings('coordinator', url, flags, (told) => check(url, flags, told))),
    )
}

async function check(
  url: string,
  flags: Flags & CommonFlags,
  { told, signal }: Watching,
): Promise<Finding[]> {
  const { listenHost, study = null, within: withinMs, only = '' } = flags
  const token = await tokenOf(flags, 'coordinator', url)
  const topics = COORDINATOR_TOPICS.filter((name) => name.includes(only))
  const random = Math.random
  try {
    return await checkCoordinator({ url, token, listenHost, study, withinMs, random, signal, told }, topics)
  } catch (error) {
    throw checkError(error)
  }
}
