import type { Database, Statement } from '@release-task/database'
import { newId, type ReleaseId, type ReleaseNoteId, type StudyId } from '@release-task/protocol'
import { AuditStore } from './audit-store.ts'
import type { Asked } from './execute.ts'
import { noteReads, noteWrites, RELEASE_PLACES } from './note-queries.ts'
import type { Row } from './row.ts'
import type { Page, Window } from './store.ts'

/** What somebody wrote about a release, or about one of its studies. */
export interface ReleaseNote {
  readonly id: ReleaseNoteId
  readonly revision: number
  readonly description: string
  readonly author: string
  readonly releaseId: ReleaseId
  /** A study of the release; null: it is about all of it. */
  readonly studyId: StudyId | null
  readonly createdAt: number
}

export type NoteFields = Pick<ReleaseNote, 'description' | 'author' | 'releaseId' | 'studyId'>

export interface NoteFilter {
  readonly author: string | null
  readonly release: string | null
  readonly study: string | null
}

/** The notes on releases. It refuses what is not true of the release in the same commit, and does not say why. */
export class NoteStore {
  readonly #database: Database
  readonly #reads: ReturnType<typeof noteReads>
  readonly #writes: ReturnType<typeof noteWrites>
  readonly #audit: AuditStore
  readonly #random: () => number

  constructor(database: Database, random: () => number) {
    this.#database = database
    this.#reads = noteReads(database)
    this.#writes = noteWrites(database)
    this.#audit = new AuditStore(database)
    this.#random = random
  }

  async get(id: string): Promise<ReleaseNote | null> {
    const [row] = await this.#database.all<Row>(this.#reads.get, { id })
    return row ? noteFromRow(row) : null
  }

  /** Newest first. */
  async list(filter: NoteFilter, window: Window): Promise<Page<ReleaseNote>> {
    const rows = await this.#database.all<Row>(this.#reads.list, { ...filter, ...window })
    const [total] = await this.#database.all<{ count: number }>(this.#reads.count, { ...filter })
    return { count: total?.count ?? 0, results: rows.map(noteFromRow) }
  }

  /** The notes of each release, newest first: one query for fifty releases. A release without notes is not in it. */
  async ofReleases(ids: readonly ReleaseId[]): Promise<Map<ReleaseId, ReleaseNote[]>> {
    const places = RELEASE_PLACES.length
    const groups = Array.from({ length: Math.ceil(ids.length / places) }, (_, index) =>
      ids.slice(index * places, (index + 1) * places),
    )
    const rows = await Promise.all(
      groups.map((group) => {
        const values = Object.fromEntries(RELEASE_PLACES.map((name, index) => [name, group[index] ?? '']))
        return this.#database.all<Row>(this.#reads.ofReleases, values)
      }),
    )
    return Map.groupBy(rows.flat().map(noteFromRow), (note) => note.releaseId)
  }

  /** @returns the new id; null where the release is not there, the study is none of its, or the id is taken */
  async insert(fields: NoteFields, by: Asked | null = null): Promise<ReleaseNoteId | null> {
    const id = newId('RN', this.#random)
    const result = await this.#database.commit([
      ...this.#holds(fields),
      { query: this.#writes.bump, values: {}, expect: 1 },
      { query: this.#writes.insert, values: { ...toRow(fields), id }, expect: 1 },
      ...this.#audited(id, by),
    ])
    return result === 'committed' ? id : null
  }

  /** @returns false where the note is another by now, or the study is none of the release's */
  async update(before: ReleaseNote, fields: NoteFields, by: Asked | null = null): Promise<boolean> {
    const values = { ...toRow(fields), id: before.id, was: before.revision }
    const result = await this.#database.commit([
      ...this.#holds(fields),
      { query: this.#writes.update, values, expect: 1 },
      ...this.#audited(before.id, by),
    ])
    return result === 'committed'
  }

  /** @returns false where it is gone already */
  async remove(id: string, by: Asked | null = null): Promise<boolean> {
    const result = await this.#database.commit([
      { query: this.#writes.remove, values: { id }, expect: 1 },
      ...this.#audited(id, by),
    ])
    return result === 'committed'
  }

  #holds({ releaseId, studyId }: NoteFields): Statement[] {
    const values = { release_id: releaseId }
    const release = { query: this.#writes.holdRelease, values, expect: 1 }
    if (studyId === null) return [release]
    return [release, { query: this.#writes.holdStudy, values: { ...values, study_id: studyId }, expect: 1 }]
  }

  /** In the commit of the change: who asked for it. */
  #audited(subject: string, by: Asked | null): Statement[] {
    if (!by?.audit) return []
    return this.#audit.statements({ ...by.audit, actor: by.actor, subject })
  }
}

function toRow({ description, author, releaseId, studyId }: NoteFields) {
  return { description, author, release_id: releaseId, study_id: studyId }
}

export function noteFromRow(row: Row): ReleaseNote {
  return {
    id: row['kf_id'] as ReleaseNoteId,
    revision: row['revision'] as number,
    description: row['description'] as string,
    author: row['author'] as string,
    releaseId: row['release_id'] as ReleaseId,
    studyId: row['study_id'] as StudyId | null,
    createdAt: row['created_at'] as number,
  }
}
