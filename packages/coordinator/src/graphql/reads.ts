import type { ReleaseId, StudyId } from '@release-task/protocol'
import type { HttpDependencies } from '../http/dependencies.ts'
import type { ReleaseNote } from '../note-store.ts'
import type { FoundTask, ReleaseHead } from '../search-store.ts'
import type { Study } from '../study-store.ts'
import type { TaskService } from '../task-service-store.ts'
import { batched } from './batch.ts'

type Stores = Pick<HttpDependencies, 'search' | 'notes' | 'services' | 'studies'>

/** What has been read for one request, so that nothing is read twice. */
interface Known {
  readonly release: (id: string) => Promise<ReleaseHead | undefined>
  readonly task: (id: string) => Promise<FoundTask | undefined>
  readonly studiesOf: (releaseId: string) => Promise<readonly StudyId[] | undefined>
  readonly notesOf: (releaseId: ReleaseId) => Promise<readonly ReleaseNote[] | undefined>
  services: Promise<readonly TaskService[]> | null
  studies: Promise<readonly Study[]> | null
}

/**
 * The reads of one request. They come one after the other: a question of many parts must not take every connection to
 * the database from the others, nor go on after it has been found too large.
 */
export class Reads {
  readonly #stores: Stores
  #turn: Promise<unknown> = Promise.resolve()
  #known: Known

  constructor(stores: Stores) {
    this.#stores = stores
    this.#known = this.#nothing()
  }

  /** After a change: what was read before it may not be so any more. */
  forget(): void {
    this.#known = this.#nothing()
  }

  /** Once what was asked for before is done. */
  inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(read)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** All of them: they are few, and every answer of the REST API reads them too. */
  services(): Promise<readonly TaskService[]> {
    return (this.#known.services ??= this.inTurn(() => this.#stores.services.all()))
  }

  studies(): Promise<readonly Study[]> {
    return (this.#known.studies ??= this.inTurn(() => this.#stores.studies.all()))
  }

  async service(id: string): Promise<TaskService | null> {
    return (await this.services()).find((service) => service.id === id) ?? null
  }

  async study(id: string): Promise<Study | null> {
    return (await this.studies()).find((study) => study.id === id) ?? null
  }

  async release(id: string): Promise<ReleaseHead | null> {
    return (await this.#known.release(id)) ?? null
  }

  async task(id: string): Promise<FoundTask | null> {
    return (await this.#known.task(id)) ?? null
  }

  /** The studies of a release in their order. */
  async studiesOf(releaseId: string): Promise<readonly Study[]> {
    const ids = (await this.#known.studiesOf(releaseId)) ?? []
    const found = await Promise.all(ids.map((id) => this.study(id)))
    return found.filter((study) => study !== null)
  }

  /** The notes on a release, the oldest first. */
  async notesOf(releaseId: ReleaseId): Promise<readonly ReleaseNote[]> {
    return ((await this.#known.notesOf(releaseId)) ?? []).toReversed()
  }

  #nothing(): Known {
    const { search, notes } = this.#stores
    return {
      release: batched((ids) => this.inTurn(() => search.releasesById(ids))),
      task: batched((ids) => this.inTurn(() => search.tasksById(ids))),
      studiesOf: batched((ids) => this.inTurn(() => search.studiesOf(ids))),
      notesOf: batched((ids) => this.inTurn(() => notes.ofReleases(ids))),
      services: null,
      studies: null,
    }
  }
}
