import { COORDINATOR_TASK_STATES } from '@release-task/protocol'
import type { Command } from 'commander'
import { oneOf } from '../options.ts'
import { idOf, limit } from './arguments.ts'
import { query, type Side } from './asking.ts'
import { command, group } from './command.ts'
import { run, type CommonFlags, type Desk } from './desk.ts'
import { idIn, type Page, type Service, type Task, type Waiting } from './documents.ts'
import { taskTable, taskText } from './release-text.ts'
import { waitingWords } from './sentences.ts'
import { confirm, needsYes } from './terminal.ts'

const taskId = idOf('TA')
const LIST = 'release-task tasks list'

/** `release-task tasks …` */
export function tasksCommand(): Command {
  return group('tasks')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(retryCommand())
    .addCommand(giveUpCommand())
}

interface ListFlags {
  readonly release?: string
  readonly state?: string
  readonly service?: string
  readonly limit: number
}

function listCommand(): Command {
  return command('list', 'list tasks, the newest first')
    .option('--release <id>', 'only those of this release', idOf('RE'))
    .option('--state <state>', 'only those in this state', oneOf(COORDINATOR_TASK_STATES))
    .option('--service <id>', 'only those of this task service', idOf('TS'))
    .option('--limit <number>', 'how many', limit, 100)
    .action((flags: ListFlags & CommonFlags) =>
      run(flags, 'viewer', async ({ coordinator, print }, { release, state, service, limit }) => {
        const path = `/tasks${query({ release, state, task_service: service, limit })}`
        print(await coordinator.ask<Page<Task>>(path, { look: LIST }), taskTable)
      }),
    )
}

function showCommand(): Command {
  return command('show', 'show a task')
    .argument('<task>', 'its id, TA_…', taskId)
    .action((id: string, flags: CommonFlags) =>
      run(flags, 'viewer', async ({ coordinator, print }) =>
        print(await coordinator.ask<Task>(`/tasks/${id}`, { look: LIST }), taskText),
      ),
    )
}

interface ServiceFlags {
  readonly serviceToken?: string
}

const SERVICE_TOKEN = 'token for the task service, before RELEASE_TASK_SERVICE_TOKEN'

function retryCommand(): Command {
  return command('retry', 'have a task that waits tried again at once, by its task service')
    .argument('<task>', 'its id, TA_…', taskId)
    .option('--service-token <token>', SERVICE_TOKEN)
    .action((id: string, flags: ServiceFlags & CommonFlags) =>
      run(flags, 'viewer', (desk, { serviceToken }) => decide(desk, id, { word: 'retry', serviceToken })),
    )
}

function giveUpCommand(): Command {
  return command('give-up', 'end a task as failed, and with it its release; that cannot be undone')
    .argument('<task>', 'its id, TA_…', taskId)
    .option('--service-token <token>', SERVICE_TOKEN)
    .option('--yes', 'do not ask', false)
    .action((id: string, flags: ServiceFlags & CommonFlags & { yes: boolean }) =>
      run(flags, 'viewer', async (desk, { serviceToken, yes }) => {
        const typed = `release-task tasks give-up ${id}`
        needsYes(yes, typed)
        if (!yes) await confirm([`${id} ends as failed, and its release with it.`], 'Give it up?', typed)
        await decide(desk, id, { word: 'give-up', serviceToken })
      }),
    )
}

/** What a task service answers (SV-17, SV-19). */
interface ServiceTask {
  readonly kf_id: string
  readonly state: string
  readonly waiting_for: Waiting | null
}

/** Goes to the service of the task, which alone decides. @throws CommandError */
async function decide(
  desk: Desk,
  id: string,
  { word, serviceToken }: { word: 'retry' | 'give-up'; serviceToken: string | undefined },
): Promise<void> {
  const url = await serviceUrl(desk.coordinator, id)
  const side = desk.service(url, 'admin', serviceToken)
  const question = { method: 'POST', look: `release-task tasks show ${id}` } as const
  desk.print(await side.ask<ServiceTask>(`/tasks/${id}/${word}`, question), decidedText)
}

async function serviceUrl(coordinator: Side, id: string): Promise<string> {
  const task = await coordinator.ask<Task>(`/tasks/${id}`, { look: LIST })
  const path = `/task-services/${idIn(task.task_service)}`
  return (await coordinator.ask<Service>(path, { look: 'release-task services list' })).url
}

function decidedText({ kf_id, state, waiting_for }: ServiceTask): string[] {
  return [
    waiting_for === null ? `${kf_id} is ${state}` : `${kf_id} is ${state}: ${waitingWords(waiting_for)}`,
  ]
}
