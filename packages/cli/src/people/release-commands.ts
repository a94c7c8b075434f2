import { Option, type Command } from 'commander'
import { oneOf } from '../options.ts'
import { duration, idOf, idsOf, limit, textOrFile, texts } from './arguments.ts'
import { query } from './asking.ts'
import { command, group } from './command.ts'
import { create, type CreateFlags } from './create.ts'
import { run, type CommonFlags } from './desk.ts'
import type { Page, Release } from './documents.ts'
import { cancel, publish } from './decisions.ts'
import { WANTED, type Wanted } from './reached.ts'
import { releaseTable, releaseText } from './release-text.ts'
import { wait } from './wait.ts'
import { watch } from './watch.ts'
import { why } from './why.ts'

const releaseId = idOf('RE')
const DEFAULT_TIMEOUT_MS = 30 * 60 * 1000 // 30 min

/** `release-task releases …` */
export function releasesCommand(): Command {
  const releases = group('releases')
  const all = [
    createCommand(),
    listCommand(),
    showCommand(),
    watchCommand(),
    waitCommand(),
    publishCommand(),
    cancelCommand(),
    whyCommand(),
  ]
  for (const one of all) releases.addCommand(one)
  return releases
}

function createCommand(): Command {
  return command('create', 'create a release, and print its id')
    .requiredOption('--name <name>', 'its name')
    .option('--study <id>', 'a study of it; may be repeated', idsOf('SD'))
    .option('--all-studies', 'all studies that there are', false)
    .option('--description <text>', 'its description, or @file with it', textOrFile)
    .option('--author <author>', 'who creates it, where the coordinator does not know from a token')
    .option('--tag <tag>', 'a tag; may be repeated', texts)
    .option('--major', 'raise the major version', false)
    .action((flags: CreateFlags & CommonFlags) => run(flags, 'developer', create))
}

interface ListFlags {
  readonly state?: string
  readonly author?: string
  readonly name?: string
  readonly study?: string
  readonly limit: number
}

function listCommand(): Command {
  return command('list', 'list releases, the newest first')
    .option('--state <state>', 'only those in this state', oneOf(WANTED))
    .option('--author <text>', 'only those whose author has this text in it')
    .option('--name <text>', 'only those whose name has this text in it')
    .option('--study <id>', 'only those with this study', idOf('SD'))
    .option('--limit <number>', 'how many', limit, 10)
    .action((flags: ListFlags & CommonFlags) =>
      run(flags, 'viewer', async ({ coordinator, print }, { state, author, name, study, limit }) => {
        const path = `/releases${query({ state, author, name, study, limit })}`
        print(await coordinator.ask<Page<Release>>(path), releaseTable)
      }),
    )
}

function showCommand(): Command {
  return command('show', 'show a release and its tasks')
    .argument('<release>', 'its id, RE_…', releaseId)
    .action((id: string, flags: CommonFlags) =>
      run(flags, 'viewer', async ({ coordinator, print }) => {
        const look = 'release-task releases list'
        print(await coordinator.ask<Release>(`/releases/${id}`, { look }), releaseText)
      }),
    )
}

function watchCommand(): Command {
  return command('watch', 'show a release live until it ends; in a pipe, a line for each change')
    .argument('<release>', 'its id, RE_…', releaseId)
    .action((id: string, flags: CommonFlags) => run(flags, 'viewer', (desk) => watch(desk, id)))
}

interface WaitFlags {
  readonly for: Wanted
  readonly timeout: number
}

function waitCommand(): Command {
  return command('wait', 'wait until a release is in a state, or beyond it')
    .argument('<release>', 'its id, RE_…', releaseId)
    .requiredOption('--for <state>', `one of ${WANTED.join(', ')}`, oneOf(WANTED))
    .addOption(
      new Option('--timeout <duration>', 'how long at most')
        .argParser(duration)
        .default(DEFAULT_TIMEOUT_MS, '30m'),
    )
    .action((id: string, flags: WaitFlags & CommonFlags) =>
      run(flags, 'viewer', (desk, { for: wanted, timeout: timeoutMs }) =>
        wait(desk, { id, wanted, timeoutMs }),
      ),
    )
}

interface DecisionFlags {
  readonly yes: boolean
}

function publishCommand(): Command {
  return command('publish', 'publish a staged release; that cannot be undone')
    .argument('<release>', 'its id, RE_…', releaseId)
    .option('--yes', 'do not ask', false)
    .action((id: string, flags: DecisionFlags & CommonFlags) =>
      run(flags, 'admin', (desk, { yes }) => publish(desk, id, yes)),
    )
}

function cancelCommand(): Command {
  return command('cancel', 'cancel a release; that cannot be undone')
    .argument('<release>', 'its id, RE_…', releaseId)
    .option('--yes', 'do not ask', false)
    .action((id: string, flags: DecisionFlags & CommonFlags) =>
      run(flags, 'admin', (desk, { yes }) => cancel(desk, id, yes)),
    )
}

function whyCommand(): Command {
  return command('why', 'say what a release waits for, or why it ended')
    .argument('<release>', 'its id, RE_…', releaseId)
    .action((id: string, flags: CommonFlags) => run(flags, 'viewer', (desk) => why(desk, id)))
}
