import type { Policy } from '../decision.ts'
import type { ReleaseEvent } from '../event-store.ts'
import type { ReleaseNote } from '../note-store.ts'
import type { OutboxRow } from '../outbox.ts'
import type { CoordinatorTask, ReleaseRecord } from '../record.ts'
import type { ListedTask } from '../store.ts'
import type { Study } from '../study-store.ts'
import { isDown, type TaskService } from '../task-service-store.ts'
import { releaseWaitingFor, shownDeadlines, taskWaitingFor } from '../waiting.ts'
import { deadlinesView, deadlineTexts } from './deadlines.ts'
import { datetime, datetimeOfText, type Links } from './links.ts'

/** Names of services by their id, for the tasks of a release. */
export type ServiceNames = ReadonlyMap<string, string>

/** What every object of one answer is shown by. */
export interface ViewNow {
  readonly names: ServiceNames
  /** The settings that deadlines come from where a service has none of its own. */
  readonly policy: Policy
  /** Epoch ms by the database's clock: time left counts from here. */
  readonly now: number
}

export interface ViewContext extends ViewNow {
  readonly links: Links
}

/** A task in the contract's own fields and order, then ours (CR-23). */
export function taskView(
  { task, releaseId, release }: ListedTask,
  context: ViewContext & { readonly row: OutboxRow | null },
) {
  const { links, names } = context
  return {
    kf_id: task.id,
    state: task.state,
    progress: task.progress,
    release: links.to('releases', releaseId),
    task_service: links.to('task-services', task.serviceId),
    created_at: datetime(task.createdAt),
    service_name: names.get(task.serviceId) ?? '',
    message: task.message,
    summary: task.summary,
    attempt: task.attempt,
    last_error: task.lastError,
    waiting_for: taskWaitingFor(task, { ...context, release }),
    deadlines: deadlinesView(shownDeadlines(task, { ...context, release }), context.now),
  }
}

/** A release in the contract's own fields and order, then ours (CR-17). */
export function releaseView(
  release: ReleaseRecord,
  {
    rows,
    notes,
    ...context
  }: ViewContext & { readonly rows: readonly OutboxRow[]; readonly notes: readonly ReleaseNote[] },
) {
  const rowOf = (task: CoordinatorTask) => rows.find((row) => row.taskId === task.id) ?? null
  return {
    kf_id: release.id,
    name: release.name,
    description: release.description,
    notes: notes.map((note) => noteView(note, context.links)),
    state: release.state,
    studies: release.studies,
    tasks: release.tasks.map((task) =>
      taskView({ task, releaseId: release.id, release }, { ...context, row: rowOf(task) }),
    ),
    version: release.version,
    created_at: datetime(release.createdAt),
    tags: release.tags,
    author: release.author,
    is_major: release.isMajor,
    reason: release.reason,
    waiting_for: releaseWaitingFor(release, { ...context, rows }),
    partially_published: partiallyPublished(release),
  }
}

/** Tasks that had published before the release was stopped (RC-21). */
function partiallyPublished(release: ReleaseRecord): string[] {
  if (release.state !== 'canceled' && release.state !== 'failed') return []
  return release.tasks.filter((task) => task.state === 'published').map((task) => task.id)
}

export function taskServiceView(service: TaskService) {
  return {
    kf_id: service.id,
    name: service.name,
    description: service.description,
    last_ok_status: service.lastOkStatus,
    author: service.author,
    health_status: isDown(service) ? 'down' : 'ok',
    url: service.url,
    created_at: datetime(service.createdAt),
    enabled: service.enabled,
    deadlines: deadlineTexts(service.deadlines),
    version: service.version,
  }
}

/** A note in the contract's own fields and order (CR-34), wherever it is shown. */
export function noteView(note: ReleaseNote, links: Links) {
  return {
    kf_id: note.id,
    description: note.description,
    author: note.author,
    created_at: datetime(note.createdAt),
    release: links.to('releases', note.releaseId),
    study: note.studyId && links.to('studies', note.studyId),
  }
}

/** @param withActor only admins see who caused it (AU-7) */
export function eventView(event: ReleaseEvent, links: Links, withActor: boolean) {
  const link = (resource: 'releases' | 'task-services' | 'tasks', id: string | null) =>
    id && links.to(resource, id)
  return {
    kf_id: event.id,
    event_type: event.eventType,
    message: event.message,
    release: link('releases', event.releaseId),
    task_service: link('task-services', event.taskServiceId),
    task: link('tasks', event.taskId),
    created_at: datetime(event.createdAt),
    ...(withActor ? { actor: event.actor ?? 'coordinator' } : {}),
  }
}

export interface Publications {
  readonly newest: { readonly version: string; readonly createdAt: number } | null
  readonly published: { readonly version: string; readonly createdAt: number } | null
}

export function studyView(study: Study, { newest, published }: Publications) {
  return {
    kf_id: study.id,
    name: study.name,
    version: newest?.version ?? null,
    visible: study.visible,
    last_pub_version: published?.version ?? null,
    last_pub_date: published ? datetime(published.createdAt) : null,
    deleted: study.deleted,
    created_at: study.createdAt === null ? null : datetimeOfText(study.createdAt),
  }
}
