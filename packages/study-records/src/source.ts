/** The kinds of records in a release, in the order in which they are written. */
export const COLLECTIONS = ['participants', 'biospecimens', 'genomic-files'] as const
export type Collection = (typeof COLLECTIONS)[number]

/** Where rows come from. A row is the JSON text of one record, without a line break. */
export interface RowSource {
  /** How many rows there are now: known beforehand, so that progress can be told in percent. */
  count(studyId: string, collection: Collection, signal: AbortSignal): Promise<number>
  /**
   * The rows in batches of a few hundred: one by one is slow, all at once does not fit into memory.
   * @throws CountMismatch at the end, where rows were missed
   */
  rows(studyId: string, collection: Collection, signal: AbortSignal): AsyncIterable<readonly string[]>
}

/** The rows that came are not the rows that the source says it has; reading once more may help. */
export class CountMismatch extends Error {
  override readonly name = 'CountMismatch'
}
