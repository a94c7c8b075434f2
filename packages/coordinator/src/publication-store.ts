import { prepare, type Database } from '@release-task/database'
import type { ReleaseId } from '@release-task/protocol'
import { sql } from 'kysely'

/** `major.minor.patch` without its last number: what is left of `12.3.0` is `12.3`. */
const withoutLast = (version: ReturnType<typeof sql>) => sql`rtrim(rtrim(${version}, '0123456789'), '.')`

/** Which release the public sees. */
export class PublicationStore {
  readonly #database: Database
  readonly #newest

  constructor(database: Database) {
    this.#database = database
    this.#newest = newestQuery(database)
  }

  /** The published release with the highest version: the last one, as each publication raises the maximum (RC-29). */
  async newest(): Promise<ReleaseId | null> {
    const [row] = await this.#database.all<{ kf_id: ReleaseId }>(this.#newest)
    return row?.kf_id ?? null
  }
}

/** By version and not by time: clocks of two database hosts differ, versions do not. */
function newestQuery({ builder }: Database) {
  const version = sql`version`
  const minor = withoutLast(version)
  const major = withoutLast(minor)
  // Of numbers without leading zeros the longer is the larger; of those of equal length the later in the alphabet.
  const numbers = [major, minor, version].flatMap((text) => [sql`length(${text})`, text])
  let query = builder.selectFrom('releases').select('kf_id').where('state', '=', sql.lit('published'))
  for (const number of numbers) query = query.orderBy(number, 'desc')
  return prepare(query.limit(sql.lit(1)))
}
