import type { CommitResult, Database, Statement } from '@release-task/database'
import { newId, type ReleaseId, type ReleaseState, type StudyId, type TaskId } from '@release-task/protocol'
import type { Effect } from './decision.ts'
import { actionQueries, eventQueries, releaseQueries, taskQueries } from './queries.ts'
import type { CoordinatorTask, ReleaseRecord } from './record.ts'
import { releaseFromRow, releaseToRow, taskFromRow, taskToRow, type Row } from './row.ts'

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
  readonly effects: readonly Effect[]
  readonly now: number
}

export interface Page<T> {
  readonly count: number
  readonly results: readonly T[]
}

export interface Window {
  readonly limit: number
  readonly offset: number
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
}

/**
 * Releases with their tasks. It knows SQL and no rules: a change is stored only if the release is still the one
 * that it was decided on, tasks included.
 */
export class ReleaseStore {
  readonly #database: Database
  readonly #releases: ReturnType<typeof releaseQueries>
  readonly #tasks: ReturnType<typeof taskQueries>
  readonly #events: ReturnType<typeof eventQueries>
  readonly #actions: ReturnType<typeof actionQueries>
  readonly #random: () => number
  readonly #pollIntervalMs: number

  constructor(
    database: Database,
    { random, pollIntervalMs }: { random: () => number; pollIntervalMs: number },
  ) {
    this.#database = database
    this.#releases = releaseQueries(database)
    this.#tasks = taskQueries(database)
    this.#events = eventQueries(database)
    this.#actions = actionQueries(database)
    this.#random = random
    // With polling switched off the endpoint still asks; then the next time lies far away.
    this.#pollIntervalMs = pollIntervalMs || 365 * 24 * 60 * 60 * 1000
  }

  async load(id: string): Promise<Loaded> {
    const [[moment], record] = await Promise.all([
      this.#database.all<{ latest_version: string; now: number }>(this.#releases.moment),
      this.get(id),
    ])
    return { record, now: moment?.now ?? 0, latestVersion: moment?.latest_version ?? '' }
  }

  async get(id: string): Promise<ReleaseRecord | null> {
    const { release, studies, tasks } = this.#releases
    const [row] = await this.#database.all<Row>(release, { id })
    if (!row) return null
    const parts = await Promise.all([
      this.#database.all<Row>(studies, { id }),
      this.#database.all<Row>(tasks, { id }),
    ])
    return releaseFromRow(row, ...parts)
  }

  /** All of the change or nothing. `conflict`: the release is another by now; load and decide again. */
  commit(change: Change): Promise<CommitResult> {
    const { before, next } = change
    const record = next ? this.#recordStatements(before, next) : []
    return this.#database.commit([
      ...record,
      ...change.effects.flatMap((effect) => this.#effect(change, effect)),
    ])
  }

  async list(state: string | null, window: Window): Promise<Page<ReleaseRecord>> {
    return this.#page({ list: this.#releases.list, count: this.#releases.count }, { state }, window)
  }

  async listOfStudy(studyId: string, window: Window): Promise<Page<ReleaseRecord>> {
    const { listOfStudy: list, countOfStudy: count } = this.#releases
    return this.#page({ list, count }, { study_id: studyId }, window)
  }

  /** Releases over any of the studies that have not ended. */
  async underWay(studies: readonly StudyId[]): Promise<ReleaseId[]> {
    const found = await Promise.all(
      studies.map((study_id) =>
        this.#database.all<{ kf_id: ReleaseId }>(this.#releases.underWay, { study_id }),
      ),
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
      this.#releases.newestOfStudy,
      values,
    )
    return row ? { version: row.version, createdAt: row.created_at } : null
  }

  /** Releases that must be looked at though nothing happened to them. */
  async due(): Promise<{ id: ReleaseId; state: ReleaseState }[]> {
    const rows = await this.#database.all<{ kf_id: ReleaseId; state: ReleaseState }>(this.#releases.due, {
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
    const results = rows.map((row) => ({ task: taskFromRow(row), releaseId: row['release_id'] as ReleaseId }))
    return { count, results }
  }

  countActive(): Promise<number> {
    return this.#count(this.#releases.countActive, {})
  }

  countWorking(): Promise<number> {
    return this.#count(this.#tasks.countWorking, {})
  }

  async countByState(): Promise<Map<string, number>> {
    const rows = await this.#database.all<{ state: string; count: number }>(this.#releases.countByState)
    return new Map(rows.map((row) => [row.state, row.count]))
  }

  /** Tasks to be asked now, claimed for this process; `everybody`: also those whose time has not come. */
  async claimPolls(everybody = false): Promise<{ taskId: TaskId; releaseId: ReleaseId; now: number }[]> {
    const query = everybody ? this.#tasks.allPolls : this.#tasks.pollsDue
    const rows = await this.#database.all<{
      task_id: TaskId
      release_id: ReleaseId
      due_at: number
      now: number
    }>(query, everybody ? {} : { limit: BATCH })
    const claimed = await Promise.all(rows.map((row) => this.#claimPoll(row)))
    return rows
      .filter((_, index) => claimed[index])
      .map((row) => ({ taskId: row.task_id, releaseId: row.release_id, now: row.now }))
  }

  async #claimPoll(row: { task_id: TaskId; due_at: number }): Promise<boolean> {
    const values = { task_id: row.task_id, was: row.due_at, interval_ms: this.#pollIntervalMs }
    return (
      (await this.#database.commit([{ query: this.#tasks.claimPoll, values, expect: 1 }])) === 'committed'
    )
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
    const queries = this.#releases
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
      return [{ query, values: taskToRow(task, next.id, place), expect: 1 }]
    })
    return [...own, ...this.#studyStatements(before, next), ...tasks]
  }

  #studyStatements(before: ReleaseRecord | null, next: ReleaseRecord): Statement[] {
    if (before?.studies === next.studies) return []
    const { deleteStudies, insertStudy } = this.#releases
    const cleared: Statement[] = before ? [{ query: deleteStudies, values: { release_id: next.id } }] : []
    const inserted = next.studies.map((study_id, place) => ({
      query: insertStudy,
      values: { release_id: next.id, study_id, place },
    }))
    return [...cleared, ...inserted]
  }

  #effect({ id, now, next }: Change, effect: Effect): Statement[] {
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
      case 'poll_from': {
        const values = { task_id: effect.taskId, release_id: id, interval_ms: this.#pollIntervalMs }
        return [{ query: this.#tasks.pollFrom, values }]
      }
      case 'poll_no_more':
        return [{ query: this.#tasks.pollNoMore, values: { task_id: effect.taskId } }]
      case 'version':
        return [
          { query: this.#releases.raiseVersion, values: { from: effect.from, to: effect.to }, expect: 1 },
        ]
    }
  }

  #event(releaseId: ReleaseId, now: number, effect: Extract<Effect, { type: 'event' }>): Statement[] {
    const values = {
      kf_id: newId('EV', this.#random),
      event_type: effect.eventType,
      message: effect.message,
      release_id: releaseId,
      task_service_id: effect.serviceId,
      task_id: effect.taskId,
      created_at: now,
    }
    return [
      { query: this.#events.bump, values: {}, expect: 1 },
      { query: this.#events.insert, values },
    ]
  }
}
