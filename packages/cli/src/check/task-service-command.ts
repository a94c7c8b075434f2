import { checkTaskService, type Finding } from '@release-task/conformance'
import type { StudyId } from '@release-task/protocol'
import { InvalidArgumentError, type Command } from 'commander'
import { duration, idsOf } from '../people/arguments.ts'
import { run, type CommonFlags } from '../people/desk.ts'
import { CommandError } from '../people/errors.ts'
import { checkError, checkOf } from './check-options.ts'
import { showFindings, type ShowFlags, type Watching } from './show.ts'
import { tokenOf } from './token-of.ts'

const STUDIES = ['SD_BHJXBDQK', 'SD_9PYZAHHE']
const HOST = '127.0.0.1'

interface Flags extends ShowFlags {
  readonly listen: Place | null
  readonly study?: readonly StudyId[]
  readonly within: number
  readonly only?: string
}

interface Place {
  readonly host: string
  readonly port: number
}

const HELP = `
It leads tasks that it makes up through the service: initialize, start, publish, cancel, at every moment; and it takes
the coordinator's place meanwhile, to see what is reported and to lose it. Do not check a service that releases need:
tell a copy of it that its coordinator is here,

  COORDINATOR_API=http://127.0.0.1:5001 …`

/** `release-task check task-service URL` */
export function taskServiceCommand(): Command {
  return checkOf('task-service', {
    about: 'check a running task service',
    url: 'http://127.0.0.1:8282',
    token: 'token for the service, before RELEASE_TASK_SERVICE_TOKEN',
    help: HELP,
  })
    .option('--listen <place>', 'where to stand in for its coordinator', place, { host: HOST, port: 5001 })
    .option('--no-listen', 'do not: what it reports is not checked')
    .option('--study <id>', 'a study of the releases that are made up; may be repeated', idsOf('SD'))
    .option('--within <duration>', 'how long its `stage` and its `publish` may take', duration, 60_000)
    .action((url: string, flags: Flags & CommonFlags) =>
      run(flags, 'admin', async () =>
        showFindings('task service', url, flags, (watching) => check(url, flags, watching)),
      ),
    )
}

function place(text: string): Place {
  const [, host = HOST, port = ''] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  if (port !== '' && Number(port) <= 65535) return { host, port: Number(port) }
  throw new InvalidArgumentError('It must be a port, or an address and a port such as 127.0.0.1:5001.')
}

async function check(url: string, flags: Flags & CommonFlags, watching: Watching): Promise<Finding[]> {
  const { listen, within: withinMs, study: studies = STUDIES as StudyId[], only = null } = flags
  const token = await tokenOf(flags, 'task')
  const service = async () => url
  try {
    const random = Math.random
    return await checkTaskService({
      service,
      listen: listen || null,
      only,
      studies,
      token,
      withinMs,
      random,
      ...watching,
    })
  } catch (error) {
    throw listen && (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? taken(listen, error)
      : checkError(error)
  }
}

function taken({ host, port }: Place, cause: unknown): CommandError {
  return new CommandError(
    'CHECK_PLACE_TAKEN',
    `Somebody else is at ${host}:${port}, perhaps a coordinator: nobody can stand in for it there`,
    '--listen with another port, and COORDINATOR_API of the service with the same; or --no-listen',
    cause,
  )
}
