import type { StageContext } from '@release-task/task-service'

import type { Collection } from './source.ts'

/** Tells how far staging is, by rows over all files. */
export class RowProgress {
  readonly #task: StageContext
  readonly #total: number
  /** Rows of the files that are finished. */
  #before = 0

  constructor(task: StageContext, total: number) {
    this.#task = task
    this.#total = total
  }

  /** Starts a file; the function it gives is told of every batch. Call `done` when the file is complete. */
  file(studyId: string, collection: Collection, expected: number) {
    let rows = 0
    return {
      add: (batch: number): void => {
        rows += batch
        this.#tell(rows, `${studyId} ${collection}: ${grouped(rows)} of ${grouped(expected)} rows`)
      },
      done: (): void => {
        this.#before += rows
      },
    }
  }

  #tell(rows: number, message: string): void {
    // A source may grow while it is read; more than 100 percent would puzzle people.
    const percent = Math.floor((100 * (this.#before + rows)) / Math.max(1, this.#total))
    this.#task.progress(Math.min(100, percent), message)
  }
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
