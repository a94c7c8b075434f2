import type { TaskRecord } from './record.ts'
import type { Loaded } from './store.ts'

const MOST = 1000

/**
 * The records that this process committed last. Only for a process that has its database for itself: nobody else
 * can have changed them. A record that is stale all the same does no harm, because every commit compares the
 * revision, and what conflicts is read anew.
 */
export class RecentRecords {
  readonly #records = new Map<string, TaskRecord>()
  readonly #clock: () => number

  /** @param clock the database's own, epoch ms */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** As `TaskStore.load`; null where the database must be asked. */
  load(id: string): Loaded | null {
    const record = this.#records.get(id)
    return record ? { record, now: this.#clock() } : null
  }

  /** Keeps what was committed, unless something newer is known. */
  keep(record: TaskRecord): void {
    const known = this.#records.get(record.id)
    // Tombstones are deleted by their age, without a command.
    if (record.tombstone || (known && known.revision > record.revision)) return
    this.#records.delete(record.id)
    this.#records.set(record.id, record)
    if (this.#records.size > MOST) this.drop(this.#records.keys().next().value ?? '')
  }

  drop(id: string): void {
    this.#records.delete(id)
  }
}
