import { z } from 'zod'

/** Whom something waits for: `action`, the coordinator's next one; `code`, the author's; `service`, a task service. */
export const WHOM = ['action', 'code', 'coordinator', 'service', 'person'] as const

/** What is not final waits for somebody; terminal, JSON and metrics all show this one object (WK-21, WK-22). */
export const waitingForSchema = z.object({
  whom: z.enum(WHOM),
  /** One sentence for people. */
  what: z.string(),
  /** ISO-8601 UTC, as all times here. */
  since: z.string(),
  attempt: z.int().nullable(),
  last_error: z.string().nullable(),
  next_try: z.string().nullable(),
  /** null where it never gives up by itself. */
  gives_up_at: z.string().nullable(),
})
export type WaitingFor = z.output<typeof waitingForSchema>
