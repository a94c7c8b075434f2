/** A value of a row, as both databases know it. */
export type Value = string | number | null

/** A database as a version left it, in the middle of releases. */
export interface Recording {
  /** Epoch milliseconds. */
  readonly recorded_at: number
  /** What had been run on it. */
  readonly migrations: readonly { readonly owner: string; readonly number: number }[]
  readonly tables: {
    readonly [name: string]: {
      readonly columns: readonly string[]
      readonly rows: readonly (readonly Value[])[]
    }
  }
}

/** Stands for the machine of the recording in the names of owners. */
export const RECORDED_HOST = 'recorded-host'

/** Names the row of `identity` that marks the release folder; a file in that folder holds the same text. */
export const RELEASE_FOLDER = 'release_dir'
