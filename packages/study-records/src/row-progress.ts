import type { StageContext } from '@release-task/task-service'

import type { Collection } from './source.ts'

/** Tells how far reading is, by rows over all parts. */
export class RowProgress {
  readonly #task: Pick<StageContext, 'progress'>
  readonly #total: number
  /** Rows of the parts that are finished. */
  #before = 0

  constructor(task: Pick<StageContext, 'progress'>, total: number) {
    this.#task = task
    this.#total = total
  }

  /** Starts a part; the function it gives is told of every batch. Call `done` when the part is complete. */
  part(studyId: string, collection: Collection, expected: number) {
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
