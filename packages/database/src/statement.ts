import type { Compilable, CompiledQuery } from 'kysely'

export type SqlValue = string | number | null

/** A query that Kysely compiled once: its text, and which named value goes to which place. */
export interface Prepared {
  readonly sql: string
  readonly names: readonly string[]
}

/** One statement of a commit. */
export interface Statement {
  readonly query: Prepared
  readonly values: Readonly<Record<string, SqlValue>>
  /** How many rows it must touch; any other number undoes the whole commit. Absent: any number will do. */
  readonly expect?: number
}

class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Stands for a value that is given at every call, where the query is written. */
export function parameter<T = any>(name: string): T {
  return new Placeholder(name) as T
}

function nameOf(value: unknown): string {
  if (value instanceof Placeholder) return value.name
  throw new TypeError('A prepared query holds a value: write parameter(name), so that it can be given later')
}

/** Compiles a query for repeated use: compiling at every call costs more than running it (decisions/003). */
export function prepare(query: Compilable | { compile(): CompiledQuery }): Prepared {
  const compiled = query.compile()
  return { sql: compiled.sql, names: compiled.parameters.map(nameOf) }
}

/** The values in the order of the query's places. A missing one is a mistake in our code, not in the input. */
export function bind(query: Prepared, values: Readonly<Record<string, SqlValue>>): SqlValue[] {
  return query.names.map((name) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`No value for "${name}" in: ${query.sql}`)
    return value
  })
}
