import type { Caller } from '@release-task/auth'
import type { GraphQLResolveInfo } from 'graphql'
import type { HttpDependencies } from '../http/dependencies.ts'
import { connect, type Connection, type Paging, type Source } from './connection.ts'
import type { Budget } from './limits.ts'
import type { Profile } from './profile.ts'
import type { Reads } from './reads.ts'
import type { Rest } from './rest.ts'

/** What every field of one request is answered from. */
export interface Context {
  readonly deps: HttpDependencies
  readonly caller: Caller
  /** Null for who is no person. */
  readonly profile: Profile | null
  readonly reads: Reads
  readonly rest: Rest
  readonly budget: Budget
}

/** Answers a field. Arguments have been checked against the schema; the source is what the parent's field gave. */
export type Resolve = (source: any, args: any, context: Context, info: GraphQLResolveInfo) => unknown

/** By type, then by field; a field that is not here is the property of its name. */
export type Resolvers = { readonly [type: string]: { readonly [field: string]: Resolve } }

/** A list field: its rows are paid for before anything of them is shown. */
export async function page<T>(
  source: Source<T>,
  paging: Paging,
  { reads, budget }: Context,
  info: GraphQLResolveInfo,
): Promise<Connection<T>> {
  const pay = (rows: number) => budget.take(rows, info.fieldNodes)
  const ask = <A>(read: () => Promise<A>) =>
    reads.inTurn(() => {
      // Nothing, but not where others of this request have found meanwhile that it is too large.
      pay(0)
      return read()
    })
  const inTurn: Source<T> = {
    list: async (window) => {
      const rows = await ask(() => source.list(window))
      pay(rows.length)
      return rows
    },
    count: () => ask(() => source.count()),
  }
  return connect(inTurn, paging, info.fieldName)
}
