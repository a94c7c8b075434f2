import { GraphQLError } from 'graphql'
import { dateTime } from './arguments.ts'
import { listed } from './connection.ts'
import { page, type Resolvers } from './context.ts'
import { globalId } from './global-id.ts'

/** People, as far as their own token tells of them. We keep no users, so that a list of them is empty. */
export const USER: Resolvers = {
  UserNode: {
    id: ({ key }) => globalId('UserNode', key),
    slackNotify: () => false,
    slackMemberId: () => '',
    dateJoined: ({ issuedAt }) => dateTime(issuedAt),
    lastLogin: ({ issuedAt }) => dateTime(issuedAt),
  },
  Query: {
    allUsers: (_, args, context, info) => page(listed([]), args, context, info),
    myProfile: (_, __, { profile }) => {
      if (!profile) throw new GraphQLError('not authenticated as a user with a profile')
      return profile
    },
  },
}
