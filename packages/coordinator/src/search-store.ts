import type { Database, Prepared, SqlValue } from '@release-task/database'
import type { ReleaseId, StudyId } from '@release-task/protocol'
import { eventFromRow, type ReleaseEvent } from './event-store.ts'
import { noteFromRow, type ReleaseNote } from './note-store.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'
import { containing } from './query-parts.ts'
import { releaseFromRow, taskFromRow, type Row } from './row.ts'
import { ID_PLACES, searchQueries } from './search-queries.ts'
import type { Window } from './store.ts'

/** A release without what belongs to it: a list of a thousand needs no more. */
export type ReleaseHead = Omit<ReleaseRecord, 'studies' | 'tasks'>

export interface FoundTask extends CoordinatorTask {
  readonly releaseId: ReleaseId
}

export type Order = 'oldest' | 'newest'

/** Epoch ms; null: whenever. */
interface Created {
  readonly created_before: number | null
  readonly created_after: number | null
}

/** Null: whatever it is. A filter that ends in `_contains` takes any case of letters. */
export interface ReleaseSearch extends Created {
  readonly version: string | null
  readonly state: string | null
  readonly author: string | null
  readonly name: string | null
  readonly name_contains: string | null
  readonly is_major: boolean | null
  readonly study: string | null
}

export interface TaskSearch extends Created {
  readonly kf_id: string | null
  readonly release: string | null
  readonly task_service: string | null
  readonly state: string | null
}

export interface EventSearch extends Created {
  readonly release: string | null
  readonly task_service: string | null
  readonly task: string | null
  readonly event_type: string | null
  readonly message_contains: string | null
}

export interface NoteSearch extends Created {
  readonly kf_id: string | null
  readonly author: string | null
  readonly release: string | null
  readonly study: string | null
}

/** A list that can be narrowed, read from either end, and counted. */
export interface Search<Filter, T> {
  list(filter: Filter, order: Order, window: Window): Promise<T[]>
  count(filter: Filter): Promise<number>
}

/** Looks for what grows with every release, and reads together what is asked for together. It knows no rules. */
export class SearchStore {
  readonly #database: Database
  readonly #queries: ReturnType<typeof searchQueries>
  readonly releases: Search<ReleaseSearch, ReleaseHead>
  readonly tasks: Search<TaskSearch, FoundTask>
  readonly events: Search<EventSearch, ReleaseEvent>
  readonly notes: Search<NoteSearch, ReleaseNote>

  constructor(database: Database) {
    const queries = searchQueries(database)
    this.#database = database
    this.#queries = queries
    this.releases = search(database, queries.releases, headFromRow)
    this.tasks = search(database, queries.tasks, foundFromRow)
    this.events = search(database, queries.events, eventFromRow)
    this.notes = search(database, queries.notes, noteFromRow)
  }

  /** Those that there are. */
  async releasesById(ids: readonly string[]): Promise<Map<string, ReleaseHead>> {
    const rows = await this.#together(this.#queries.releasesById, ids)
    return new Map(rows.map(headFromRow).map((release) => [release.id, release]))
  }

  async tasksById(ids: readonly string[]): Promise<Map<string, FoundTask>> {
    const rows = await this.#together(this.#queries.tasksById, ids)
    return new Map(rows.map(foundFromRow).map((task) => [task.id, task]))
  }

  /** The studies of each release in their order. */
  async studiesOf(ids: readonly string[]): Promise<Map<string, StudyId[]>> {
    const rows = await this.#together(this.#queries.studiesOf, ids)
    const grouped = Map.groupBy(rows, (row) => row['release_id'] as string)
    return new Map([...grouped].map(([id, own]) => [id, own.map((row) => row['study_id'] as StudyId)]))
  }

  /** Fifty ids a question. */
  async #together(query: Prepared, ids: readonly string[]): Promise<Row[]> {
    const rows: Row[] = []
    for (let from = 0; from < ids.length; from += ID_PLACES.length) {
      const values = ID_PLACES.map((name, index) => [name, ids[from + index] ?? ''] as const)
      rows.push(...(await this.#database.all<Row>(query, Object.fromEntries(values))))
    }
    return rows
  }
}

type Queries = { readonly [name in Order | 'count']: Prepared }

function search<Filter extends object, T>(
  database: Database,
  queries: Queries,
  fromRow: (row: Row) => T,
): Search<Filter, T> {
  return {
    list: async (filter, order, window) =>
      (await database.all<Row>(queries[order], { ...valuesOf(filter), ...window })).map(fromRow),
    count: async (filter) => {
      const [row] = await database.all<{ count: number }>(queries.count, valuesOf(filter))
      return row?.count ?? 0
    },
  }
}

function valuesOf(filter: object): Record<string, SqlValue> {
  const entries = Object.entries(filter as Record<string, SqlValue | boolean>)
  return Object.fromEntries(entries.map(([name, value]) => [name, valueOf(name, value)]))
}

function valueOf(name: string, value: SqlValue | boolean): SqlValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  return name.endsWith('_contains') ? containing(value as string | null) : value
}

function headFromRow(row: Row): ReleaseHead {
  const { studies: _, tasks: __, ...head } = releaseFromRow(row, [], [])
  return head
}

function foundFromRow(row: Row): FoundTask {
  return { ...taskFromRow(row), releaseId: row['release_id'] as ReleaseId }
}
