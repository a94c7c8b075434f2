import { summaryWords } from '../dev/text.ts'
import type { Release, Task } from './documents.ts'

/** One thing that is different from the look before; the shape of a line of `watch --json`. */
export interface Change {
  readonly at: string
  /** `notice`: a warning or an error that the coordinator wrote down, or a trouble on the way to it. */
  readonly kind: 'release' | 'task' | 'notice'
  readonly id: string
  readonly service_name: string | null
  readonly state: string | null
  readonly progress: number | null
  /** How often the service has begun the present phase; null: it does not say. */
  readonly attempt: number | null
  readonly message: string | null
  /** Where it is new: an error is told once. */
  readonly last_error: string | null
  /** What a task has staged, in its own words; null for everything else. */
  readonly summary: Readonly<Record<string, unknown>> | null
}

/** What differs between two looks; against no look at all, everything. */
export function changesBetween(before: Release | null, after: Release, at: string): Change[] {
  const tasks = after.tasks.flatMap((task) => taskChange(before, task, at))
  const isSame = before?.state === after.state && before.reason === after.reason
  return isSame ? tasks : inOrder(releaseChange(after, at), tasks, before === null)
}

/** First what a task did, then what became of the release by it; at the first look the release comes first. */
function inOrder(release: Change, tasks: readonly Change[], first: boolean): Change[] {
  return first ? [release, ...tasks] : [...tasks, release]
}

function releaseChange(release: Release, at: string): Change {
  const base = { at, kind: 'release', id: release.kf_id, service_name: null } as const
  return {
    ...base,
    state: release.state,
    progress: null,
    attempt: null,
    message: release.reason,
    last_error: null,
    summary: null,
  }
}

function taskChange(before: Release | null, task: Task, at: string): Change[] {
  const old = before?.tasks.find(({ kf_id }) => kf_id === task.kf_id)
  if (old && shownOf(old) === shownOf(task)) return []
  const { kf_id: id, service_name, state, progress, attempt, message } = task
  const trouble = troubleOf(task)
  const last_error = old && troubleOf(old) === trouble ? null : trouble
  const summary = state === 'staged' ? task.summary : null
  return [{ at, kind: 'task', id, service_name, state, progress, attempt, message, last_error, summary }]
}

/** A line for each tenth is enough; what a task says of its work changes with every row. */
const shownOf = (task: Task): string =>
  `${task.state} ${Math.floor(task.progress / 10)} ${furtherAttempt(task)}${troubleOf(task) ?? ''}`

/** The last error of a task that has not ended well. */
export function troubleOf({ state, last_error, waiting_for }: Task): string | null {
  return state === 'published' ? null : (last_error ?? waiting_for?.last_error ?? null)
}

/** `attempt 2`, where it is not the first; the first is what everybody expects. */
export function furtherAttempt({ attempt, state }: Pick<Change, 'attempt' | 'state'>): string {
  return attempt === null || attempt < 2 || state === 'published' ? '' : `attempt ${attempt}`
}

/** What a task says, in one line: which attempt that is, its trouble or its message. */
export function saysOf(task: Task): string {
  const words = [furtherAttempt(task), troubleOf(task) ?? task.message ?? stagedWords(task.summary)]
  return words.filter((one) => one !== '').join(': ')
}

const stagedWords = (summary: Change['summary']): string => (summary ? summaryWords(summary) : '')

/** A change as one plain line. */
export function changeLine(change: Change): string {
  const { at, kind, id, service_name, message } = change
  const time = at.slice(11, 19)
  if (kind === 'notice') return `${time}Z ${id} ${message}`
  const name = service_name === null ? id : `${id} ${service_name}`
  const says = saysOfChange(change)
  return `${time}Z ${name} ${standingOf(change)}${says === '' ? '' : `: ${says}`}`
}

function standingOf(change: Change): string {
  const { state, progress } = change
  const works = state === 'running' || state === 'publishing'
  const attempt = furtherAttempt(change)
  return `${state}${progress !== null && works ? ` ${progress}%` : ''}${attempt === '' ? '' : `, ${attempt}`}`
}

function saysOfChange({ message, last_error, summary }: Change): string {
  const says = message ?? stagedWords(summary)
  if (last_error === null || says.includes(last_error)) return says
  return says === '' ? last_error : `${says}; last error: ${last_error}`
}
