/** Identifiers of the release process (ID-1 to ID-4 of docs/protocol.md). */

export type TaskId = `TA_${string}`
export type ReleaseId = `RE_${string}`
export type TaskServiceId = `TS_${string}`
export type StudyId = `SD_${string}`
export type EventId = `EV_${string}`
export type ReleaseNoteId = `RN_${string}`

export interface IdByPrefix {
  TA: TaskId
  RE: ReleaseId
  TS: TaskServiceId
  SD: StudyId
  EV: EventId
  RN: ReleaseNoteId
}
export type IdPrefix = keyof IdByPrefix

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const RANDOM_CHARS = 8
export const ID_LENGTH = 11

/** A source of numbers in [0, 1), such as `Math.random`; an argument so that tests can repeat a run. */
export type Random = () => number

/** A new identifier: the prefix and eight characters of Crockford base 32 (no I, L, O, U). */
export function newId<P extends IdPrefix>(prefix: P, random: Random): IdByPrefix[P] {
  let text = ''
  for (let i = 0; i < RANDOM_CHARS; i++) text += ALPHABET[Math.floor(random() * ALPHABET.length)]
  return `${prefix}_${text}` as IdByPrefix[P]
}

/**
 * Whether `value` has the form of an id. The alphabet is not checked: existing data has letters outside it. But every
 * database must be able to give it back as it came: no NUL, no half of a surrogate pair.
 */
export function isId<P extends IdPrefix>(prefix: P, value: unknown): value is IdByPrefix[P] {
  if (typeof value !== 'string' || value.length !== ID_LENGTH || !value.startsWith(`${prefix}_`)) return false
  return !value.includes('\0') && value.isWellFormed()
}
