import { isFinalRelease } from '@release-task/protocol'
import { GraphQLError } from 'graphql'
import type { ReleaseHead, ReleaseSearch } from '../search-store.ts'
import { createdGiven, dateTime, orderGiven, textGiven, type ListArguments } from './arguments.ts'
import { listed, type Source } from './connection.ts'
import { page, type Context, type Resolvers } from './context.ts'
import { searchEvents } from './event.ts'
import { globalId, keyAsked, keyInAddress, uuidOf } from './global-id.ts'
import { bodyOf, given, type Words } from './rest.ts'
import { searchTasks } from './task.ts'

interface ReleaseArguments extends ListArguments {
  readonly version?: string | null
  readonly state?: string | null
  readonly author?: string | null
  readonly name?: string | null
  readonly nameContains?: string | null
  readonly isMajor?: boolean | null
}

/** @param study the releases of one study; null: of all */
export function searchReleases(
  { deps }: Context,
  args: ReleaseArguments,
  study: string | null,
): Source<ReleaseHead> {
  const filter: ReleaseSearch = {
    version: textGiven(args.version),
    state: textGiven(args.state),
    author: textGiven(args.author),
    name: textGiven(args.name),
    name_contains: textGiven(args.nameContains),
    is_major: args.isMajor ?? null,
    study,
    ...createdGiven(args),
  }
  return {
    list: (window) => deps.search.releases.list(filter, orderGiven(args), window),
    count: () => deps.search.releases.count(filter),
  }
}

const MISSING = 'The release was not found.'
const words = (what: string): Words => ({ forbidden: `Not authenticated to ${what}.`, missing: MISSING })

const addressOf = (id: string) => `/releases/${keyInAddress('ReleaseNode', id)}`

/** The release as it is after the change. */
async function changed({ reads }: Context, key: string): Promise<{ release: ReleaseHead | null }> {
  reads.forget()
  return { release: await reads.release(key) }
}

async function start({ input }: any, context: Context) {
  const { studies, isMajor, ...own } = input
  const body = {
    ...given({ ...own, is_major: isMajor }),
    studies: studies.map((id: string | null) => keyInAddress('StudyNode', id)),
  }
  const answer = await context.rest('POST', '/releases', body)
  return changed(context, bodyOf<{ kf_id: string }>(answer, words('create a release')).kf_id)
}

async function update({ release, input }: any, context: Context) {
  const answer = await context.rest('PATCH', addressOf(release), given(input))
  return changed(context, bodyOf<{ kf_id: string }>(answer, words('update the release')).kf_id)
}

/** To cancel what has ended is no error over REST; here it is one, as it was. */
async function cancel({ release }: any, context: Context) {
  const key = keyInAddress('ReleaseNode', release)
  const before = await context.reads.release(key)
  const answer = await context.rest('DELETE', addressOf(release))
  const { state } = bodyOf<{ state: string }>(answer, words('cancel a release'))
  if ((before && isFinalRelease(before.state)) || state === 'published')
    throw new GraphQLError(`The release in state ${state} may not be canceled.`)
  return changed(context, key)
}

async function publish({ release }: any, context: Context) {
  const key = keyInAddress('ReleaseNode', release)
  const answer = await context.rest('POST', `${addressOf(release)}/publish`)
  const after = await changed(context, key)
  if (answer.status === 409)
    throw new GraphQLError(`The release in state ${after.release?.state} may not be published.`)
  bodyOf(answer, words('publish a release'))
  return after
}

/** Releases: how they are shown, found and changed. */
export const RELEASE: Resolvers = {
  ReleaseNode: {
    id: ({ id }) => globalId('ReleaseNode', id),
    kfId: ({ id }) => id,
    uuid: ({ id }) => uuidOf(id),
    createdAt: ({ createdAt }) => dateTime(createdAt),
    studies: async ({ id }, args, context, info) =>
      page(listed(await context.reads.studiesOf(id)), args, context, info),
    notes: async ({ id }, args, context, info) =>
      page(listed(await context.reads.notesOf(id)), args, context, info),
    tasks: ({ id }, args, context, info) =>
      page(searchTasks(context, { ...args, release: id }), args, context, info),
    events: ({ id }, args, context, info) =>
      page(searchEvents(context, { ...args, releaseKey: id }), args, context, info),
  },
  Query: {
    release: (_, { id }, { reads }) => {
      const key = keyAsked('ReleaseNode', id)
      return key && reads.release(key)
    },
    allReleases: (_, args, context, info) => page(searchReleases(context, args, null), args, context, info),
  },
  Mutation: {
    startRelease: (_, args, context) => start(args, context),
    updateRelease: (_, args, context) => update(args, context),
    cancelRelease: (_, args, context) => cancel(args, context),
    publishRelease: (_, args, context) => publish(args, context),
  },
}
