import { CoordinatorError } from './errors.ts'
import type { Asked } from './execute.ts'
import type { NoteFields, NoteStore, ReleaseNote } from './note-store.ts'
import type { ReleaseStore } from './store.ts'
import type { StudyStore } from './study-store.ts'

const MOST_TRIES = 20

/** Why a note may not be as it was asked for. */
export interface NoteFault {
  readonly field: 'release' | 'study'
  /** `UNKNOWN`: there is none with this id. `FOREIGN`: the study is none of the release's. */
  readonly code: 'UNKNOWN' | 'FOREIGN'
  readonly message: string
}

export type Written =
  | { readonly kind: 'written'; readonly note: ReleaseNote }
  | { readonly kind: 'refused'; readonly faults: readonly NoteFault[] }

export interface NoteRooms {
  readonly notes: NoteStore
  readonly releases: ReleaseStore
  readonly studies: StudyStore
}

/** A new note on a release; about one of its studies or all of it (CR-34). */
export async function createNote(rooms: NoteRooms, fields: NoteFields, by: Asked | null): Promise<Written> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const faults = await faultsOf(rooms, fields)
    if (faults.length > 0) return { kind: 'refused', faults }
    const id = await rooms.notes.insert(fields, by)
    const note = id && (await rooms.notes.get(id))
    if (note) return { kind: 'written', note }
  }
  throw new CoordinatorError('ID_COLLISION', `No free id for a release note in ${MOST_TRIES} draws`)
}

/**
 * Changes what is given, and judges the note as it is then: also a note that only goes to another release may be about
 * none of the studies of that one.
 * @returns null where there is no such note
 */
export async function changeNote(
  rooms: NoteRooms,
  id: string,
  given: Partial<NoteFields>,
  by: Asked | null,
): Promise<Written | null> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const before = await rooms.notes.get(id)
    if (!before) return null
    const next = { ...before, ...given }
    const faults = await faultsOf(rooms, next)
    if (faults.length > 0) return { kind: 'refused', faults }
    // Not read again: what another one changes a moment later is not the answer to this request.
    if (await rooms.notes.update(before, next, by))
      return { kind: 'written', note: { ...next, revision: before.revision + 1 } }
  }
  throw new Error(`Release note ${id} changed ${MOST_TRIES} times while it was being changed`)
}

async function faultsOf(rooms: NoteRooms, { releaseId, studyId }: NoteFields): Promise<NoteFault[]> {
  const [release, study] = await Promise.all([
    rooms.releases.get(releaseId),
    studyId === null ? null : rooms.studies.get(studyId),
  ])
  const faults: NoteFault[] = []
  if (!release)
    faults.push({ field: 'release', code: 'UNKNOWN', message: `There is no release ${releaseId}.` })
  if (studyId === null) return faults
  if (!study) faults.push({ field: 'study', code: 'UNKNOWN', message: `There is no study ${studyId}.` })
  else if (release && !release.studies.includes(studyId)) {
    const message = `Study ${studyId} is not a study of release ${releaseId}.`
    faults.push({ field: 'study', code: 'FOREIGN', message })
  }
  return faults
}
