import type { ReleaseShown, ServiceShown, TaskShown } from '../dev/coordinator-api.ts'

/** Whom something waits for, as far as it is told to people (WK-22). */
export interface Waiting {
  readonly whom: string
  readonly what: string
  readonly since: string
  readonly attempt: number | null
  readonly last_error: string | null
  readonly next_try: string | null
  readonly gives_up_at: string | null
}

/** Answers of the coordinator (CR-17, CR-23, CR-28), as far as they are shown. */
export interface Task extends TaskShown {
  /** Address of the release; its last part is the id. */
  readonly release: string
  readonly task_service: string
  readonly created_at: string
  readonly waiting_for: Waiting | null
}

export interface Release extends ReleaseShown {
  readonly description: string
  readonly created_at: string
  readonly tags: readonly string[]
  readonly author: string
  readonly is_major: boolean
  readonly tasks: readonly Task[]
  readonly waiting_for: Waiting | null
  readonly partially_published: readonly string[]
}

export interface Service extends ServiceShown {
  readonly description: string
  readonly author: string
  readonly health_status: string
  readonly last_ok_status: number
  readonly enabled: boolean
  readonly version: string | null
  readonly created_at: string
}

export interface Study {
  readonly kf_id: string
  readonly deleted: boolean
}

export interface Page<Item> {
  readonly count: number
  readonly results: readonly Item[]
}

/** The id at the end of an address of the coordinator (CR-6). */
export const idIn = (link: string): string => link.split('/').findLast((part) => part !== '') ?? ''
