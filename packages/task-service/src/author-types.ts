/** The release as the coordinator shows it (CR-17); fields beyond these are kept as they come. */
export interface Release {
  readonly kf_id: string
  readonly name: string
  readonly description: string
  readonly state: string
  readonly studies: readonly string[]
  readonly version: string
  readonly is_major: boolean
  readonly created_at: string
  readonly [field: string]: unknown
}

/** A study as the coordinator shows it (CR-38). */
export interface Study {
  readonly kf_id: string
  readonly name: string
  readonly visible: boolean
  readonly created_at: string | null
  readonly [field: string]: unknown
}

/** The states from which a task can be canceled or can fail. */
export type TaskDefinitionState = 'pending' | 'running' | 'staged' | 'publishing'
