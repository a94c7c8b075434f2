import { Command } from 'commander'
import { explain, type Place } from './explain.ts'
import { strictGroup } from './usage.ts'

const VERSION = '0.1.0'
const SIDES: { readonly [command: string]: Place['side'] } = {
  serve: 'task service',
  coordinator: 'coordinator',
}

interface Listed {
  readonly about: string
  /** Only the command that is typed is loaded: a list of releases needs no web server and no database. */
  readonly load: () => Promise<Command>
}

const COMMANDS: { readonly [name: string]: Listed } = {
  new: {
    about: 'make the project of a task service: it starts, has a test, and takes part in a release',
    load: async () => (await import('./new/new-command.ts')).newCommand(VERSION),
  },
  dev: {
    about: 'run a coordinator and task services, and show a release from start to published',
    load: async () => (await import('./dev-command.ts')).devCommand(VERSION),
  },
  serve: {
    about: 'run one task service: API and worker in one process, or one of several processes',
    load: async () => (await import('./serve-command.ts')).serveCommand(),
  },
  coordinator: {
    about: 'run a release coordinator',
    load: async () => (await import('./coordinator-command.ts')).coordinatorCommand(),
  },
  backup: {
    about: 'copy a database into one file, while its service runs',
    load: async () => (await import('./backup.ts')).backupCommand(),
  },
  token: {
    about: 'print a token for a system that `dev` runs, for use with curl',
    load: async () => (await import('./token.ts')).tokenCommand(),
  },
  releases: {
    about: 'create, watch, publish and cancel releases',
    load: async () => (await import('./people/release-commands.ts')).releasesCommand(),
  },
  tasks: {
    about: 'look at tasks, and help those that need a person',
    load: async () => (await import('./people/task-commands.ts')).tasksCommand(),
  },
  check: {
    about:
      'say whether a running task service or coordinator follows the contract, whatever it is written in',
    load: async () => (await import('./check/check-command.ts')).checkCommand(),
  },
  services: {
    about: 'register task services, and say which get tasks',
    load: async () => (await import('./people/service-commands.ts')).servicesCommand(),
  },
}

/** The command that is typed, or that `help` is asked about; undefined where the first word is none. */
function typedCommand(words: readonly string[]): string | undefined {
  return words.find((word) => !word.startsWith('-') && word !== 'help')
}

async function programFor(typed: string | undefined): Promise<Command> {
  const program = strictGroup(new Command('release-task'))
    .description('Coordinated data releases over many task services')
    .version(VERSION)
    .enablePositionalOptions()
  for (const [name, { about, load }] of Object.entries(COMMANDS))
    program.addCommand((name === typed ? await load() : new Command(name)).description(about))
  return program
}

/** The command line. Errors end as the cause and what to type next, never as a stack. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await (await programFor(typedCommand(argv.slice(2)))).parseAsync([...argv])
  } catch (error) {
    const line = explain(error, { side: SIDES[argv[2] ?? ''] ?? 'dev', underDev: process.send !== undefined })
    process.send?.({ type: 'failed', line })
    console.error(line)
    process.exit(1)
  }
}
