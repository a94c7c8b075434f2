import { z } from 'zod'
import { isId, type IdByPrefix, type IdPrefix, type ReleaseId, type StudyId, type TaskId } from './id.ts'

/** What the coordinator may ask of a task service (SV-6). */
export const ACTIONS = ['initialize', 'start', 'publish', 'get_status', 'cancel'] as const
export type Action = (typeof ACTIONS)[number]

const EXAMPLES = { TA: 'TA_3G4W5C2X', RE: 'RE_7S0R2D1Q', SD: 'SD_BHJXBDQK', TS: '', EV: '', RN: '' }

/** Zod schema of one id; says in words what an id looks like. */
export function idSchema<P extends IdPrefix>(prefix: P): z.ZodType<IdByPrefix[P], IdByPrefix[P]> {
  return z
    .string()
    .refine((value) => isId(prefix, value), {
      error: `must be ${prefix}_ and 8 characters, for example ${EXAMPLES[prefix]}`,
    })
    .meta({ examples: [EXAMPLES[prefix]] }) as unknown as z.ZodType<IdByPrefix[P], IdByPrefix[P]>
}

/**
 * The body of `POST /tasks` (SV-6). Fields that are not named here are ignored, and `studies` may be absent:
 * older coordinators do not send it.
 */
export const actionRequestSchema = z.object({
  action: z.enum(ACTIONS, { error: `must be one of ${ACTIONS.join(', ')}` }),
  task_id: idSchema('TA'),
  release_id: idSchema('RE'),
  studies: z.array(idSchema('SD')).nullish(),
})

export interface ActionRequest {
  readonly action: Action
  readonly taskId: TaskId
  readonly releaseId: ReleaseId
  /** null where the request carried none. */
  readonly studies: readonly StudyId[] | null
}

/** From the wire names to ours. */
export function actionRequest(body: z.output<typeof actionRequestSchema>): ActionRequest {
  return {
    action: body.action,
    taskId: body.task_id,
    releaseId: body.release_id,
    studies: body.studies ?? null,
  }
}
