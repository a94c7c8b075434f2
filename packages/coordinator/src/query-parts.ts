import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'

/** A named parameter for each column. */
export const all = (columns: readonly string[]) =>
  Object.fromEntries(columns.map((name) => [name, parameter(name)]))

/** A parameter that may be null; both databases must be told its type. */
export const textOrNull = (name: string) => sql<string>`cast(${parameter(name)} as text)`
export const numberOrNull = (name: string) => sql<number>`cast(${parameter(name)} as bigint)`

/** The column has the value of the parameter, or the parameter is null. */
export const given = (column: string, name = column) =>
  sql<boolean>`(${textOrNull(name)} is null or ${sql.ref(column)} = ${textOrNull(name)})`

/** The column contains the text of the parameter, which `containing` made a pattern, or the parameter is null. */
export const contains = (column: string, name = column) =>
  sql<boolean>`(${textOrNull(name)} is null or lower(${sql.ref(column)}) like lower(${textOrNull(name)}) escape '!')`

/** What people type has no wildcards. */
export function containing(text: string | null): string | null {
  return text === null ? null : `%${text.replaceAll(/[!%_]/g, '!$&')}%`
}

export const page = { limit: parameter('limit'), offset: parameter('offset') }
export const count = sql<number>`count(*)`.as('count')

/** States of a release that has not ended. */
export const underWay = sql<boolean>`releases.state not in ('published', 'canceled', 'failed')`

/** Positions come from a counter that is raised in the same commit: they are seen in order. */
export function bump(builder: Database['builder'], counter: string) {
  return prepare(
    builder
      .updateTable('counters')
      .set({ value: sql`value + 1` })
      .where('name', '=', sql.lit(counter)),
  )
}

export function counterValue(builder: Database['builder'], counter: string) {
  return builder.selectFrom('counters').select('value').where('name', '=', sql.lit(counter))
}

/**
 * Writes what is there already: a service that gets a task and one that is deleted at the same moment wait for each
 * other, and whoever comes second sees what the first has done.
 */
export function holdService(builder: Database['builder'], id: any) {
  return prepare(
    builder
      .updateTable('task_services')
      .set({ enabled: sql.ref('enabled') })
      .where('kf_id', '=', id),
  )
}
