import { GraphQLError } from 'graphql'
import type { Window } from '../store.ts'

/** What `first` and `last` may ask for. */
const MOST_ASKED = 100
/** What a list has without them: whoever wants more asks for it in pages (F-67). */
export const MOST_ROWS = 1000

/** The arguments of every list. */
export interface Paging {
  readonly before?: string | null
  readonly after?: string | null
  readonly first?: number | null
  readonly last?: number | null
}

/** Where the rows of a list come from. */
export interface Source<T> {
  list(window: Window): Promise<readonly T[]>
  count(): Promise<number>
}

export interface Connection<T> {
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
  readonly edges: readonly { readonly node: T; readonly cursor: string }[]
}

/** Rows that are in memory already. */
export function listed<T>(rows: readonly T[]): Source<T> {
  return {
    list: async ({ offset, limit }) => rows.slice(offset, offset + limit),
    count: async () => rows.length,
  }
}

/** The place of a row in its list, as clients give it back. */
export function cursorOf(offset: number): string {
  return Buffer.from(`arrayconnection:${offset}`).toString('base64')
}

/** @returns null where it is not given @throws GraphQLError where it is none of ours */
function offsetOf(name: string, cursor: string | null | undefined): number | null {
  if (!cursor) return null
  const text = Buffer.from(cursor, 'base64').toString('latin1')
  const offset = Number(/^arrayconnection:(\d+)$/.exec(text)?.[1] ?? NaN)
  if (Number.isSafeInteger(offset) && offset < Number.MAX_SAFE_INTEGER) return offset
  throw new GraphQLError(`Argument "${name}" is no cursor of a list.`)
}

function checkCount(name: 'first' | 'last', value: number | null | undefined, field: string): number | null {
  if (value === null || value === undefined) return null
  if (value < 0) throw new GraphQLError(`Argument "${name}" must not be negative.`)
  if (value <= MOST_ASKED) return value
  throw new GraphQLError(
    `Requesting ${value} records on the \`${field}\` connection exceeds the \`${name}\` limit of ${MOST_ASKED} records.`,
  )
}

/** The part of a list that is asked for; both ends are places in it, and `upper` may be beyond its end. */
interface Asked {
  readonly lower: number
  readonly upper: number
  readonly first: number | null
  readonly last: number | null
}

function askedBy(paging: Paging, field: string): Asked {
  const after = offsetOf('after', paging.after)
  return {
    lower: after === null ? 0 : after + 1,
    upper: offsetOf('before', paging.before) ?? Infinity,
    first: checkCount('first', paging.first, field),
    last: checkCount('last', paging.last, field),
  }
}

/**
 * A page of a list (GQ-4), in at most two questions.
 * @param field what the list is called where it is asked for
 * @throws GraphQLError for arguments that no list can follow
 */
export async function connect<T>(source: Source<T>, paging: Paging, field: string): Promise<Connection<T>> {
  const { lower, upper: asked, first, last } = askedBy(paging, field)
  // Only a page from the end must know where the end is.
  const upper = last === null ? asked : Math.min(asked, await source.count())
  const end = first === null ? upper : Math.min(upper, lower + first)
  const start = last === null ? lower : Math.max(lower, end - last)
  const limit = Math.max(0, Math.min(end - start, MOST_ROWS))
  // One more, to know whether there is more.
  const rows = await source.list({ offset: start, limit: Math.max(0, Math.min(limit + 1, upper - start)) })
  const edges = rows.slice(0, limit).map((node, index) => ({ node, cursor: cursorOf(start + index) }))
  return {
    pageInfo: {
      hasNextPage: rows.length > limit,
      hasPreviousPage: last !== null && start > lower,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    edges,
  }
}
