import type { CoordinatorTaskState, ReleaseState, WaitingFor } from '@release-task/protocol'

export type { CoordinatorTaskState, ReleaseState, WaitingFor }

/** One page of a list (CR-11). */
export interface Page<T> {
  readonly count: number
  readonly next: string | null
  readonly previous: string | null
  readonly results: readonly T[]
}

export const DEADLINE_NAMES = ['accept', 'silence', 'total'] as const
export type DeadlineName = (typeof DEADLINE_NAMES)[number]

export interface RunningDeadline {
  readonly ends_at: string
  readonly left_ms: number
}

/** CR-23. */
export interface Task {
  readonly kf_id: string
  readonly state: CoordinatorTaskState
  readonly progress: number
  readonly release: string
  readonly task_service: string
  readonly created_at: string
  readonly service_name: string
  readonly message: string | null
  readonly summary: unknown
  readonly attempt: number | null
  readonly last_error: string | null
  readonly waiting_for: WaitingFor | null
  readonly deadlines: { readonly [name in DeadlineName]: RunningDeadline | null }
}

/** CR-34. */
export interface Note {
  readonly kf_id: string
  readonly description: string
  readonly author: string
  readonly created_at: string
  readonly release: string
  readonly study: string | null
}

/** CR-17. */
export interface Release {
  readonly kf_id: string
  readonly name: string
  readonly description: string
  readonly notes: readonly Note[]
  readonly state: ReleaseState
  readonly studies: readonly string[]
  readonly tasks: readonly Task[]
  readonly version: string
  readonly created_at: string
  readonly tags: readonly string[]
  readonly author: string
  readonly is_major: boolean
  readonly reason: string | null
  readonly waiting_for: WaitingFor | null
  readonly partially_published: readonly string[]
}

/** CR-28. */
export interface TaskService {
  readonly kf_id: string
  readonly name: string
  readonly description: string
  readonly last_ok_status: number
  readonly author: string
  readonly health_status: 'ok' | 'down'
  readonly url: string
  readonly created_at: string
  readonly enabled: boolean
  readonly deadlines: { readonly [name in DeadlineName]: string | null }
  /** What the service last said; null: nothing. */
  readonly version: string | null
}

export type EventType = 'info' | 'warning' | 'error'

/** CR-36; `actor` is told to admins only. */
export interface ReleaseEvent {
  readonly kf_id: string
  readonly event_type: EventType
  readonly message: string
  readonly release: string | null
  readonly task_service: string | null
  readonly task: string | null
  readonly created_at: string
  readonly actor?: string
}

/** CR-38. */
export interface Study {
  readonly kf_id: string
  readonly name: string
  readonly version: string | null
  readonly visible: boolean
  readonly last_pub_version: string | null
  readonly last_pub_date: string | null
  readonly deleted: boolean
  readonly created_at: string | null
}

/** CR-44. */
export interface AuditEntry {
  readonly position: number
  readonly at: string
  readonly actor: string
  readonly action: string
  readonly subject: string | null
  readonly detail: unknown
}

export type Role = 'viewer' | 'developer' | 'admin'

export interface LocalWay {
  readonly kind: 'local'
  readonly token_url: string
  readonly roles: readonly Role[]
}

export interface OidcWay {
  readonly kind: 'oidc'
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly client_id: string
  readonly audience: string | null
  readonly scope: string
}

/** `GET /sign-in`. */
export interface SignIn {
  readonly auth: 'on' | 'off'
  readonly ways: readonly (LocalWay | OidcWay)[]
}

/** `GET /me`. */
export interface Me {
  readonly subject: string | null
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
}

/** The id at the end of a link to a resource; a plain id is itself. */
export function idOf(link: string): string
export function idOf(link: string | null): string | null
export function idOf(link: string | null): string | null {
  return link === null ? null : (link.split('/').at(-1) ?? null)
}
