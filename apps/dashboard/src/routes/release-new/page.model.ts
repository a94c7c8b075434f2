import type { Study, TaskService } from '../../api-types.ts'

/** A release as it is filled in. */
export interface Draft {
  readonly name: string
  readonly description: string
  readonly studies: readonly string[]
  readonly isMajor: boolean
}

export const EMPTY_DRAFT: Draft = { name: '', description: '', studies: [], isMajor: false }

const MOST_SHOWN = 50

/** Studies whose name or id has the text in it; deleted ones are no choice. Pure. */
export function findStudies(studies: readonly Study[], text: string) {
  const part = text.trim().toLocaleLowerCase()
  const found = studies.filter(
    ({ kf_id, name, deleted }) => !deleted && `${name} ${kf_id}`.toLocaleLowerCase().includes(part),
  )
  return { shown: found.slice(0, MOST_SHOWN), more: Math.max(0, found.length - MOST_SHOWN) }
}

/** Chooses a study, or lets it go. Pure. */
export function toggled(chosen: readonly string[], id: string): string[] {
  return chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]
}

/** Which services will get a task, and which will not. Pure. */
export function takingPart(services: readonly TaskService[]) {
  return {
    taking: services.filter(({ enabled }) => enabled),
    not: services.filter(({ enabled }) => !enabled),
  }
}

/** What a person should know of the services before the release begins. Null: nothing. Pure. */
export function servicesWarning(services: readonly TaskService[]): string | null {
  const { taking } = takingPart(services)
  if (taking.length === 0)
    return 'No task service is enabled: the release would have nothing to prepare and nothing to publish.'
  const down = taking.filter(({ health_status }) => health_status === 'down').map(({ name }) => name)
  if (down.length === 0) return null
  return `${down.join(', ')} ${down.length === 1 ? 'does' : 'do'} not answer: the release would wait for ${down.length === 1 ? 'it' : 'them'}, and be stopped when a deadline ends.`
}

/** What is still missing, in the order of the form. Pure. */
export function missingIn({ name, studies }: Draft): string | null {
  if (name.trim() === '') return 'Give it a name.'
  return studies.length === 0 ? 'Choose at least one study.' : null
}

/** The body of the request. Pure. */
export function bodyOf({ name, description, studies, isMajor }: Draft) {
  return { name: name.trim(), description, studies, is_major: isMajor }
}
