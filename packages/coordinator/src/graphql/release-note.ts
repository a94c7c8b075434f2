import { GraphQLError } from 'graphql'
import type { ReleaseNote } from '../note-store.ts'
import type { NoteSearch } from '../search-store.ts'
import { createdGiven, dateTime, orderGiven, textGiven, type ListArguments } from './arguments.ts'
import type { Source } from './connection.ts'
import { page, type Context, type Resolvers } from './context.ts'
import { globalId, keyAsked, keyFilter, keyInAddress, uuidOf } from './global-id.ts'
import { bodyOf, type Words } from './rest.ts'

interface NoteArguments extends ListArguments {
  readonly kfId?: string | null
  readonly author?: string | null
  readonly releaseKey?: string | null
  readonly studyKey?: string | null
}

export function searchNotes({ deps }: Context, args: NoteArguments): Source<ReleaseNote> {
  const filter: NoteSearch = {
    kf_id: textGiven(args.kfId),
    author: textGiven(args.author),
    release: args.releaseKey ?? null,
    study: args.studyKey ?? null,
    ...createdGiven(args),
  }
  return {
    list: (window) => deps.search.notes.list(filter, orderGiven(args), window),
    count: () => deps.search.notes.count(filter),
  }
}

const words = (verb: string, key: string): Words => ({
  forbidden: `Not authenticated to ${verb} a release note.`,
  missing: `Release note ${key} does not exist`,
})

const addressOf = (key: string) => `/release-notes/${key}`

async function written({ reads, deps }: Context, key: string) {
  reads.forget()
  return { releaseNote: await reads.inTurn(() => deps.notes.get(key)) }
}

/** In the order in which the original looked. */
async function faultOf({ reads }: Context, study: string, release: string): Promise<string | null> {
  if (!(await reads.study(study))) return `Study ${study} does not exist`
  if (!(await reads.release(release))) return `Release ${release} does not exist`
  const isOfRelease = (await reads.studiesOf(release)).some(({ id }) => id === study)
  return isOfRelease ? null : `Study ${study} is not in release ${release}`
}

async function create({ input }: any, context: Context) {
  const study = keyInAddress('StudyNode', input.study)
  const release = keyInAddress('ReleaseNode', input.release)
  const body = {
    description: input.description,
    study: `/studies/${study}`,
    release: `/releases/${release}`,
  }
  const answer = await context.rest('POST', '/release-notes', body)
  const fault = answer.status === 400 && (await faultOf(context, study, release))
  if (fault) throw new GraphQLError(fault)
  return written(context, bodyOf<{ kf_id: string }>(answer, words('create', '')).kf_id)
}

async function update({ releaseNote, input }: any, context: Context) {
  const key = keyInAddress('ReleaseNoteNode', releaseNote)
  bodyOf(await context.rest('PATCH', addressOf(key), input), words('update', key))
  return written(context, key)
}

async function remove({ releaseNote }: any, context: Context) {
  const key = keyInAddress('ReleaseNoteNode', releaseNote)
  bodyOf(await context.rest('DELETE', addressOf(key)), words('delete', key))
  context.reads.forget()
  return { success: true }
}

/** Release notes: how they are shown, found and changed. */
export const RELEASE_NOTE: Resolvers = {
  ReleaseNoteNode: {
    id: ({ id }) => globalId('ReleaseNoteNode', id),
    kfId: ({ id }) => id,
    uuid: ({ id }) => uuidOf(id),
    createdAt: ({ createdAt }) => dateTime(createdAt),
    release: ({ releaseId }, _, { reads }) => reads.release(releaseId),
    study: ({ studyId }, _, { reads }) => studyId && reads.study(studyId),
  },
  Query: {
    releaseNote: (_, { id }, { deps, reads }) => {
      const key = keyAsked('ReleaseNoteNode', id)
      return key && reads.inTurn(() => deps.notes.get(key))
    },
    allReleaseNotes: (_, { release, study, ...args }, context, info) => {
      const keys = { releaseKey: keyFilter('ReleaseNode', release), studyKey: keyFilter('StudyNode', study) }
      return page(searchNotes(context, { ...args, ...keys }), args, context, info)
    },
  },
  Mutation: {
    createReleaseNote: (_, args, context) => create(args, context),
    updateReleaseNote: (_, args, context) => update(args, context),
    removeReleaseNote: (_, args, context) => remove(args, context),
  },
}
