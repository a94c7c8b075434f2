import { count, summaryWords } from '../dev/text.ts'
import { furtherAttempt, saysOf, troubleOf } from './changes.ts'
import { idIn, type Page, type Release, type Service, type Task } from './documents.ts'
import { waitingWords } from './sentences.ts'
import { more, shortTime, table } from './table.ts'

/** `releases list`. */
export function releaseTable({ count, results }: Page<Release>): string[] {
  if (results.length === 0) return ['No releases.']
  const rows = results.map((one) => [
    one.kf_id,
    one.state,
    one.version,
    shortTime(one.created_at),
    one.author,
    one.name,
  ])
  return [
    ...table(['ID', 'STATE', 'VERSION', 'CREATED', 'AUTHOR', 'NAME'], rows),
    ...more(rows.length, count),
  ]
}

/** `tasks list`. */
export function taskTable({ count, results }: Page<Task>): string[] {
  if (results.length === 0) return ['No tasks.']
  const rows = results.map((one) => [
    one.kf_id,
    idIn(one.release),
    one.state,
    `${one.progress}%`,
    one.service_name,
    saysOf(one),
  ])
  const heads = ['ID', 'RELEASE', 'STATE', 'PROGRESS', 'SERVICE', 'SAYS']
  return [...table(heads, rows), ...more(rows.length, count)]
}

/** `services list`. */
export function serviceTable({ results }: Page<Service>): string[] {
  if (results.length === 0) return ['No task services. Next: release-task services register --help']
  const rows = results.map((one) => [
    one.kf_id,
    one.enabled ? 'enabled' : 'disabled',
    one.health_status,
    one.version ?? '-',
    one.name,
    one.url,
  ])
  return table(['ID', 'TASKS', 'HEALTH', 'VERSION', 'NAME', 'URL'], rows)
}

/** `releases show`. */
export function releaseText(release: Release): string[] {
  const { kf_id, name, state, version, description, author, created_at, tags, is_major } = release
  return [
    `${kf_id} ${JSON.stringify(name)} is ${state}, version ${version}${is_major ? ', a major one' : ''}`,
    ...(description === '' ? [] : [`  ${description}`]),
    `  by ${author}, ${shortTime(created_at)}${tags.length === 0 ? '' : `, tags ${tags.join(', ')}`}`,
    `  studies ${studyWords(release.studies)}`,
    ...(release.reason === null ? [] : [`  reason: ${release.reason}`]),
    ...(release.partially_published.length === 0
      ? []
      : [`  public although it was stopped: ${release.partially_published.join(', ')}`]),
    ...(release.waiting_for === null ? [] : [`  it ${waitingWords(release.waiting_for)}`]),
    ...taskLines(release.tasks),
  ]
}

const MOST_STUDIES = 8

function studyWords(studies: readonly string[]): string {
  const left = studies.length - MOST_STUDIES
  return studies.slice(0, MOST_STUDIES).join(', ') + (left > 0 ? `, and ${count(left)} more` : '')
}

function taskLines(tasks: readonly Task[]): string[] {
  if (tasks.length === 0) return []
  const rows = tasks.map((task) => [
    task.kf_id,
    task.state,
    `${task.progress}%`,
    task.service_name,
    saysOf(task),
  ])
  return table(['TASK', 'STATE', 'PROGRESS', 'SERVICE', 'SAYS'], rows).map((line) => `  ${line}`)
}

/** `tasks show`. */
export function taskText(task: Task): string[] {
  const trouble = troubleOf(task)
  return [
    [`${task.kf_id} of ${task.service_name} is ${task.state}`, `${task.progress}%`, furtherAttempt(task)]
      .filter((part) => part !== '')
      .join(', '),
    `  release ${idIn(task.release)}, service ${idIn(task.task_service)}, created ${shortTime(task.created_at)}`,
    ...(task.message === null ? [] : [`  says: ${task.message}`]),
    ...(task.summary === null ? [] : [`  summary: ${summaryWords(task.summary)}`]),
    ...(task.waiting_for === null ? [] : [`  it ${waitingWords(task.waiting_for)}`]),
    ...(trouble === null ? [] : [`  last error: ${trouble}`]),
  ]
}

/** What `publish` asks about: what becomes public, by the summaries of the tasks. */
export function publicationText({ kf_id, name, studies, tasks }: Release): string[] {
  return [
    `${kf_id} ${JSON.stringify(name)}, ${count(studies.length)} ${studies.length === 1 ? 'study' : 'studies'}. This becomes public:`,
    ...tasks.map(
      ({ service_name, summary }) =>
        `  ${service_name}: ${(summary && summaryWords(summary)) || 'it does not say what it has staged'}`,
    ),
    ...(tasks.length === 0 ? ['  nothing: no task service took part'] : []),
  ]
}

/** What `cancel` asks about. */
export function cancellationText({ kf_id, name, state, tasks }: Release): string[] {
  const isPublic = tasks.filter((task) => task.state === 'published').map((task) => task.service_name)
  return [
    `${kf_id} ${JSON.stringify(name)} is ${state}. What its tasks have prepared is thrown away.`,
    ...(isPublic.length === 0 ? [] : [`  Already public, and stays so: ${isPublic.join(', ')}`]),
  ]
}
