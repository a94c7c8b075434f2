import { GraphQLError } from 'graphql'
import { datetimeOfText } from '../http/links.ts'
import type { Study } from '../study-store.ts'
import { narrowed, textGiven, withOffset } from './arguments.ts'
import { listed } from './connection.ts'
import { page, type Context, type Resolvers } from './context.ts'
import { globalId, keyAsked } from './global-id.ts'
import { searchReleases } from './release.ts'
import { searchNotes } from './release-note.ts'
import { bodyOf, type Words } from './rest.ts'

const WORDS: Words = { forbidden: 'Not authenticated to sync studies.' }

const idsOf = (studies: readonly Study[]) => new Set(studies.map(({ id }) => id))

/** The REST API tells how many; which ones is seen by what was there before. */
async function synchronise(context: Context) {
  const { reads } = context
  reads.forget()
  const before = await reads.studies()
  const answer = await context.rest('POST', '/studies/sync')
  if (answer.status >= 400 && answer.status !== 403) {
    const { message, detail } = answer.body as { message?: string; detail?: string }
    throw new GraphQLError(`Problem getting studies from the Data Service: ${message ?? detail}`)
  }
  bodyOf(answer, WORDS)
  reads.forget()
  const after = await reads.studies()
  const known = idsOf(before)
  const gone = idsOf(before.filter((study) => study.deleted))
  return {
    new: after.filter((study) => !known.has(study.id)),
    deleted: after.filter((study) => study.deleted && !gone.has(study.id)),
  }
}

const withTime = (study: Study) => ({
  ...study,
  createdAt: study.createdAt === null ? null : Date.parse(study.createdAt),
  createdText: study.createdAt,
})

/** What another system wrote, in the form of all others. */
function createdText(study: Study & { readonly createdText?: string | null }): string | null {
  const text = study.createdText === undefined ? study.createdAt : study.createdText
  return text === null ? null : withOffset(datetimeOfText(text))
}

/** Studies: how they are shown, found and read anew. */
export const STUDY: Resolvers = {
  StudyNode: {
    id: ({ id }) => globalId('StudyNode', id),
    kfId: ({ id }) => id,
    createdAt: (study) => createdText(study),
    notes: ({ id }, args, context, info) =>
      page(searchNotes(context, { ...args, studyKey: id }), args, context, info),
    releases: ({ id }, args, context, info) => page(searchReleases(context, args, id), args, context, info),
  },
  SyncStudies: {
    new: ({ new: studies }, args, context, info) => page(listed(studies), args, context, info),
    deleted: ({ deleted }, args, context, info) => page(listed(deleted), args, context, info),
  },
  Query: {
    study: (_, { id }, { reads }) => {
      const key = keyAsked('StudyNode', id)
      return key && reads.study(key)
    },
    allStudies: async (_, args, context, info) => {
      const exact = { id: textGiven(args.kfId), visible: args.visible, deleted: args.deleted }
      const studies = (await context.reads.studies()).map(withTime)
      return page(listed(narrowed(studies, args, exact)), args, context, info)
    },
  },
  Mutation: {
    syncStudies: (_, __, context) => synchronise(context),
  },
}
