import { DEADLINE_NAMES, type DeadlineName, type TaskService } from '../../api-types.ts'

/** A task service as it is filled in; an empty deadline means that the coordinator's setting counts. */
export interface ServiceDraft {
  readonly name: string
  readonly description: string
  readonly author: string
  readonly url: string
  readonly deadlines: { readonly [name in DeadlineName]: string }
}

const NO_DEADLINES = { accept: '', silence: '', total: '' } as const

export const EMPTY_SERVICE: ServiceDraft = {
  name: '',
  description: '',
  author: '',
  url: '',
  deadlines: NO_DEADLINES,
}

export const DEADLINE_MEANING: { readonly [name in DeadlineName]: string } = {
  accept: 'How long an action waits until the service takes it',
  silence: 'How long a working task may say nothing',
  total: 'How long preparing, or publishing, may take in all',
}

/** The form of a service that is registered. Pure. */
export function draftOf(service: TaskService): ServiceDraft {
  const { name, description, author, url, deadlines } = service
  const texts = DEADLINE_NAMES.map((one) => [one, deadlines?.[one] ?? ''])
  return { name, description, author, url, deadlines: { ...NO_DEADLINES, ...Object.fromEntries(texts) } }
}

/** What has changed, as the body of a PATCH: an address that is the same is not called again. Pure. */
export function changesIn(before: ServiceDraft, after: ServiceDraft): Record<string, unknown> {
  const names = ['name', 'description', 'author', 'url'] as const
  const texts = names
    .filter((name) => before[name] !== after[name].trim())
    .map((name) => [name, after[name].trim()])
  const deadlines = DEADLINE_NAMES.filter((name) => before.deadlines[name] !== after.deadlines[name].trim())
  const given = deadlines.map((name) => [name, after.deadlines[name].trim() || null])
  return {
    ...Object.fromEntries(texts),
    ...(given.length > 0 ? { deadlines: Object.fromEntries(given) } : {}),
  }
}

/** What is still missing. Pure. */
export function missingIn({ name, description, author, url, deadlines }: ServiceDraft): string | null {
  if ([name, description, author, url].some((text) => text.trim() === ''))
    return 'Name, description, author and address are needed.'
  if (!/^https?:\/\//.test(url.trim())) return 'The address begins with http:// or https://.'
  const wrong = DEADLINE_NAMES.find((one) => !/^(\d+(ms|s|m|h|d))?$/.test(deadlines[one].trim()))
  return wrong === undefined ? null : `The deadline ${wrong} is written such as 30s, 10m or 1h.`
}
