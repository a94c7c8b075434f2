import { parameter, prepare, type Database } from '@release-task/database'
import { sql } from 'kysely'
import { all, count, page } from './query-parts.ts'

/** Statements on studies. */
export function studyQueries({ builder }: Database) {
  const studies = builder.selectFrom('studies')
  return {
    get: prepare(studies.selectAll().where('kf_id', '=', parameter('id'))),
    all: prepare(studies.selectAll()),
    list: prepare(
      studies
        .selectAll()
        // "nulls first" is not the same word everywhere
        .orderBy(sql`case when created_at is null then 0 else 1 end`)
        .orderBy('created_at', 'desc')
        .orderBy('kf_id')
        .limit(page.limit)
        .offset(page.offset),
    ),
    count: prepare(studies.select(count)),
    put: prepare(
      builder
        .insertInto('studies')
        .values({ ...all(['kf_id', 'name', 'visible', 'created_at']), deleted: sql.lit(0) })
        .onConflict((conflict) =>
          conflict.column('kf_id').doUpdateSet({
            name: sql`excluded.name`,
            visible: sql`excluded.visible`,
            deleted: sql.lit(0),
          }),
        ),
    ),
    remove: prepare(
      builder
        .updateTable('studies')
        .set({ deleted: sql.lit(1) })
        .where('kf_id', '=', parameter('kf_id')),
    ),
  }
}
