import type { FoundTask, TaskSearch } from '../search-store.ts'
import { createdGiven, dateTime, orderGiven, textGiven, type ListArguments } from './arguments.ts'
import type { Source } from './connection.ts'
import { page, type Context, type Resolvers } from './context.ts'
import { searchEvents } from './event.ts'
import { globalId, keyAsked, uuidOf } from './global-id.ts'

interface TaskArguments extends ListArguments {
  readonly kfId?: string | null
  readonly state?: string | null
  /** Our own ids, other than in every other list. */
  readonly release?: string | null
  readonly taskService?: string | null
}

export function searchTasks({ deps }: Context, args: TaskArguments): Source<FoundTask> {
  const filter: TaskSearch = {
    kf_id: textGiven(args.kfId),
    state: textGiven(args.state),
    release: textGiven(args.release),
    task_service: textGiven(args.taskService),
    ...createdGiven(args),
  }
  return {
    list: (window) => deps.search.tasks.list(filter, orderGiven(args), window),
    count: () => deps.search.tasks.count(filter),
  }
}

/** Tasks: how they are shown and found. */
export const TASK: Resolvers = {
  TaskNode: {
    id: ({ id }) => globalId('TaskNode', id),
    kfId: ({ id }) => id,
    uuid: ({ id }) => uuidOf(id),
    createdAt: ({ createdAt }) => dateTime(createdAt),
    release: ({ releaseId }, _, { reads }) => reads.release(releaseId),
    taskService: ({ serviceId }, _, { reads }) => reads.service(serviceId),
    events: ({ id }, args, context, info) =>
      page(searchEvents(context, { ...args, taskKey: id }), args, context, info),
  },
  Query: {
    task: (_, { id }, { reads }) => {
      const key = keyAsked('TaskNode', id)
      return key && reads.task(key)
    },
    allTasks: (_, args, context, info) => page(searchTasks(context, args), args, context, info),
  },
}
