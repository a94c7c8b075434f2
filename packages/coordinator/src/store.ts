import type { CommitResult, Database, Statement } from '@release-task/database'
import { newId, type ReleaseId, type ReleaseState, type StudyId } from '@release-task/protocol'
import { AuditStore, type AuditEntry } from './audit-store.ts'
import { actionWrites } from './action-queries.ts'
import type { Effect } from './decision.ts'
import { eventQueries } from './event-queries.ts'
import { pollDistance } from './poll-store.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'
import { containing } from './query-parts.ts'
import { releaseLists, releaseReads, releaseWrites } from './release-queries.ts'
import { releaseFromRow, releaseToRow, taskFromRow, taskToRow, type Row } from './row.ts'
import { pollQueries, taskQueries } from './task-queries.ts'

const BATCH = 200

export interface Loaded {
  readonly record: ReleaseRecord | null
  /** Epoch ms by the database's clock. */
  readonly now: number
  readonly latestVersion: string
}

/** What a commit changes: the release from `before` to `next` (or neither), and what goes with it. */
export interface Change {
  readonly id: ReleaseId
  readonly before: ReleaseRecord | null
  readonly next: ReleaseRecord | null
  readonly effects: readonly Recorded[]
  /** What somebody asked for, kept with what came of it. */
  readonly audits?: readonly AuditEntry[]
  readonly now: number
}

/** An effect; an event also says who caused it, where somebody asked for it. */
export type Recorded = Effect & { readonly actor?: string }

export interface Page<T> {
  readonly count: number
  readonly results: readonly T[]
}

export interface Window {
  readonly limit: number
  readonly offset: number
}

/** Null: whatever it is. `author` and `name` need only contain the text, in any case of letters. */
export interface ReleaseFilter {
  readonly state: string | null
  readonly author: string | null
  readonly name: string | null
  readonly study: string | null
}

export interface TaskFilter {
  readonly release: string | null
  readonly task_service: string | null
  readonly state: string | null
}

/** A task with the release that it belongs to. */
export interface ListedTask {
  readonly task: CoordinatorTask
  readonly releaseId: ReleaseId
  /** As far as the task's deadlines depend on it. */
  readonly release: Pick<ReleaseRecord, 'state' | 'since'>
}

/**
 * Releases with their tasks. It knows SQL and no rules: a change is stored only if the release is still the one
 * that it was decided on, tasks included.
 */
export class ReleaseStore {
  readonly #database: Database
  readonly #reads: ReturnType<typeof releaseReads>
  readonly #lists: ReturnType<typeof releaseLists>
  readonly #writes: ReturnType<typeof releaseWrites>
  readonly #tasks: ReturnType<typeof taskQueries>
  readonly #polls: ReturnType<typeof pollQueries>
  readonly #events: ReturnType<typeof eventQueries>
  readonly #actions: ReturnType<typeof actionWrites>
  readonly #audit: AuditStore
  readonly #random: () => number
  readonly #pollIntervalMs: number

  constructor(
    database: Database,
    { random, pollIntervalMs }: { random: () => number; pollIntervalMs: number },
  ) {
    this.#database = database
    this.#reads = releaseReads(database)
    this.#lists = releaseLists(database)
    this.#writes = releaseWrites(database)
    this.#tasks = taskQueries(database)
    this.#polls = pollQueries(database)
    this.#events = eventQueries(database)
    this.#actions = actionWrites(database)
    this.#audit = new AuditStore(database)
    this.#random = random
    this.#pollIntervalMs = pollDistance(pollIntervalMs)
  }

  async load(id: string): Promise<Loaded> {
    const [[moment], record] = await Promise.all([
      this.#database.all<{ latest_version: string; now: number }>(this.#reads.moment),
      this.get(id),
    ])
    return { record, now: moment?.now ?? 0, latestVersion: moment?.latest_version ?? '' }
  }

  /** Epoch ms by the database's clock, by which deadlines end. */
  async now(): Promise<number> {
    const [moment] = await this.#database.all<{ now: number }>(this.#reads.moment)
    return moment?.now ?? 0
  }

  async get(id: string): Promise<ReleaseRecord | null> {
    const { release, studies, tasks, revision } = this.#reads
    for (;;) {
      const [row] = await this.#database.all<Row>(release, { id })
      if (!row) return null
      const parts = await Promise.all([
        this.#database.all<Row>(studies, { id }),
        this.#database.all<Row>(tasks, { id }),
      ])
      const [now] = await this.#database.all<{ revision: number }>(revision, { id })
      // Another instance may have changed it between the queries: then the tasks are not those of this row.
      if (now?.revision === row['revision']) return releaseFromRow(row, ...parts)
    }
  }

  /** All of the change or nothing. `conflict`: the release is another by now; load and decide again. */
  commit(change: Change): Promise<CommitResult> {
    const { before, next, effects, audits = [] } = change
    const record = next ? this.#recordStatements(before, next) : []
    const statements = (some: readonly Recorded[]) => some.flatMap((effect) => this.#effect(change, effect))
    // The version comes first: another release may have taken the number meanwhile, and that is a conflict like any
    // other, while the row that writes the number twice would be an error of the database.
    const isVersion = (effect: Recorded) => effect.type === 'version'
    return this.#database.commit([
      ...statements(effects.filter(isVersion)),
      ...record,
      ...statements(effects.filter((effect) => !isVersion(effect))),
      ...audits.flatMap((entry) => this.#audit.statements(entry)),
    ])
  }

  async list({ author, name, ...exact }: ReleaseFilter, window: Window): Promise<Page<ReleaseRecord>> {
    const where = { ...exact, author: containing(author), name: containing(name) }
    return this.#page({ list: this.#lists.list, count: this.#lists.count }, where, window)
  }

  async listOfStudy(studyId: string, window: Window): Promise<Page<ReleaseRecord>> {
    const { listOfStudy: list, countOfStudy: count } = this.#lists
    return this.#page({ list, count }, { study_id: studyId }, window)
  }

  /** Releases over any of the studies that have not ended. */
  async underWay(studies: readonly StudyId[]): Promise<ReleaseId[]> {
    const found = await Promise.all(
      studies.map((study_id) => this.#database.all<{ kf_id: ReleaseId }>(this.#reads.underWay, { study_id })),
    )
    return [...new Set(found.flat().map((row) => row.kf_id))].toSorted()
  }

  /** Version and creation of the newest release of a study, in any state or in one. */
  async newestOfStudy(
    studyId: string,
    state: ReleaseState | null,
  ): Promise<{ version: string; createdAt: number } | null> {
    const values = { study_id: studyId, state }
    const [row] = await this.#database.all<{ version: string; created_at: number }>(
      this.#lists.newestOfStudy,
      values,
    )
    return row ? { version: row.version, createdAt: row.created_at } : null
  }

  /** Releases that must be looked at though nothing happened to them. */
  async due(): Promise<{ id: ReleaseId; state: ReleaseState }[]> {
    const rows = await this.#database.all<{ kf_id: ReleaseId; state: ReleaseState }>(this.#reads.due, {
      limit: BATCH,
    })
    return rows.map((row) => ({ id: row.kf_id, state: row.state }))
  }

  async releaseOf(taskId: string): Promise<ReleaseId | null> {
    const [row] = await this.#database.all<{ release_id: ReleaseId }>(this.#tasks.releaseOf, { id: taskId })
    return row?.release_id ?? null
  }

  async listTasks(filter: TaskFilter, window: Window): Promise<Page<ListedTask>> {
    const rows = await this.#database.all<Row>(this.#tasks.list, { ...filter, ...window })
    const count = await this.#count(this.#tasks.count, { ...filter })
    return { count, results: rows.map(listedFromRow) }
  }

  countActive(): Promise<number> {
    return this.#count(this.#lists.countActive, {})
  }

  countWorking(): Promise<number> {
    return this.#count(this.#tasks.countWorking, {})
  }

  async countByState(): Promise<Map<string, number>> {
    const rows = await this.#database.all<{ state: string; count: number }>(this.#lists.countByState)
    return new Map(rows.map((row) => [row.state, row.count]))
  }

  async #page(
    queries: { list: Statement['query']; count: Statement['query'] },
    where: Readonly<Record<string, string | null>>,
    { limit, offset }: Window,
  ): Promise<Page<ReleaseRecord>> {
    const rows = await this.#database.all<{ kf_id: string }>(queries.list, { ...where, limit, offset })
    const records = await Promise.all(rows.map((row) => this.get(row.kf_id)))
    return {
      count: await this.#count(queries.count, where),
      results: records.filter((record) => record !== null),
    }
  }

  async #count(query: Statement['query'], where: Readonly<Record<string, string | null>>): Promise<number> {
    const [row] = await this.#database.all<{ count: number }>(query, where)
    return row?.count ?? 0
  }

  #recordStatements(before: ReleaseRecord | null, next: ReleaseRecord): Statement[] {
    const queries = this.#writes
    const values = releaseToRow(next)
    const own: Statement[] = before
      ? [{ query: queries.updateRelease, values: { ...values, was: before.revision }, expect: 1 }]
      : [
          { query: queries.bump, values: {}, expect: 1 },
          { query: queries.insertRelease, values, expect: 1 },
        ]
    const tasks = next.tasks.flatMap((task, place): Statement[] => {
      const was = before?.tasks[place]
      if (was === task) return []
      const query = was ? queries.updateTask : queries.insertTask
      const stored = { query, values: taskToRow(task, next.id, place), expect: 1 }
      // Only while the service is registered: one that is deleted this very moment must get no task.
      const held = { query: queries.holdService, values: { task_service_id: task.serviceId }, expect: 1 }
      return was ? [stored] : [held, stored]
    })
    return [...own, ...this.#studyStatements(before, next), ...tasks]
  }

  #studyStatements(before: ReleaseRecord | null, next: ReleaseRecord): Statement[] {
    if (before?.studies === next.studies) return []
    const { deleteStudies, insertStudy } = this.#writes
    const cleared: Statement[] = before ? [{ query: deleteStudies, values: { release_id: next.id } }] : []
    const inserted = next.studies.map((study_id, place) => ({
      query: insertStudy,
      values: { release_id: next.id, study_id, place },
    }))
    return [...cleared, ...inserted]
  }

  #effect({ id, now, next }: Change, effect: Recorded): Statement[] {
    switch (effect.type) {
      case 'event':
        return this.#event(id, now, effect)
      case 'send': {
        const values = {
          task_id: effect.taskId,
          release_id: id,
          action: effect.action,
          for_ms: effect.forMs,
          sequence: next?.revision ?? 0,
        }
        return [{ query: this.#actions.put, values }]
      }
      case 'told':
        return [{ query: this.#actions.told, values: { task_id: effect.taskId, action: effect.action } }]
      case 'tell_no_more':
        return [{ query: this.#actions.tellNoMore, values: { task_id: effect.taskId } }]
      case 'poll_from': {
        const values = { task_id: effect.taskId, release_id: id, interval_ms: this.#pollIntervalMs }
        return [{ query: this.#polls.from, values }]
      }
      case 'poll_no_more':
        return [{ query: this.#polls.noMore, values: { task_id: effect.taskId } }]
      case 'version':
        return [{ query: this.#writes.raiseVersion, values: { from: effect.from, to: effect.to }, expect: 1 }]
    }
  }

  #event(releaseId: ReleaseId, now: number, effect: Extract<Recorded, { type: 'event' }>): Statement[] {
    const values = {
      kf_id: newId('EV', this.#random),
      event_type: effect.eventType,
      message: effect.message,
      release_id: releaseId,
      task_service_id: effect.serviceId,
      task_id: effect.taskId,
      actor: effect.actor ?? null,
      created_at: now,
    }
    return [
      { query: this.#events.bump, values: {}, expect: 1 },
      { query: this.#events.insert, values, expect: 1 },
    ]
  }
}

function listedFromRow(row: Row): ListedTask {
  const value = <T>(column: string) => row[column] as T
  return {
    task: taskFromRow(row),
    releaseId: value('release_id'),
    release: { state: value('release_state'), since: value('release_since') },
  }
}
