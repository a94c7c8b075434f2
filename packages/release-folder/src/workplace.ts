import type { FileSystem } from './file-system.ts'

/** What every phase works with besides its task. */
export interface Workplace {
  readonly fs: FileSystem
  /** RELEASE_DIR. */
  readonly root: string
  now(): Date
}
