import { troubleOf } from './changes.ts'
import type { Release, Task, Waiting } from './documents.ts'

/** What a task service itself says of a task, or why it could not be asked from here. */
export type ServiceWord =
  | { readonly waiting_for: Waiting | null; readonly last_error: string | null }
  | { readonly unreachable: string }

/** One task that holds its release up. */
export interface Reason {
  readonly kf_id: string
  readonly service_name: string
  readonly state: string
  readonly sentence: string
  readonly last_error: string | null
  /** Null: not asked, or it does not tell. */
  readonly service: ServiceWord | null
}

/** Tasks that a release waits for, or that ended it. */
export function holdingUp(release: Release): Task[] {
  return release.tasks.filter(
    ({ state, waiting_for }) =>
      state === 'failed' ||
      state === 'rejected' ||
      (waiting_for !== null && waiting_for.whom !== 'coordinator'),
  )
}

/** Why a release is where it is, in one sentence. */
export function releaseSentence(release: Release): string {
  const { kf_id, name, state, reason, waiting_for } = release
  const begin = `${kf_id} ${JSON.stringify(name)} is ${state}`
  if (waiting_for !== null) return `${begin}${because(reason)}: it ${waitingWords(waiting_for)}.`
  if (reason !== null) return `${begin}${because(reason)}.`
  return state === 'published'
    ? `${begin}, as version ${release.version}; it waits for nothing.`
    : `${begin}; it waits for nothing.`
}

const because = (reason: string | null): string => (reason === null ? '' : ` because of this: ${reason}`)

/** What a task waits for, in one sentence. */
export function taskSentence(task: Task): string {
  const begin = `${task.service_name} (${task.kf_id}) is ${task.state}`
  if (task.waiting_for !== null) return `${begin}${progressOf(task)}: it ${waitingWords(task.waiting_for)}.`
  return `${begin}${progressOf(task)}.`
}

const progressOf = ({ state, progress }: Task): string =>
  state === 'running' || state === 'publishing' ? ` at ${progress}%` : ''

/** `waits for the service to answer start, attempt 3, since …, tried again …, given up …`. */
export function waitingWords({ what, attempt, since, next_try, gives_up_at }: Waiting): string {
  const parts = [
    what,
    attempt === null || attempt < 2 || what.includes('attempt') ? null : `attempt ${attempt}`,
    `since ${clock(since)}`,
    next_try === null ? null : `next try ${clock(next_try)}`,
    gives_up_at === null ? null : `gives up ${clock(gives_up_at)}`,
  ]
  return parts.filter((part) => part !== null).join(', ')
}

const clock = (iso: string): string => iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/, '$1 $2Z')

export function reasonOf(task: Task, service: ServiceWord | null): Reason {
  const { kf_id, service_name, state } = task
  return { kf_id, service_name, state, sentence: taskSentence(task), last_error: troubleOf(task), service }
}

/** The lines of one reason: the sentence, what its service says, and the last error once. */
export function reasonLines({ sentence, last_error, service }: Reason): string[] {
  const own = service !== null && 'unreachable' in service ? null : service
  const unreachable = service !== null && 'unreachable' in service ? service.unreachable : null
  const error = own?.last_error ?? last_error
  return [
    `  ${sentence}`,
    ...(own?.waiting_for ? [`    its service says: ${waitingWords(own.waiting_for)}`] : []),
    ...(unreachable === null ? [] : [`    ${unreachable}`]),
    ...(error === null ? [] : [`    last error: ${error}`]),
  ]
}
