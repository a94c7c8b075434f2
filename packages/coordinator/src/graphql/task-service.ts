import { authorOf } from '@release-task/auth'
import { isDown, type TaskService } from '../task-service-store.ts'
import { dateTime, narrowed, textGiven } from './arguments.ts'
import { listed } from './connection.ts'
import { page, type Context, type Resolvers } from './context.ts'
import { searchEvents } from './event.ts'
import { globalId, keyAsked, keyInAddress, uuidOf } from './global-id.ts'
import { bodyOf, given, type Words } from './rest.ts'
import { searchTasks } from './task.ts'

const WORDS: Words = {
  forbidden: 'Not authenticated to create a task service.',
  missing: 'TaskService matching query does not exist.',
  field: (field, message) =>
    field === 'url' ? `There was a problem with the service url: ['${message}']` : null,
}

/** The service as it is after the change. */
async function changed({ reads }: Context, key: string): Promise<{ taskService: TaskService | null }> {
  reads.forget()
  return { taskService: await reads.service(key) }
}

async function create({ input }: any, context: Context) {
  // The REST API asks for an author and a description; here it is always who calls, and there may be none.
  const { name, description } = input
  const own = { author: authorOf(context.caller) ?? 'admin', description: description || name }
  const body = { ...given(input), ...own }
  const answer = await context.rest('POST', '/task-services', body)
  return changed(context, bodyOf<{ kf_id: string }>(answer, WORDS).kf_id)
}

async function update({ taskService, input }: any, context: Context) {
  const key = keyInAddress('TaskServiceNode', taskService)
  const before = await context.reads.service(key)
  const { url, ...others } = given(input)
  // An address that stays is not called: one that is down can still be disabled.
  const body = url === before?.url ? others : { ...others, url }
  bodyOf(await context.rest('PATCH', `/task-services/${key}`, body), WORDS)
  return changed(context, key)
}

/** Task services: how they are shown, found and changed. */
export const TASK_SERVICE: Resolvers = {
  TaskServiceNode: {
    id: ({ id }) => globalId('TaskServiceNode', id),
    kfId: ({ id }) => id,
    uuid: ({ id }) => uuidOf(id),
    createdAt: ({ createdAt }) => dateTime(createdAt),
    healthStatus: (service) => (isDown(service) ? 'down' : 'ok'),
    tasks: ({ id }, args, context, info) =>
      page(searchTasks(context, { ...args, taskService: id }), args, context, info),
    events: ({ id }, args, context, info) =>
      page(searchEvents(context, { ...args, taskServiceKey: id }), args, context, info),
  },
  Query: {
    taskService: (_, { id }, { reads }) => {
      const key = keyAsked('TaskServiceNode', id)
      return key && reads.service(key)
    },
    allTaskServices: async (_, args, context, info) => {
      const exact = {
        author: textGiven(args.author),
        name: textGiven(args.name),
        url: textGiven(args.url),
        description: textGiven(args.description),
        enabled: args.enabled,
      }
      return page(listed(narrowed(await context.reads.services(), args, exact)), args, context, info)
    },
  },
  Mutation: {
    createTaskService: (_, args, context) => create(args, context),
    updateTaskService: (_, args, context) => update(args, context),
  },
}
