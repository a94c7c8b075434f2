import { z } from 'zod'

/** Whom something waits for, in one object that the terminal, the JSON and the metrics all show (WK-12). */
export const WAITS_FOR = ['action', 'author_code', 'coordinator', 'task_service', 'person'] as const

export const waitingForSchema = z.object({
  /** `action`: the coordinator's next action; `author_code`: the task's own code; `task_service`: a service's answer or report. */
  who: z.enum(WAITS_FOR),
  /** One sentence for people. */
  what: z.string(),
  /** ISO-8601 */
  since: z.string(),
  attempt: z.int().nullable(),
  last_error: z.string().nullable(),
  /** ISO-8601; null where no time is set. */
  next_try: z.string().nullable(),
  /** ISO-8601; null where it never gives up by itself. */
  gives_up_at: z.string().nullable(),
})
export type WaitingFor = z.output<typeof waitingForSchema>
