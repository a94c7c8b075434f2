import type { Answer, Logger, Registry } from '@release-task/http'
import type { Policy, Verifier } from '@release-task/auth'
import type { ReleaseId, TaskId } from '@release-task/protocol'
import type { AuditStore } from '../audit-store.ts'
import type { CoordinatorConfig } from '../config.ts'
import type { EventBell } from '../event-bell.ts'
import type { EventStore } from '../event-store.ts'
import type { Execute } from '../execute.ts'
import type { Monitor } from '../monitor.ts'
import type { NoteStore } from '../note-store.ts'
import type { ActionOutbox } from '../outbox.ts'
import type { PublicationStore } from '../publication-store.ts'
import type { SearchStore } from '../search-store.ts'
import type { ReleaseStore } from '../store.ts'
import type { StudySource } from '../study-sync.ts'
import type { StudyStore } from '../study-store.ts'
import type { TaskServiceClient } from '../task-service-client.ts'
import type { TaskServiceStore } from '../task-service-store.ts'

/** What the routes are made of; they know no SQL and no rules. */
export interface HttpDependencies {
  readonly config: CoordinatorConfig
  readonly execute: Execute
  readonly releases: ReleaseStore
  readonly services: TaskServiceStore
  readonly studies: StudyStore
  readonly studySource: StudySource | null
  readonly notes: NoteStore
  readonly publications: PublicationStore
  readonly search: SearchStore
  readonly events: EventStore
  /** Rings when there are new events. */
  readonly bell: EventBell
  readonly audit: AuditStore
  /** Null where nothing checks who calls. */
  readonly verifier: Verifier | null
  readonly policy: Policy
  /** Addresses of services that send no token (AU-10). */
  readonly legacyServices: readonly string[]
  /** `get_status` at the task's service. @throws TransportError */
  readonly askTask: (task: { readonly releaseId: ReleaseId; readonly taskId: TaskId }) => Promise<Answer>
  readonly outbox: ActionOutbox
  readonly monitor: Monitor
  readonly client: TaskServiceClient
  readonly ping: () => Promise<void>
  readonly queueHealth: () => 'ok' | 'degraded'
  /** Aborts when the coordinator begins to stop. */
  readonly stopping: AbortSignal
  readonly random: () => number
  readonly registry: Registry
  readonly log: Logger
}
