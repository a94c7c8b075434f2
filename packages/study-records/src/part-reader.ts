import type { StageContext } from '@release-task/task-service'

import { RowProgress } from './row-progress.ts'
import { type Collection, COLLECTIONS, CountMismatch, type RowSource } from './source.ts'

/** What the reading needs of the task that runs it. */
export type Reader = Pick<StageContext, 'signal' | 'progress' | 'log'>

/** One collection of one study, and how many rows it will probably have. */
export interface Part {
  readonly study: string
  readonly collection: Collection
  readonly expected: number
}

/** Counts before anything is read: a source that lacks a study shows at once, not after an hour. */
export async function countRows(
  task: Reader,
  studies: readonly string[],
  source: RowSource,
): Promise<Part[]> {
  const parts: Part[] = []
  for (const study of studies) {
    for (const collection of COLLECTIONS) {
      task.progress(0, `${study} ${collection}: counting rows`)
      parts.push({ study, collection, expected: await source.count(study, collection, task.signal) })
    }
  }
  return parts
}

/** Reads parts one after the other, and tells how far it is by rows over all of them. */
export class PartReader {
  readonly parts: readonly Part[]
  readonly #task: Reader
  readonly #source: RowSource
  readonly #progress: RowProgress

  constructor(task: Reader, source: RowSource, parts: readonly Part[]) {
    this.parts = parts
    this.#task = task
    this.#source = source
    const total = parts.reduce((rows, part) => rows + part.expected, 0)
    this.#progress = new RowProgress(task, total)
  }

  /**
   * Lends the rows of one part to `use`, in batches; the next one is asked for when `use` is done with the last.
   * Where the source notices at the end that rows are missing, `use` is called once more, with all of them.
   */
  async read<T>(part: Part, use: (rows: AsyncIterable<readonly string[]>) => Promise<T>): Promise<T> {
    try {
      return await this.#readOnce(part, use)
    } catch (error) {
      if (!(error instanceof CountMismatch)) throw error
      this.#task.log.warn(`${error.message}; reading once more`)
      return await this.#readOnce(part, use)
    }
  }

  async #readOnce<T>(part: Part, use: (rows: AsyncIterable<readonly string[]>) => Promise<T>): Promise<T> {
    const told = this.#progress.part(part.study, part.collection, part.expected)
    const result = await use(this.#batches(part, told.add))
    told.done()
    return result
  }

  /** Whatever the source is: between two batches a cancel is noticed. */
  async *#batches(part: Part, onRows: (rows: number) => void): AsyncGenerator<readonly string[]> {
    const { signal } = this.#task
    for await (const batch of this.#source.rows(part.study, part.collection, signal)) {
      signal.throwIfAborted()
      yield batch
      if (batch.length > 0) onRows(batch.length)
    }
  }
}
