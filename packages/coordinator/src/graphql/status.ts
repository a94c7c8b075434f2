import type { Resolvers } from './context.ts'

/** Of this coordinator; also what `/openapi.json` says. */
export const VERSION = '0.1.0'

/** What runs here. The name is the one that clients know; a build knows nothing of a commit. */
export const STATUS: Resolvers = {
  Query: {
    status: () => ({ name: 'Kids First Release Coordinator', version: VERSION, commit: null }),
  },
}
