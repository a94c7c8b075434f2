import type { FileSystem } from './file-system.ts'
import type { Retention } from './retention.ts'

/** What every phase works with besides its task. */
export interface Workplace {
  readonly fs: FileSystem
  /** RELEASE_DIR. */
  readonly root: string
  /** What may be removed of other releases; absent: nothing. */
  readonly retention?: Retention
  now(): Date
}
