import { GraphQLError } from 'graphql'
import type { ReleaseEvent } from '../event-store.ts'
import type { EventSearch } from '../search-store.ts'
import { createdGiven, dateTime, orderGiven, textGiven, type ListArguments } from './arguments.ts'
import type { Source } from './connection.ts'
import { page, type Context, type Resolvers } from './context.ts'
import { globalId, keyAsked, keyFilter, uuidOf } from './global-id.ts'

const TYPES = ['info', 'warning', 'error']

interface EventArguments extends ListArguments {
  readonly eventType?: string | null
  readonly messageContains?: string | null
  readonly releaseKey?: string | null
  readonly taskServiceKey?: string | null
  readonly taskKey?: string | null
}

export function searchEvents({ deps }: Context, args: EventArguments): Source<ReleaseEvent> {
  const filter: EventSearch = {
    event_type: typeGiven(args.eventType),
    message_contains: textGiven(args.messageContains),
    release: args.releaseKey ?? null,
    task_service: args.taskServiceKey ?? null,
    task: args.taskKey ?? null,
    ...createdGiven(args),
  }
  return {
    list: (window) => deps.search.events.list(filter, orderGiven(args), window),
    count: () => deps.search.events.count(filter),
  }
}

/** @throws GraphQLError for what is no type: to ignore it would answer everything (F-67) */
function typeGiven(value: string | null | undefined): string | null {
  const type = textGiven(value)
  if (type === null || TYPES.includes(type)) return type
  throw new GraphQLError(`Argument "eventType" must be one of ${TYPES.join(', ')}.`)
}

/** Events: how they are shown and found. Who caused one is not among their fields: only admins may see it (AU-7). */
export const EVENT: Resolvers = {
  EventNode: {
    id: ({ id }) => globalId('EventNode', id),
    kfId: ({ id }) => id,
    uuid: ({ id }) => uuidOf(id),
    eventType: ({ eventType }) => eventType.toUpperCase(),
    createdAt: ({ createdAt }) => dateTime(createdAt),
    release: ({ releaseId }, _, { reads }) => releaseId && reads.release(releaseId),
    taskService: ({ taskServiceId }, _, { reads }) => taskServiceId && reads.service(taskServiceId),
    task: ({ taskId }, _, { reads }) => taskId && reads.task(taskId),
  },
  Query: {
    event: (_, { id }, { deps, reads }) => {
      const key = keyAsked('EventNode', id)
      return key && reads.inTurn(() => deps.events.get(key))
    },
    allEvents: (_, { release, taskService, task, ...args }, context, info) => {
      const keys = {
        releaseKey: keyFilter('ReleaseNode', release),
        taskServiceKey: keyFilter('TaskServiceNode', taskService),
        taskKey: keyFilter('TaskNode', task),
      }
      return page(searchEvents(context, { ...args, ...keys }), args, context, info)
    },
  },
}
