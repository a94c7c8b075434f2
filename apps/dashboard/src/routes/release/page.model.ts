import type { Note, Release, Task } from '../../api-types.ts'
import type { Hindrance } from '../../permissions.ts'
import { isFinal } from '../../states.ts'

/** What a dialog says before something is done that cannot be taken back. */
export interface Consequences {
  readonly title: string
  readonly points: readonly string[]
  readonly confirm: string
}

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

function list(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}

const servicesOf = (tasks: readonly Task[]) =>
  list(tasks.map(({ service_name, kf_id }) => service_name || kf_id))

/** Why a release may not be published now, by its state; null: it may. Pure. */
export function publishHindrance({ state }: Pick<Release, 'state'>): Hindrance {
  if (state === 'staged') return null
  if (state === 'published') return 'It is published already.'
  if (state === 'publishing') return 'It is being published.'
  if (isFinal(state) || state === 'canceling') return 'It was stopped. Make a new release.'
  return 'Not every service has reported staged yet.'
}

/** Why a release may not be canceled now, by its state; null: it may. Pure. */
export function cancelHindrance({ state }: Pick<Release, 'state'>): Hindrance {
  if (state === 'canceling') return 'It is being stopped.'
  if (state === 'published') return 'It is published, and what is public stays public.'
  return isFinal(state) ? 'It has ended.' : null
}

/** What publishing will do. Pure. @param who as whom the person acts */
export function publishConsequences(
  release: Release,
  studyNames: readonly string[],
  who: string,
): Consequences {
  const part = release.is_major ? 'major' : 'minor'
  return {
    title: `Publish ${release.name}?`,
    points: [
      `The data of ${plural(release.studies.length, 'study', 'studies')} becomes public: ${list(studyNames)}.`,
      release.tasks.length === 0
        ? 'No service takes part: nothing is made public but the version.'
        : `${plural(release.tasks.length, 'service')} will publish: ${servicesOf(release.tasks)}.`,
      `The version ${release.version} is raised to the next ${part} version once all have published.`,
      `You do this as ${who}; it is recorded. What is public cannot be taken back from here.`,
    ],
    confirm: 'Publish',
  }
}

/** What canceling will do. Pure. @param who as whom the person acts */
export function cancelConsequences(release: Release, who: string): Consequences {
  const published = release.tasks.filter(({ state }) => state === 'published')
  const thrown = release.tasks.filter(({ state }) => !isFinal(state))
  return {
    title: `Cancel ${release.name}?`,
    points: [
      thrown.length === 0
        ? 'No service has anything to throw away.'
        : `${plural(thrown.length, 'service')} will throw away what was prepared: ${servicesOf(thrown)}.`,
      ...(published.length === 0 ? [] : [`What is public already stays public: ${servicesOf(published)}.`]),
      ...(release.state === 'publishing'
        ? ['The release is going out now: some of it may be public in a moment.']
        : []),
      `You do this as ${who}; it is recorded. A canceled release does not go on: make a new one.`,
    ],
    confirm: 'Cancel the release',
  }
}

/** How it stands with a release that has ended; null: it has not. Pure. */
export function endSentence({ state, version }: Pick<Release, 'state' | 'version'>): string | null {
  if (state === 'published') return `Published: its data is public as version ${version}.`
  if (state === 'failed')
    return 'Failed, and stopped: see below why. To go on, mend the cause and make a new release.'
  if (state === 'canceled') return 'Canceled: nothing more will happen. To go on, make a new release.'
  return null
}

/** Notes of one study, or of the whole release. */
export interface NoteGroup {
  readonly study: string | null
  readonly notes: readonly Note[]
}

/** Notes in the order of the release's studies, the whole release first. Pure. */
export function noteGroups(
  release: Pick<Release, 'studies' | 'notes'>,
  idOf: (link: string) => string,
): NoteGroup[] {
  const of = (study: string | null) =>
    release.notes.filter((note) => (note.study && idOf(note.study)) === study)
  return [null, ...release.studies].map((study) => ({ study, notes: of(study) }))
}

/** How often an open release is read again: progress is told by no event. Pure. */
export function refetchMs(release: Pick<Release, 'state' | 'tasks'> | undefined): number | false {
  if (release === undefined || isFinal(release.state)) return false
  if (release.tasks.length > 200) return 5000
  return release.state === 'staged' ? 10_000 : 2000
}
