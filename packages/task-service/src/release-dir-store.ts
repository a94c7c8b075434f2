import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import type { Marker, MarkerStore } from './release-dir.ts'

const NAME = 'release_dir'

/** The marker of the release folder, kept beside the name of whom the database belongs to. */
export function createMarkerStore(database: Database): MarkerStore {
  const { builder } = database
  const get = prepare(builder.selectFrom('identity').select('value').where('name', '=', sql.lit(NAME)))
  const put = prepare(
    builder
      .insertInto('identity')
      .values({ name: sql.lit(NAME), value: parameter('value') })
      .onConflict((conflict) => conflict.doNothing()),
  )
  const read = async () => {
    const [row] = await database.all<{ value: string }>(get)
    return row ? (JSON.parse(row.value) as Marker) : null
  }
  const write = async (marker: Marker) => {
    await database.commit([{ query: put, values: { value: JSON.stringify(marker) } }])
    return (await read()) ?? marker
  }
  return { read, write }
}
