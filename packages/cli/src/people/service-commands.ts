import type { Command } from 'commander'
import { address, idOf } from './arguments.ts'
import { command, group } from './command.ts'
import { run, type CommonFlags, type Desk } from './desk.ts'
import type { Page, Service } from './documents.ts'
import { serviceTable } from './release-text.ts'

const serviceId = idOf('TS')
const LIST = 'release-task services list'

/** `release-task services …` */
export function servicesCommand(): Command {
  return group('services')
    .addCommand(listCommand())
    .addCommand(registerCommand())
    .addCommand(switchCommand('enable', 'give a task service tasks of new releases'))
    .addCommand(switchCommand('disable', 'give a task service no tasks of new releases'))
    .addCommand(checkCommand())
}

function listCommand(): Command {
  return command('list', 'list task services').action((flags: CommonFlags) =>
    run(flags, 'viewer', async ({ coordinator, print }) =>
      print(await coordinator.ask<Page<Service>>('/task-services?limit=1000'), serviceTable),
    ),
  )
}

interface RegisterFlags {
  readonly name: string
  readonly url: string
  readonly description?: string
  readonly author: string
}

function registerCommand(): Command {
  return command('register', 'register a task service, which must answer at its address, and print its id')
    .requiredOption('--name <name>', 'its name')
    .requiredOption('--url <url>', 'its address', address)
    .option('--description <text>', 'what it does; its name unless given')
    .option('--author <author>', 'whose it is', 'release-task')
    .action((flags: RegisterFlags & CommonFlags) =>
      run(flags, 'developer', async ({ coordinator, print }, { name, url, author, description = name }) => {
        const body = { name, url, author, description }
        const question = { method: 'POST', body, look: LIST } as const
        print(await coordinator.ask<Service>('/task-services', question), ({ kf_id }) => [kf_id])
      }),
    )
}

function switchCommand(word: 'enable' | 'disable', about: string): Command {
  return command(word, about)
    .argument('<service>', 'its id, TS_…', serviceId)
    .action((id: string, flags: CommonFlags) =>
      run(flags, 'developer', (desk) => turn(desk, id, word === 'enable')),
    )
}

async function turn({ coordinator, print }: Desk, id: string, enabled: boolean): Promise<void> {
  const question = { method: 'PATCH', body: { enabled }, look: LIST } as const
  print(await coordinator.ask<Service>(`/task-services/${id}`, question), (service) => [
    `${service.kf_id} ${service.name} is ${service.enabled ? 'enabled' : 'disabled'}`,
  ])
}

function checkCommand(): Command {
  return command('check', 'have the health of all task services checked').action((flags: CommonFlags) =>
    run(flags, 'admin', async ({ coordinator, print }) => {
      const answer = await coordinator.ask('/task-services/health_checks', { method: 'POST', look: LIST })
      print(answer, () => [`Every task service is being checked. Next: ${LIST}`])
    }),
  )
}
