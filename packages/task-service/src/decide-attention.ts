import type { Effect } from './decision.ts'
import type { TaskRecord } from './record.ts'

const ATTENTION_FROM = 5

/** Whether work that never gives up by itself has had so much trouble that a person should look (WK-11). */
export function needsAttention(record: TaskRecord, permanent: boolean): boolean {
  if (record.work === 'stage') return false
  const often = record.failures >= ATTENTION_FROM || record.crashes >= ATTENTION_FROM
  return record.needsAttention || permanent || often
}

/** The event of the moment in which a person is needed; none while that is known already. */
export function attentionEvent(before: TaskRecord, next: TaskRecord): Effect[] {
  if (before.needsAttention || !next.needsAttention) return []
  const trouble = `it failed ${next.failures} times, its worker was lost ${next.crashes} times`
  const message = `${next.work} needs a person: ${trouble}, and it is tried on`
  return [{ type: 'event', level: 'error', event: 'needs_attention', message }]
}
