import type { Order } from '../search-store.ts'
import { datetime } from '../http/links.ts'

/** The arguments that every list of ours takes. */
export interface ListArguments {
  readonly createdBefore?: number | null
  readonly createdAfter?: number | null
  readonly orderBy?: string | null
}

/** What is empty is not given, as in the query of an address. No database holds a NUL: it is made what matches nothing. */
export function textGiven(value: string | null | undefined): string | null {
  return value ? value.replaceAll('\0', '\uFFFD') : null
}

/** Seconds since the epoch as whole milliseconds: what is before or after them is decided the same way (F-63). */
export function createdGiven({ createdBefore, createdAfter }: ListArguments) {
  return {
    created_before: milliseconds(createdBefore, Math.ceil),
    created_after: milliseconds(createdAfter, Math.floor),
  }
}

/** No moment is further from now than what JavaScript calls a date. */
const FURTHEST_MS = 8.64e15

function milliseconds(seconds: number | null | undefined, round: (ms: number) => number): number | null {
  if (seconds === null || seconds === undefined) return null
  return Math.max(-FURTHEST_MS, Math.min(FURTHEST_MS, round(seconds * 1000)))
}

/** Anything else than the two orders is the order in which they were made. */
export function orderGiven({ orderBy }: ListArguments): Order {
  return orderBy === '-created_at' ? 'newest' : 'oldest'
}

export interface Small {
  readonly name: string
  readonly createdAt: number | null
}

/** Narrows, and puts in order, a list that is in memory. Those without a date are the oldest. */
export function narrowed<T extends Small>(
  rows: readonly T[],
  args: ListArguments & { readonly nameContains?: string | null },
  exact: Partial<Record<keyof T, unknown>>,
): T[] {
  const { created_before: before, created_after: after } = createdGiven(args)
  const part = textGiven(args.nameContains)?.toLowerCase() ?? ''
  const wanted = Object.entries(exact).filter(([, value]) => value !== null && value !== undefined)
  const kept = rows.filter(
    (row) =>
      wanted.every(([name, value]) => row[name as keyof T] === value) &&
      row.name.toLowerCase().includes(part) &&
      (before === null || (row.createdAt !== null && row.createdAt < before)) &&
      (after === null || (row.createdAt !== null && row.createdAt > after)),
  )
  const sorted = kept.toSorted((one, other) => (one.createdAt ?? 0) - (other.createdAt ?? 0))
  return orderGiven(args) === 'newest' ? sorted.toReversed() : sorted
}

/** ISO-8601 with an offset; the REST API writes the same moment with a `Z`. */
export function dateTime(ms: number): string {
  return withOffset(datetime(ms))
}

export function withOffset(text: string): string {
  return text.replace(/Z$/, '+00:00')
}
